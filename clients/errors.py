"""What can go wrong at other people's APIs. The class of an error says what to do next."""

from __future__ import annotations

from datetime import datetime


class RemoteError(Exception):
    """`call` is what we asked (method and path), `problem` what happened, free of secrets and personal data."""

    def __init__(self, call: str, problem: str) -> None:
        super().__init__(f"{call}: {problem}")
        self.call = call
        self.problem = problem


class Temporary(RemoteError):
    """No answer, or none that can be read: try later. Whether a write took effect is unknown.

    `status` is what was answered, 0 where the answer was not whole or its status is not the problem.
    """

    def __init__(self, call: str, problem: str, status: int = 0) -> None:
        super().__init__(call, problem)
        self.status = status


class Unreadable(Temporary):
    """A complete answer that is not what the API documents: the same question would get the same answer again.

    It is no outage. Catch it before Temporary, and handle it like Permanent; a write that was answered so is uncertain.
    """


class TooLarge(Unreadable):
    """An answer with more bytes than are read. Ask for fewer rows at once."""


class RateLimited(RemoteError):
    """Refused at the door for now. Ask again from `until` on, not earlier."""

    def __init__(self, call: str, problem: str, until: datetime) -> None:
        super().__init__(call, problem)
        self.until = until


class Permanent(RemoteError):
    """Never like this. `messages` are the other side's own words, for the database and a person, not for logs.

    `kind` is the `Type` of Xero's error, as in `ValidationException`; empty where there is none.
    """

    def __init__(self, call: str, problem: str, status: int, messages: list[str], kind: str = "") -> None:
        super().__init__(call, problem)
        self.status = status
        self.messages = messages
        self.kind = kind


class Refused(RemoteError):
    """We were not let in. One such answer ends nothing: a firewall, a deploy or a moment may have given it.

    `is_of_tenant`: it is Xero's own, and says that the login does not reach this organisation.
    """

    def __init__(self, call: str, problem: str, *, is_of_tenant: bool = False) -> None:
        super().__init__(call, problem)
        self.is_of_tenant = is_of_tenant


class Reconnect(Refused):
    """The authorisation has ended: only a person can give another."""


class AccessExpired(RemoteError):
    """The access token is no longer good. `with_token` renews it, once."""


class TooLate(RemoteError):
    """Not sent, or cut short: this process was held up after it decided to send, and the decision may not hold now."""
