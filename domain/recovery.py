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


def next_step(
    *, first_sent_at: datetime | None, last_sent_at: datetime | None, sends: int, refused: bool, now: datetime
) -> Step:
    """The next step for a batch without an outcome. `refused`: Xero answered that it will not read this request.

    A batch that was never sent is sent. `last_sent_at` may be of a worker that died: its call may still be under way.
    """
    if first_sent_at is None or last_sent_at is None:
        return Send()
    quiet_from = last_sent_at + ON_THE_WIRE
    replay_ends = first_sent_at + REPLAY_WINDOW
    if not refused and sends < MOST_SENDS and max(now, quiet_from) < replay_ends:
        return Send() if now >= quiet_from else Wait(quiet_from)
    proof_from = max(first_sent_at + PROOF_AFTER, quiet_from)
    return LookUp() if now >= proof_from else Wait(proof_from)
