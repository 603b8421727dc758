"""Values in a message's headers that pika cannot read are read as `None`.

In pika they end the connection. The message is delivered again to the next one, which it ends as well: nothing behind
it is ever read, and not even its own dead letter.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pika import data

_read_value: Callable[[bytes, int], tuple[Any, int]] = data.decode_value


def read_value(encoded: bytes, offset: int) -> tuple[Any, int]:
    """The value that begins there, and where the next one does."""
    try:
        return _read_value(encoded, offset)
    except (ValueError, OverflowError, OSError, RecursionError):
        return None, offset + _size(encoded, offset)


def _size(encoded: bytes, offset: int) -> int:
    """A moment that no calendar has takes eight bytes; lists and tables, nested too deep, say how many they take."""
    if encoded[offset : offset + 1] == b"T":
        return 1 + 8
    length: int = struct.unpack_from(">I", encoded, offset + 1)[0]
    return 1 + 4 + length


data.decode_value = read_value  # pika looks it up here for each value, also for those within another
