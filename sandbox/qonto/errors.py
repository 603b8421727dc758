"""The shapes in which Qonto says no (docs.qonto.com, "Errors"); they are not uniform."""

from sandbox.faults import Fault
from sandbox.wire import TEXT, Answer, json_answer


class Refused(Exception):
    """Qonto refuses the request; `answer` says how."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refused(status: int, code: str, detail: str, parameter: str | None = None) -> Refused:
    """The common shape: a list of errors."""
    error: dict[str, object] = {"code": code, "detail": detail}
    if parameter:
        error["source"] = {"parameter": parameter}
    return Refused(json_answer({"errors": [error]}, status))


def transaction_missing() -> Refused:
    """404 on one transaction: `errors` is an object there."""
    return Refused(json_answer({"errors": {"code": "not_found", "detail": "Transaction not found"}}, 404))


def spoiled(fault: Fault) -> Answer:
    """A `status` fault in Qonto's shape."""
    spec = fault.spec
    headers = {"Retry-After": str(spec.retry_after)} if spec.retry_after is not None else {}
    if spec.text is not None:
        return Answer(spec.status, spec.text.encode(), TEXT, headers)
    content = {"errors": [{"code": "internal_server_error", "detail": "Something went wrong"}]}
    return json_answer(content, spec.status, headers)
