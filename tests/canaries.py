"""What must never be seen: every token, code and key that the world ever made, and every IBAN, looked for in texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

SHORTEST_WORD = 8
SHORTEST = 12  # a secret that is shorter could be anybody's word


class Canaries:
    """The secrets of a world from now on. `read` asks its control API."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read
        self._after = int(read("/secrets")["last"])

    def seen_in(self, texts: Iterable[tuple[str, str]], *, words: bool = False) -> list[str]:
        """A line for each secret in a text, which is given with the name of its place; none is quoted.

        With `words`, customers' words are looked for too: in a log they have no place, in a database they have.
        """
        told = self._read("/secrets", after=str(self._after))
        wanted = [(secret, "a secret") for secret in told["secrets"] if len(secret) >= SHORTEST]
        wanted += [(form, "an IBAN") for iban in told["ibans"] if len(iban) >= SHORTEST for form in _forms(iban)]
        wanted += [(word, "a customer's word") for word in told["words"] if words and len(word) >= SHORTEST_WORD]
        return [
            f"{kind} is seen in {place}: ...{text[max(0, text.find(canary) - 60) : text.find(canary)]}***"
            for place, text in texts
            for canary, kind in wanted
            if canary in text
        ]


def _forms(iban: str) -> tuple[str, str]:
    """As it is stored, and in groups of four as people write it."""
    return iban, " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
