"""Rows in the order of an instant, found by bisection."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Timeline(Generic[T]):
    """Rows sorted by (milliseconds, tie-break); a change at the end costs nothing."""

    def __init__(self, rows: Iterable[tuple[int, int, T]] = ()) -> None:
        ordered = sorted(rows, key=lambda row: row[:2])
        self._keys = [(ms, tie) for ms, tie, _ in ordered]
        self._rows = [row for _, _, row in ordered]

    def add(self, ms: int, tie: int, row: T) -> None:
        """Put a row in its place; `tie` is unique to the row."""
        key = (ms, tie)
        if not self._keys or key > self._keys[-1]:
            self._keys.append(key)
            self._rows.append(row)
        else:
            index = bisect_left(self._keys, key)
            self._keys.insert(index, key)
            self._rows.insert(index, row)

    def remove(self, ms: int, tie: int) -> None:
        """Take a row out of its place."""
        index = bisect_left(self._keys, (ms, tie))
        del self._keys[index]
        del self._rows[index]

    def position(self, ms: int) -> int:
        """Index of the first row at or after an instant."""
        return bisect_left(self._keys, (ms, -1))

    def slice(self, start: int, stop: int | None = None) -> list[T]:
        """The rows at these positions."""
        return self._rows[start:stop]
