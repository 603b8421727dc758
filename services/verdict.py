"""How a turn ends, and what that means for its run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.errors import RemoteError
from domain.access import Side, side_of
from domain.reasons import Unfinished, Waits
from models.states import RunState
from services.job import Job

SECOND_LOOK = timedelta(minutes=5)  # after a refusal or an unreadable answer, which may have been an accident
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, *[30] * 10))  # then until the next night
UNUSABLE = {Side.QONTO: Unfinished.QONTO_UNUSABLE, Side.XERO: Unfinished.XERO_UNUSABLE}
STEP_ASIDE = timedelta(seconds=1)  # for whoever waits in line to be woken and to take the lease


@dataclass(frozen=True)
class Verdict:
    """How a turn ended. `wake_at` is empty when the run is over; `at_once` asks for the next turn without a wait.

    `reason` is for people and may quote others; `code` is one of `domain.reasons`, empty when the run is done.
    """

    state: RunState
    reason: str = ""
    wake_at: datetime | None = None
    at_once: bool = False
    failed: bool = False
    code: str = ""

    @property
    def unfinished(self) -> Unfinished | None:
        """Why it failed, where its connection is not the reason."""
        return Unfinished(self.code) if self.code in set(Unfinished) else None


def go_on(job: Job) -> Verdict:
    """More to do: at once, at the tail of the queue; a moment later if somebody waits for the lease."""
    if job.gives_way:
        return Verdict(RunState.WAITING, "lets a run go first that waits", job.now() + STEP_ASIDE, code=Waits.IN_LINE)
    return Verdict(RunState.RUNNING, at_once=True)


def try_later(job: Job, reason: str) -> Verdict:
    """Something went wrong that may pass; after enough such turns in a row, the run has failed."""
    if job.run.failures >= len(BACKOFF):
        return Verdict(RunState.FAILED, reason, code=Unfinished.NOT_IN_TIME)
    return Verdict(RunState.WAITING, reason, job.now() + BACKOFF[job.run.failures], failed=True, code=Waits.OUTAGE)


def ask_again(job: Job, error: RemoteError) -> Verdict:
    """A refusal or an unreadable answer, no outage: ask once more, minutes later; the same again fails the run."""
    is_same_again = job.run.code == Waits.UNUSABLE and job.run.reason == str(error)
    if is_same_again or job.run.failures >= len(BACKOFF):
        return Verdict(RunState.FAILED, str(error), code=UNUSABLE[side_of(error.call)])
    return Verdict(RunState.WAITING, str(error), job.now() + SECOND_LOOK, failed=True, code=Waits.UNUSABLE)


def look_up_later(job: Job, reason: str, *, may_pass: bool) -> Verdict | None:
    """Everything is done but what Xero cannot show: look again later; `None` once that was tried often enough.

    An outage may pass. Of a refusal or an unreadable answer a second look, soon, is enough for one night.
    """
    if job.run.failures >= (len(BACKOFF) if may_pass else 1):
        return None
    wake_at = job.now() + BACKOFF[job.run.failures]
    return Verdict(RunState.WAITING, reason, wake_at, failed=True, code=Waits.CERTAINTY)


def uncertain_until(moment: datetime) -> Verdict:
    """Xero's answer to a request is not known yet, and will be then."""
    return Verdict(RunState.WAITING, "waits until Xero's answer is certain", moment, code=Waits.CERTAINTY)
