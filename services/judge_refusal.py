"""Qonto or Xero did not let us in: count it, and wait for the next try, or end the connection."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from clients.errors import Reconnect, Refused, RemoteError
from clients.xero.connections import list_connections, may_reach
from domain.access import (
    BRAKE_WINDOW,
    HELD_COUNTS,
    HELD_TRIES,
    Side,
    brake_counts_from,
    can_brake,
    counted_for_brake,
    is_final,
    next_try,
    pending_since,
    side_of,
)
from domain.core_event import Told
from domain.reasons import Broken, Unfinished, Waits, sentence
from models import audit
from models.access_refusal import AccessRefusal, count_ending, count_live, count_refusal, store_ending
from models.database import transaction
from models.organisation import Connection
from models.statements import load
from models.states import ConnectionState, RunState
from services.job import Job
from services.tell_core import tell_core
from services.verdict import BACKOFF, Verdict

log = logging.getLogger(__name__)

WHO_BROKE = {Side.QONTO: Broken.QONTO, Side.XERO: Broken.XERO}


def judge_refusal(job: Job, error: Refused) -> Verdict:
    """Store the refusal and return what becomes of the run.

    An ended authorisation, or a tenant that is gone from Xero's own list, ends the connection. Any other refusal does
    so only after tries that are spread over hours. While many connections of the fleet would end, none does.
    """
    side, now = side_of(error.call), job.now()
    job.refused_by = side
    has_ended = _has_ended(job, error)
    with job.holding():
        refusal = count_refusal(job.connection.id, side, str(error), now)
        if not has_ended and not is_final(refusal.refused_since, refusal.refusals, now):
            store_ending(refusal, None, None)
            return _wait(job, error, next_try(refusal.refused_since, now))
        held_until = _hold_back(refusal, now)
        if held_until:
            return _wait(job, error, held_until)
        _end(job.connection, side, str(error), now)
    return Verdict(RunState.FAILED, f"needs reconnecting: {error}", code=WHO_BROKE[side])


def _has_ended(job: Job, error: Refused) -> bool:
    """Return whether access has ended for certain; Xero's 403 is believed only if Xero's list says the same."""
    if isinstance(error, Reconnect) or not error.is_of_tenant:
        return isinstance(error, Reconnect)
    try:
        links = list_connections(job.xero.http, job.xero.base_url, job.xero.tokens)
    except Reconnect:
        return True
    except RemoteError:
        return False
    return not may_reach(links, job.tenant_id)


def _hold_back(refusal: AccessRefusal, now: datetime) -> datetime | None:
    """Return until when the connection may not end yet: it is watched for a window, or the fleet brake is on."""
    live = count_live()
    if not can_brake(live):
        store_ending(refusal, now, None)
        return None
    since = pending_since(refusal.ends_since, refusal.held_until, now)
    if now < since + BRAKE_WINDOW:
        store_ending(refusal, since, refusal.held_until)
        return since + BRAKE_WINDOW
    most = counted_for_brake(live)
    if count_ending(brake_counts_from(since, now), now, most) >= most:
        log.error("fleet brake: %s or more connections would end at once, none is ended", most)
        store_ending(refusal, since, now + HELD_COUNTS)
        return now + HELD_TRIES
    store_ending(refusal, since, None)
    return None


def _wait(job: Job, error: Refused, until: datetime) -> Verdict:
    if job.run.failures >= len(BACKOFF):
        return Verdict(RunState.FAILED, str(error), code=Unfinished.REFUSED)
    return Verdict(RunState.WAITING, str(error), until, failed=True, code=Waits.REFUSED)


def end_held_back(refusals: Sequence[AccessRefusal], who: str, reason: str, now: datetime) -> int:
    """End the connections of these refusals although the fleet brake holds them back; return how many ended."""
    ended = 0
    for refusal in refusals:
        with transaction():
            connection = load(Connection, refusal.connection_id)
            ended += _end(connection, Side(refusal.side), str(refusal.problem), now, who=who, why=reason)
            store_ending(refusal, refusal.ends_since, None)
    return ended


def _end(
    connection: Connection, side: Side, problem: str, now: datetime, *, who: str = "system", why: str = ""
) -> bool:
    """Mark a live connection as needing to be reconnected; return whether it was live, and not being ended."""
    log.warning("needs reconnecting: %s", problem)
    code = WHO_BROKE[side]
    live = (Connection.id == connection.id) & (Connection.state == ConnectionState.LIVE)
    if not Connection.update(state=ConnectionState.NEEDS_RECONNECT, reason=problem).where(live).execute():
        return False
    audit.record(who, "connection.needs_reconnect", connection.id, now, why or problem)
    tell_core(Told.BROKEN, connection, now, code=code, sentence=sentence(code))
    return True
