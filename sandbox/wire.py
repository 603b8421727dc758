"""What came over the wire and what goes back: values, no sockets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

import msgspec

from sandbox.fault_spec import FaultSpec

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

_SECRET_PARAMETER = re.compile(r"(\b(?:code|code_verifier|state|client_secret|token|access_token|refresh_token)=)[^&]*")

encode_json = msgspec.json.Encoder(decimal_format="number").encode


class Spoiler(Protocol):
    """The fault that struck a request."""

    id: str
    spec: FaultSpec


class Call:
    """One request as its service sees it: `path` has neither the service's prefix nor the query."""

    def __init__(
        self, service: str, method: str, path: str, query_text: str, headers: Mapping[str, str], body: bytes, peer: str
    ) -> None:
        self.service = service
        self.method = method
        self.path = unquote(path) if "%" in path else path
        self.query_text = query_text
        self.headers = headers
        self.body = body
        self.peer = peer
        self.tenant = ""
        self.key = headers.get("Idempotency-Key", "")
        self.body_bytes = len(body)
        self.concurrent = 1
        self.fault: Spoiler | None = None

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Every value of every query parameter, decoded."""
        if not self.query_text:
            return {}
        return parse_qs(self.query_text, keep_blank_values=True)

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter, its name compared without regard to case."""
        for key, values in self.query.items():
            if key.lower() == name.lower():
                return values[-1]
        return None

    @property
    def query_without_secrets(self) -> str:
        """The query text as it came, but for the values of fields that hold secrets."""
        return _SECRET_PARAMETER.sub(r"\1...", self.query_text)

    def forget_contents(self) -> None:
        """Let go of the body and of the headers, which hold credentials."""
        self.body = b""
        self.headers = {}

    def form_values(self) -> dict[str, list[str]]:
        """The body read as application/x-www-form-urlencoded, with every value of every field."""
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def form(self) -> dict[str, str]:
        """The same with the last value of every field."""
        return {name: texts[-1] for name, texts in self.form_values().items()}


@dataclass(slots=True)
class Answer:
    """One answer; with `fault` the transport spoils its delivery."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    fault: Spoiler | None = None


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer whose body is `content` as JSON."""
    return Answer(status, encode_json(content), JSON, headers or {})
