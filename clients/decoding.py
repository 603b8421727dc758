"""JSON in and out: exact decimals, and of what others send each row and each field by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from threading import Lock
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec

from clients.errors import Temporary, Unreadable

MOST_LEVELS = 100  # of arrays and objects in each other; the deepest answer that we read has six
MOST_TEXT = 1_000  # characters of a text for people that are kept; Xero takes fewer of most
BIGINT = 2**63  # what a database's integer column ends before
MOST_CENTS = 10**15  # of one amount or balance: thousands of them add up to less than BIGINT

SPARE = "spare"  # marks a field that is read if it can be, and is absent otherwise
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+\Z")]
Word = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]  # one of an open set
Text = Annotated[str, SPARE]  # for people: without NUL, and no longer than MOST_TEXT
Cents = Annotated[int, msgspec.Meta(ge=-MOST_CENTS, le=MOST_CENTS)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

Shape = TypeVar("Shape")
Row = TypeVar("Row")
Odd = TypeVar("Odd", bound="UnreadableRow")
_NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_one_at_a_time = Lock()  # msgspec 0.22 shows other threads a shape's description before it is whole
_encoder = msgspec.json.Encoder(decimal_format="number")

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.S
)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.S)
_STRING = re.compile(rb'"[^"]*"')
_UNMARKED = bytes(set(range(256)) - set(b'"[]{}'))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


@dataclass(frozen=True)
class UnreadableRow:
    """A row of a list that is not what the API documents: its exact bytes, and a problem that does not quote them."""

    payload: bytes
    problem: str

    def field(self, name: str, shape: Any, absent: Any = None) -> Any:
        """Return one field of the row: `absent` when it is absent or null, `None` when it cannot be read either."""
        try:
            given = bytes(decoder_of(dict[str, msgspec.Raw]).decode(walkable(self.payload)).get(name, b"null"))
            return absent if given == b"null" else read(given, shape)
        except (*_NOT_READ, ValueError):
            return None


class Rows(list[Row], Generic[Row, Odd]):
    """The rows of a list that could be read. While some could not, nothing follows from the absence of a row."""

    def __init__(self, rows: Iterable[Row] = (), unreadable: Iterable[Odd] = ()) -> None:
        super().__init__(rows)
        self.unreadable = list(unreadable)

    def missing(self, call: str, problem: str) -> Temporary:
        """Return the error for a row that is not here: Unreadable if it may be one of those that cannot be read."""
        if self.unreadable:
            return Unreadable(call, f"{problem}, and a row cannot be read: {self.unreadable[0].problem}")
        return Temporary(call, problem)


def encode(value: Any) -> bytes:
    """JSON bytes; a Decimal becomes a number with exactly its digits."""
    return _encoder.encode(value)


def decoder_of(shape: type[Shape]) -> msgspec.json.Decoder[Shape]:
    """Decodes bytes as `shape`. Made by one thread at a time: two that meet a shape first at once crash the process."""
    known = _decoders.get(shape)
    if known is None:
        with _one_at_a_time:
            known = _decoders[shape] = msgspec.json.Decoder(shape)
    return known


def decode(body: bytes, shape: type[Shape], call: str) -> Shape:
    """Return the body as `shape`, field by field as in `read`.

    Raises Unreadable for complete JSON of another shape, Temporary for anything else. Neither shows the body.
    """
    try:
        return read(body, shape)
    except (*_NOT_READ, ValueError) as error:
        raise _refusal(body, call, error) from error


def decode_rows(body: bytes, row: type[Row], unreadable: type[Odd], call: str, key: str = "") -> Rows[Row, Odd]:
    """Return the rows of the list under `key`, or of the body when it is the list itself, each read by itself.

    Raises Unreadable when there is no such list, Temporary when the body is no JSON.
    """
    try:
        payloads = _rows_in(body, key)
    except (*_NOT_READ, KeyError) as error:
        raise _refusal(body, call, error) from error
    rows: Rows[Row, Odd] = Rows()
    for payload in payloads:
        try:
            rows.append(read(payload, row))
        except (*_NOT_READ, ValueError) as error:
            rows.unreadable.append(unreadable(payload, _words(error)))
    return rows


def read(raw: bytes, shape: type[Shape]) -> Shape:
    """Return `raw` as `shape`. A null is an absent field, and so is a spare one that cannot be read.

    Half a surrogate pair is dropped from a text. Raises ValueError or RecursionError, without quoting `raw`.
    """
    try:
        found = decoder_of(shape).decode(raw)
    except _NOT_READ:
        found = _read_fields(walkable(raw), shape)
    for name in _texts_of(shape):
        text = getattr(found, name)
        if text:
            setattr(found, name, text.replace("\x00", "")[:MOST_TEXT])
    return found


def decode_leniently(body: bytes) -> Any:
    """Any JSON value, `None` when it is none: for error bodies, whose shape nobody promises."""
    try:
        return msgspec.json.decode(walkable(body))
    except _NOT_READ:
        return None


def is_json(body: bytes) -> bool:
    """Return whether the body is one whole JSON value."""
    try:
        decoder_of(msgspec.Raw).decode(walkable(body))
    except _NOT_READ:
        return False
    return True


def levels(body: bytes) -> int:
    """Return how many arrays and objects of a JSON text stand in each other at most."""
    bare = _ESCAPE.sub(b"", body) if b"\\" in body else body
    marks = _STRING.sub(b"", bare.translate(None, _UNMARKED).replace(b'""', b""))
    return max(accumulate(_STEP.get(mark, 0) for mark in marks), default=0)


def walkable(body: bytes) -> bytes:
    """Return a JSON text of the same length that a decoder can walk to its end.

    Half a surrogate pair becomes an escaped NUL, and what stands deeper than MOST_LEVELS becomes 0.
    """
    if b"\\ud" in body or b"\\uD" in body:
        body = _ESCAPE.sub(lambda found: b"\\u0000" if found[1] else found[0], body)
    return _flattened(body) if levels(body) > MOST_LEVELS else body


def _flattened(body: bytes) -> bytes:
    flat, level, began = bytearray(body), 0, len(body)
    for token in _TOKEN.finditer(body):
        if token[0] in {b"[", b"{"}:
            level += 1
            if level == MOST_LEVELS + 1:
                began = token.start()
        elif token[0] in {b"]", b"}"}:
            if level == MOST_LEVELS + 1:
                flat[began : token.end()] = b"0".ljust(token.end() - began)
            level -= 1
    return bytes(flat[:began] if level > MOST_LEVELS else flat)


def _rows_in(body: bytes, key: str) -> list[bytes]:
    """The exact bytes of each row."""
    try:
        return [bytes(row) for row in _list_in(body, key)]
    except _NOT_READ:
        text = walkable(body)
    found, end = [], 0
    for row in map(bytes, _list_in(text, key)):
        start = text.index(row, end)
        end = start + len(row)
        found.append(body[start:end])
    return found


def _list_in(body: bytes, key: str) -> list[msgspec.Raw]:
    within = bytes(decoder_of(dict[str, msgspec.Raw]).decode(body)[key]) if key else body
    return decoder_of(list[msgspec.Raw]).decode(within)


def _read_fields(raw: bytes, shape: type[Shape]) -> Shape:
    if not _is_struct(shape):
        return decoder_of(shape).decode(raw)
    given = decoder_of(dict[str, msgspec.Raw]).decode(raw)
    values: dict[str, Any] = {}
    for field in _fields_of(shape):
        value = bytes(given.get(field.encode_name, b"null"))
        if value == b"null":
            if field.required:
                raise msgspec.ValidationError(f"Expected a value, got none - at `$.{field.encode_name}`")
            continue
        try:
            values[field.name] = read(value, field.type)
        except (*_NOT_READ, ValueError) as error:
            if not _is_spare(field.type):
                raise msgspec.ValidationError(f"{_words(error)} - at `$.{field.encode_name}`") from error
    return shape(**values)


def _refusal(body: bytes, call: str, error: Exception) -> Temporary:
    kind = Unreadable if is_json(body) else Temporary
    return kind(call, f"the answer is not what the API documents: {_words(error)}")


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"Object missing required field `{error.args[0]}`"
    return str(error) if isinstance(error, ValueError) and not isinstance(error, UnicodeError) else type(error).__name__


def _is_struct(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _is_spare(of: Any) -> bool:
    return get_origin(of) is Annotated and SPARE in get_args(of)[1:]


def _find_texts(shape: Any) -> tuple[str, ...]:
    return tuple(field.name for field in _fields_of(shape) if field.type == Text) if _is_struct(shape) else ()


_fields_of: Callable[[Any], tuple[msgspec.structs.FieldInfo, ...]] = cache(msgspec.structs.fields)
_texts_of: Callable[[Any], tuple[str, ...]] = cache(_find_texts)
