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


def is_followed(body: bytes, call: str, page: int, rows: int) -> bool:
    """Return whether a page is not the last: as its `meta` says, or because it is full. Raises Unreadable.

    A `next_page` counts if it is null or a number above this page; a page without rows is the last in any case.
    """
    meta = decode(body, _Answer, call).meta
    following = meta.next_page if meta else msgspec.UNSET
    if following is None or not rows:
        return False
    return rows >= PAGE or (type(following) is int and following > page)
