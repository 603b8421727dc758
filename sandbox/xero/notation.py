"""How Xero writes things in JSON: dates, money, and the envelope around every collection."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from sandbox.instants import midnight_ms
from sandbox.wire import encode_json
from sandbox.xero.errors import Unreadable

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
ZERO_GUID = "00000000-0000-0000-0000-000000000000"


def instant_json(ms: int) -> msgspec.Raw:
    r"""An instant as Xero writes it: `"\/Date(1551213567813+0000)\/"`, slashes escaped."""
    return msgspec.Raw(f'"\\/Date({ms}+0000)\\/"'.encode())


def date_json(day: Any) -> msgspec.Raw:
    """A calendar date as midnight UTC."""
    return instant_json(midnight_ms(day))


def money_json(cents: int) -> msgspec.Raw:
    """Cents as a JSON number with exactly two decimals."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return msgspec.Raw(f"{sign}{whole}.{rest:02d}".encode())


def envelope(
    guid: str, provider: str, now_ms: int, collection: str, rows: Iterable[bytes], extra: dict[str, Any] | None = None
) -> bytes:
    """The body around a collection; `Id` equals the Xero-Correlation-Id header."""
    head = {"Id": guid, "Status": "OK", "ProviderName": provider, "DateTimeUTC": instant_json(now_ms)}
    if extra:
        head.update(extra)
    return b"%b,%b:[%b]}" % (encode_json(head)[:-1], encode_json(collection), b",".join(rows))


def read_elements(body: bytes, collection: str) -> list[dict[str, Any]]:
    """The elements of a request: one object, or the plural envelope. Raises Unreadable."""
    try:
        content = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"JSON for type {collection} could not be read: {error}") from error
    if isinstance(content, dict) and isinstance(content.get(collection), list):
        content = content[collection]
    elements = content if isinstance(content, list) else [content]
    if not all(isinstance(element, dict) for element in elements):
        raise Unreadable(f"JSON for type {collection} must be an object or a list of objects")
    return elements


def read_text(element: dict[str, Any], name: str) -> str | None:
    """A text field, None when absent or null. Raises Unreadable for another JSON type."""
    value = element.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Unreadable(f"Error converting value {value} to type 'System.String'. Path '{name}'")


def read_number(element: dict[str, Any], name: str) -> Decimal | None:
    """A number given as a JSON number or as text. Raises Unreadable."""
    value = element.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(value) if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Unreadable(f"Could not convert {value} to a decimal. Path '{name}'")
    return number


def read_object(element: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested object, empty when absent. Raises Unreadable."""
    value = element.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Unreadable(f"Expected an object. Path '{name}'")
