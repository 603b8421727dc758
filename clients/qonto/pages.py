"""What Qonto says beside a page of a list: whether another one follows."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from clients.decoding import SPARE, decode

PAGE = 100  # rows, the most Qonto gives


class _Meta(msgspec.Struct):
    next_page: Any = msgspec.UNSET


class _Answer(msgspec.Struct):
    meta: Annotated[_Meta | None, SPARE] = None


def is_followed(body: bytes, call: str, rows: int) -> bool:
    """Return whether a page is not the last: as its `meta` says, or because it is full. Raises Unreadable."""
    meta = decode(body, _Answer, call).meta
    if meta is None or meta.next_page is msgspec.UNSET:
        return rows >= PAGE
    return meta.next_page is not None
