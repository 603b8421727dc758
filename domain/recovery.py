"""What to do next with a batch that was frozen: the rules that make posting exactly-once in effect.

Xero remembers an Idempotency-Key for six minutes from its first call, and repeats even an error under it. So inside
five minutes the same bytes go out under the same key; from then until seven nobody sends or concludes anything; after
that only a complete look at Xero decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

REPLAY_WINDOW = timedelta(minutes=5)  # Xero's six minutes, less one for clocks and slow networks
PROOF_AFTER = timedelta(minutes=7)  # Xero's six minutes, plus one for a commit that came late
ON_THE_WIRE = timedelta(seconds=45)  # the longest HTTP call: nothing of ours is under way after that
MOST_SENDS = 4  # the first and three replays
SEND_WITHIN = timedelta(seconds=5)  # of the decision: a process that was stopped in between must decide anew


@dataclass(frozen=True)
class Send:
    """Send the batch's bytes under its key, for the first time or again."""


@dataclass(frozen=True)
class Wait:
    """Neither send nor conclude before `until`."""

    until: datetime


@dataclass(frozen=True)
class LookUp:
    """Ask Xero what it has."""


Step = Send | Wait | LookUp


@dataclass(frozen=True)
class Instant:
    """One moment by two clocks: the database's, and that of the machine that looked. One alone may have been set."""

    database: datetime
    machine: datetime

    def since(self, earlier: Instant) -> tuple[timedelta, timedelta]:
        """The least and the most time that may have passed; a clock that went backwards says nothing."""
        passed = (self.database - earlier.database, self.machine - earlier.machine)
        credible = [age for age in passed if age >= timedelta(0)] or [max(passed)]
        return min(credible), max(credible)


def next_step(
    *, first_sent: Instant | None, last_sent: Instant | None, sends: int, refused: bool, now: Instant
) -> Step:
    """The next step for a batch without an outcome. `refused`: Xero answered that it will not read this request.

    A batch that was never sent is sent. `last_sent` may be of a worker that died: its call may still be under way. To
    send again, both clocks must say that Xero still knows the key; to conclude, both that it has long forgotten it.
    """
    if first_sent is None or last_sent is None:
        return Send()
    youngest, oldest = now.since(first_sent)
    quiet_in = ON_THE_WIRE - now.since(last_sent)[0]
    if not refused and sends < MOST_SENDS and oldest + max(quiet_in, timedelta(0)) < REPLAY_WINDOW:
        return Send() if quiet_in <= timedelta(0) else Wait(now.database + quiet_in)
    proof_in = max(PROOF_AFTER - youngest, quiet_in)
    return LookUp() if proof_in <= timedelta(0) else Wait(now.database + proof_in)
