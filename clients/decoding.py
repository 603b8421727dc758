"""JSON in and out with exact decimals: numbers never pass through a float."""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

import msgspec

from clients.errors import Temporary, Unreadable

Shape = TypeVar("Shape")
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_one_at_a_time = Lock()  # msgspec 0.22 shows other threads a shape's description before it is whole
_encoder = msgspec.json.Encoder(decimal_format="number")


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
    """Return the body as `shape`, without the fields that it does not name.

    Raises Unreadable for complete JSON of another shape, Temporary for anything else. Neither shows the body.
    """
    try:
        return decoder_of(shape).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = Unreadable if is_json(body) else Temporary
        raise kind(call, f"the answer is not what the API documents: {error}") from error


def is_json(body: bytes) -> bool:
    """Return whether the body is one whole JSON value."""
    try:
        decoder_of(msgspec.Raw).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def decode_leniently(body: bytes) -> Any:
    """Any JSON value, `None` when it is none: for error bodies, whose shape nobody promises."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
