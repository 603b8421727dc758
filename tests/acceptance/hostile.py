"""Answers that Qonto and Xero should never give, and a client that gets one of them once."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from clients.http import Answer, Http

JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
LATER = {"Retry-After": "30", "X-Rate-Limit-Problem": "minute"}
AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 410: "Gone", 429: "Too Many Requests"}


class Call(NamedTuple):
    """A request of a night: its method, its path with ids left out, and its number among those like it."""

    method: str
    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.number}"


@dataclass(frozen=True)
class Hostile:
    """One answer. `made_of` is given the path and the true answer, which it needs or not."""

    name: str
    made_of: Callable[[str, Answer], Answer]
    needs_truth: bool = False

    @property
    def lets_nobody_in(self) -> bool:
        """Whether it speaks of access."""
        return self.name.startswith(("401", "403"))

    def __str__(self) -> str:
        return self.name


class OneHostileAnswer(Http):
    """Pass every request on and note it; give `answer` to `call` alone, once.

    With `is_done` the request reaches the other side all the same, and has its effect there.
    """

    def __init__(
        self, http: Http, call: Call | None = None, answer: Hostile | None = None, *, is_done: bool = True
    ) -> None:
        self._http = http
        self._disturbed, self._answer, self._is_done = call, answer, is_done
        self._alone = Lock()
        self._seen: Counter[tuple[str, str]] = Counter()
        self.calls: list[Call] = []

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,
    ) -> Answer:
        this = self._noted(method, AN_ID.sub("{id}", urlsplit(url).path))
        is_it = this == self._disturbed and self._answer is not None
        truth = Answer(200, JSON, b"")
        if not is_it or self._is_done:
            truth = self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)
        return self._answer.made_of(this.path, truth) if is_it and self._answer else truth

    def _noted(self, method: str, path: str) -> Call:
        with self._alone:
            self._seen[method, path] += 1
            self.calls.append(Call(method, path, self._seen[method, path]))
            return self.calls[-1]


def _in_json(status: int) -> Hostile:
    def made_of(path: str, _: Answer) -> Answer:
        headers = JSON | LATER if status == 429 else JSON
        return Answer(status, headers, json.dumps(_error(path, status)).encode())

    return Hostile(f"{status} in JSON", made_of)


def _error(path: str, status: int) -> dict[str, Any]:
    """The other side's own shape of an error."""
    title = TITLES.get(status, "Server Error")
    if path.endswith("/token"):
        return {"error": "temporarily_unavailable"}
    if path.startswith("/qonto"):
        return {"errors": [{"code": title.lower().replace(" ", "_"), "detail": title}]}
    detail = "AuthenticationUnsuccessful" if status in {401, 403} else title
    return {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": str(status), "Extensions": {}}


def _in_html(status: int, title: str) -> Hostile:
    page = PAGE.format(f"{status} {title}").encode()
    return Hostile(f"{status} in HTML", lambda _path, _truth: Answer(status, HTML, page))


def _listing(change: Callable[[list[Any]], list[Any]]) -> Callable[[str, Answer], Answer]:
    """The true answer with its list changed, and with numbers of rows and pages that agree."""

    def made_of(_path: str, truth: Answer) -> Answer:
        content = json.loads(truth.body)
        if isinstance(content, list):
            return Answer(200, truth.headers, json.dumps(change(content)).encode())
        for name, value in content.items():
            if isinstance(value, list):
                content[name] = change(value)
        if "pagination" in content:
            content["pagination"] |= {"pageCount": 1, "itemCount": max(map(_length, content.values()))}
        if "meta" in content:
            content["meta"] |= {"next_page": None, "total_pages": 1, "total_count": max(map(_length, content.values()))}
        return Answer(200, truth.headers, json.dumps(content).encode())

    return made_of


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _cut(_path: str, truth: Answer) -> Answer:
    return Answer(truth.status, truth.headers, truth.body[: len(truth.body) * 2 // 3])


AN_EMPTY_LIST = Hostile("an empty list", _listing(lambda _: []), needs_truth=True)
HOSTILE = (
    _in_json(401),
    _in_json(403),
    _in_html(403, "Forbidden"),
    _in_json(404),
    _in_json(410),
    _in_json(429),
    _in_json(500),
    _in_html(502, "Bad Gateway"),
    _in_html(503, "Service Unavailable"),
    AN_EMPTY_LIST,
    Hostile("a list without its last rows", _listing(lambda rows: rows[: len(rows) // 2]), needs_truth=True),
    Hostile("a body cut in the middle", _cut, needs_truth=True),
)
