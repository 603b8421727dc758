"""The shapes in which Xero says no (developer.xero.com, "Response codes and errors")."""

from datetime import UTC, datetime
from typing import Any

from sandbox.faults import Fault
from sandbox.wire import TEXT, Answer, json_answer

NOT_FOUND_TEXT = b"The resource you're looking for cannot be found"
UNAVAILABLE_TEXTS = {
    "maintenance": "The Xero API is currently offline for maintenance",
    "unavailable": "The Xero API is temporarily unavailable",
    "offline": "The Organisation is offline",
}
_DEFAULT_RETRY_AFTER = {"minute": 60, "day": 3600}


class Refused(Exception):
    """Xero refuses the request; `answer` says how."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Unreadable(Refused):
    """The posted data cannot be read: 400 PostDataInvalidException."""

    def __init__(self, message: str) -> None:
        super().__init__(_exception(17, "PostDataInvalidException", message))


class BadQuery(Refused):
    """`where` or `order` cannot be read: 400 QueryParseException."""

    def __init__(self, message: str) -> None:
        super().__init__(_exception(16, "QueryParseException", message))


class HighVolume(Refused):
    """A list too long to be given without pages: 400 HighVolumeException."""

    def __init__(self) -> None:
        super().__init__(_exception(51, "HighVolumeException", "The query is too large. Use paging or filters."))


class Missing(Refused):
    """404 with Xero's plain text."""

    def __init__(self) -> None:
        super().__init__(Answer(404, NOT_FOUND_TEXT, TEXT))


class Invalid(Refused):
    """400 ValidationException: `elements` echo what was sent, each with its ValidationErrors."""

    def __init__(self, elements: list[dict[str, Any]]) -> None:
        content = {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": elements,
        }
        super().__init__(json_answer(content, 400))


def refused_element(element: dict[str, Any], *messages: str) -> Invalid:
    """One element refused with these messages."""
    return Invalid([{**element, "ValidationErrors": messages_json(messages)}])


def messages_json(messages: tuple[str, ...] | list[str]) -> list[dict[str, str]]:
    """Messages as Xero lists them in ValidationErrors and Warnings."""
    return [{"Message": message} for message in messages]


def key_refused(message: str) -> Answer:
    """400 about an Idempotency-Key."""
    return _exception(10, "ValidationException", message)


def unauthorized(detail: str, guid: str, header: str) -> Answer:
    """401 of the API gateway."""
    return _gateway(401, "Unauthorized", detail, guid, {"WWW-Authenticate": header})


def expired_detail(expires_ms: int) -> str:
    """The words of a 401 for an access token that died at this time."""
    moment = datetime.fromtimestamp(expires_ms / 1000, UTC)
    return f"TokenExpired: token expired at {moment:%m/%d/%Y %H:%M:%S}"


def forbidden() -> Answer:
    """403: the token is good, its user has no connection to this tenant."""
    return _gateway(403, "Forbidden", "AuthenticationUnsuccessful", "00000000-0000-0000-0000-000000000000", {})


def rate_limited(problem: str, retry_after: int | None) -> Answer:
    """429; Retry-After goes with minute and day only. Xero's body is not known: ours is empty."""
    headers = {"X-Rate-Limit-Problem": problem}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Answer(429, b"", TEXT, headers)


def spoiled(fault: Fault) -> Answer:
    """A `status` fault in Xero's shapes."""
    spec = fault.spec
    if spec.status == 429:
        problem = spec.problem or "minute"
        default = _DEFAULT_RETRY_AFTER.get(problem)
        return rate_limited(problem, default if spec.retry_after is None else spec.retry_after)
    headers = {"Retry-After": str(spec.retry_after)} if spec.retry_after is not None else {}
    if spec.status == 503:
        text = spec.text or "unavailable"
        return Answer(503, UNAVAILABLE_TEXTS.get(text, text).encode(), TEXT, headers)
    if spec.text is not None:
        return Answer(spec.status, spec.text.encode(), TEXT, headers)
    content: dict[str, Any] = {
        "Type": None,
        "Title": "An error occurred",
        "Status": spec.status,
        "Detail": "An unhandled error.",
    }
    return json_answer(content, spec.status, headers)


def _exception(number: int, kind: str, message: str) -> Answer:
    return json_answer({"ErrorNumber": number, "Type": kind, "Message": message}, 400)


def _gateway(status: int, title: str, detail: str, guid: str, headers: dict[str, str]) -> Answer:
    content: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": guid,
        "Extensions": {},
    }
    return json_answer(content, status, headers)
