"""The sandbox's control API: what people, time and misfortune do to a world of our own. Not part of the product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from clients.decoding import decode, encode
from clients.errors import Permanent
from clients.http import Http


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox at `url`."""

    http: Http
    url: str

    def get(self, path: str, **query: str) -> Any:
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call("POST", path, encode(body or {}))

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path, None)

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        answer = self.http.call(
            method, f"{self.url}/control{path}", headers={"Content-Type": "application/json"}, body=body
        )
        if answer.status >= 400:
            raise Permanent(f"sandbox {method} {path}", answer.body.decode(errors="replace")[:500], answer.status, [])
        return decode(answer.body or b"null", object, f"sandbox {method} {path}")
