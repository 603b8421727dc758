"""Idempotency-Key as Xero documents it ("Idempotency" in its developer guides): app-wide, six minutes, errors too."""

import asyncio
import hashlib
from collections import deque
from dataclasses import dataclass

from sandbox.instants import MINUTE_MS
from sandbox.wire import Answer, Call

KEY_LIFE_MS = 6 * MINUTE_MS
KEY_MAX_CHARACTERS = 128


@dataclass(slots=True)
class Remembered:
    """The first request under a key; `answer` is pending while that request is in progress."""

    fingerprint: tuple[str, str, bytes]
    first_ms: int
    answer: asyncio.Future[Answer]

    def is_same_request(self, call: Call) -> bool:
        """Whether URL, method and body are those of the first request."""
        return self.fingerprint == fingerprint(call)


def fingerprint(call: Call) -> tuple[str, str, bytes]:
    """What must not change under one key."""
    return call.method, f"{call.path}?{call.query_text}", hashlib.sha256(call.body).digest()


class KeyStore:
    """The keys of every app for six minutes from their first call."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Remembered] = {}
        self._order: deque[tuple[tuple[str, str], Remembered]] = deque()

    def find(self, client_id: str, key: str, now_ms: int) -> Remembered | None:
        """What is remembered under this key now."""
        self._expire(now_ms)
        return self._known.get((client_id, key))

    def begin(self, client_id: str, call: Call, now_ms: int) -> Remembered:
        """Remember that the first request under its key is in progress."""
        remembered = Remembered(fingerprint(call), now_ms, asyncio.get_running_loop().create_future())
        name = (client_id, call.key)
        self._known[name] = remembered
        self._order.append((name, remembered))
        return remembered

    def _expire(self, now_ms: int) -> None:
        while self._order and now_ms - self._order[0][1].first_ms >= KEY_LIFE_MS:
            name, remembered = self._order.popleft()
            if self._known.get(name) is remembered:
                del self._known[name]
