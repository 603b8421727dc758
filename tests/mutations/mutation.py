"""A mutation: one edit that breaks one promise, and the tests of which at least one must turn red."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class MovedOn(Exception):
    """The code is no longer as the mutation knows it: mend the table."""


@dataclass(frozen=True)
class Mutation:
    """`before` becomes `after` in `file`. `tests` are node ids, the one that should catch it fastest first."""

    name: str
    breaks: str  # in words, for the table
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def apply(self, tree: Path) -> None:
        """Edit the copy. Raises MovedOn unless `before` is there exactly once."""
        path = tree / self.file
        path.write_text(self.mutated(path.read_text()))

    def mutated(self, text: str) -> str:
        """The file's text after the edit."""
        found = text.count(self.before)
        if found != 1:
            raise MovedOn(f"{self.name}: found {found} times in {self.file}, not once:\n{self.before}")
        return text.replace(self.before, self.after)
