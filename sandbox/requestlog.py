"""A bounded record of what clients asked and what they were told."""

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from sandbox.instants import instant_text
from sandbox.wire import Answer, Call


@dataclass(slots=True)
class Entry:
    """One request that ended; `status` is 0 when no answer was sent."""

    id: int
    time_ms: int
    call: Call
    status: int
    body: bytes | None
    body_sha256: str

    def content(self) -> dict[str, Any]:
        """The entry as the control API shows it: no credential is in it."""
        call = self.call
        return {
            "id": self.id,
            "time": instant_text(self.time_ms),
            "service": call.service,
            "method": call.method,
            "path": call.path,
            "query": call.query_without_secrets,
            "tenant": call.tenant or None,
            "key": call.key or None,
            "body_sha256": self.body_sha256,
            "body_bytes": self.call.body_bytes,
            "status": self.status,
            "fault": call.fault.id if call.fault else None,
            "concurrent": call.concurrent,
            "body": self.body.decode("utf-8", "replace") if self.body is not None else None,
        }


class RequestLog:
    """The newest `limit` requests; older ones are counted and dropped."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._open: dict[int, tuple[int, Call]] = {}
        self.last_id = 0
        self.dropped = 0

    def begin(self, call: Call, now_ms: int) -> None:
        """Remember that a request is in progress."""
        self._open[id(call)] = (now_ms, call)

    def end(self, call: Call, answer: Answer, limit: int, keep_body: bool) -> None:
        """Record how a request ended and let go of its body unless it is to be kept."""
        started_ms, _ = self._open.pop(id(call))
        self.last_id += 1
        status = 0 if answer.fault and answer.fault.spec.action in ("drop", "reset") else answer.status
        body = call.body if keep_body else None
        digest = hashlib.sha256(call.body).hexdigest()
        call.forget_contents()
        self._entries.append(Entry(self.last_id, started_ms, call, status, body, digest))
        while len(self._entries) > limit:
            self._entries.popleft()
            self.dropped += 1

    def since(self, entry_id: int) -> list[Entry]:
        """The entries after this one, oldest first."""
        wanted = min(self.last_id - entry_id, len(self._entries))
        if wanted <= 0:
            return []
        start = len(self._entries) - wanted
        return [self._entries[index] for index in range(start, len(self._entries))]

    def open_calls(self) -> list[tuple[int, Call]]:
        """Requests in progress with the time they began."""
        return list(self._open.values())

    def clear(self) -> None:
        """Forget every ended request; numbering goes on."""
        self._entries.clear()
        self.dropped = 0
