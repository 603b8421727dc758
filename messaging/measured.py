"""What is counted, timed and traced of every message that a process works on."""

import time
from contextlib import AbstractContextManager
from threading import local

import dramatiq
from dramatiq.broker import Broker, MessageProxy
from dramatiq.common import q_name

from messaging.logged import ids_of
from metrics import JOB_SECONDS, JOBS, JOBS_RUNNING
from tracing import Note, span


class _AtHand(local):
    """The message of this thread."""

    began: float
    span: AbstractContextManager[Note]


class Measured(dramatiq.Middleware):
    """Counts each message once, by how it ended. It goes around all other middleware, so that none ends it early."""

    def __init__(self) -> None:
        self._at_hand = _AtHand()

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        lane = q_name(message.queue_name)
        JOBS_RUNNING.labels(lane).inc()
        self._at_hand.began = time.monotonic()
        self._at_hand.span = span("job", lane=lane, **ids_of(message))
        self._at_hand.span.__enter__()

    def after_process_message(
        self,
        _broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,  # noqa: ARG002 - named as dramatiq names it
        exception: BaseException | None = None,
    ) -> None:
        self._end(message, "failed" if exception else "done", exception)

    def after_skip_message(self, _broker: Broker, message: MessageProxy) -> None:
        self._end(message, "refused" if message.failed else "skipped", None)

    def _end(self, message: MessageProxy, outcome: str, error: BaseException | None) -> None:
        lane = q_name(message.queue_name)
        JOBS_RUNNING.labels(lane).dec()
        JOBS.labels(lane, outcome).inc()
        JOB_SECONDS.labels(lane).observe(time.monotonic() - self._at_hand.began)
        self._at_hand.span.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
