"""Reading control requests and refusing them in clear words."""

from typing import Any, TypeVar

import msgspec

from sandbox.instants import parse_instant
from sandbox.wire import Answer, Call, json_answer

T = TypeVar("T")


class Wrong(Exception):
    """The request cannot be done; `status` is 400 or 404."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status

    def answer(self) -> Answer:
        """The refusal as JSON."""
        return json_answer({"error": str(self)}, self.status)


def unknown(what: str, name: str) -> Wrong:
    """404 for a thing that does not exist."""
    return Wrong(f"There is no {what} '{name}'.", 404)


def read(call: Call, kind: type[T]) -> T:
    """The body as this kind of thing; an empty body is an empty object. Raises Wrong."""
    try:
        return msgspec.json.decode(call.body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"The body is not as expected: {error}.") from error


def instant(text: str, name: str) -> int:
    """Milliseconds of an ISO time. Raises Wrong."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Wrong(f"{name} is not an ISO 8601 time: '{text}'.") from error


def number(call: Call, name: str) -> int | None:
    """A query parameter that is a number, when it is given. Raises Wrong."""
    text = call.parameter(name)
    if not text:
        return None
    if not text.isdigit():
        raise Wrong(f"{name} must be a number, not '{text}'.")
    return int(text)


def created(content: Any) -> Answer:
    """201 with what was made."""
    return json_answer(content, 201)
