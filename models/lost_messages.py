"""Messages that a broker lost: how many of a lane, and what is announced again for them.

The database knows what was announced and not begun; the broker knows how many messages wait in the lane's queue. What
is missing there was lost, and most likely what was announced first, because a queue hands out its messages in order.
"""

from __future__ import annotations

from datetime import datetime

from models.database import transaction
from models.inbox import SILENT_EVENT, UNFOLLOWED, announce_silent_events
from models.statements import read
from models.states import Lane
from models.sync_run import OPEN_STATES, SILENCE, SILENT_RUN, announce_silent_runs

IS_SILENT = f"SELECT 1 FROM sync_run WHERE lane = {{lane}} AND {SILENT_RUN} LIMIT 1"  # noqa: S608 - names of ours
IS_SILENT_EVENT = f"SELECT 1 FROM inbox_event WHERE {SILENT_EVENT} LIMIT 1"  # noqa: S608 - names of ours
WITHOUT_A_WORKER = f"""
    SELECT (SELECT COUNT(*) FROM sync_run WHERE lane = {{lane}} AND wave <> '' AND state IN ({OPEN_STATES}))
         - (SELECT COUNT(*) FROM outbox_message WHERE lane = {{lane}} AND sent_at IS NULL)
"""  # noqa: S608 - names of ours
UNFOLLOWED_EVENTS = f"SELECT COUNT(*) FROM inbox_event WHERE {UNFOLLOWED}"  # noqa: S608 - names of ours


def is_silent(lane: Lane, now: datetime) -> bool:
    """Return whether a run or an event of this lane was announced `SILENCE` ago and no worker has begun with it."""
    if read(IS_SILENT, lane=lane, now=now):
        return True
    return lane == Lane.INTERACTIVE and bool(read(IS_SILENT_EVENT, since=now - SILENCE))


def announce_lost(actor: str, lane: Lane, queued: int, now: datetime) -> int:
    """Announce again as many silent runs and events as messages are missing among the `queued`; return how many.

    Read `queued` first: what a worker begins meanwhile then counts as queued, and nothing is announced for it.
    """
    with transaction():
        ((announced,),) = read(WITHOUT_A_WORKER, lane=lane)
        if lane == Lane.INTERACTIVE:
            announced += read(UNFOLLOWED_EVENTS)[0][0]
        missing = int(announced) - queued
        if missing <= 0:
            return 0
        again = announce_silent_runs(actor, lane, missing, now)
        return again + (announce_silent_events(missing, now) if lane == Lane.INTERACTIVE else 0)
