"""JSON in and out with exact decimals: numbers never pass through a float."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from clients.errors import Temporary

Shape = TypeVar("Shape")
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON bytes; a Decimal becomes a number with exactly its digits."""
    return _encoder.encode(value)


def decode(body: bytes, shape: type[Shape], call: str) -> Shape:
    """The body as `shape`; unknown fields are ignored. Raises Temporary, which shows the place and never the body."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Temporary(call, f"the answer is not what the API documents: {error}") from error


def decode_leniently(body: bytes) -> Any:
    """Any JSON value, `None` when it is none: for error bodies, whose shape nobody promises."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
