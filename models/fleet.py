"""What the tables say of all organisations at once, counted. Each question stays cheap as history grows.

No posting of a connection that has ended is counted. Those that are due or being sent are counted where a run is open
or failed in the last two days, and where a connection is broken or looks in Xero before it sends. Elsewhere some may
be due and are not counted until the next night's run is open: what a verification read anew, or a run that failed
before and no later one sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models.database import read_moment
from models.organisation import Connection, Organisation
from models.outbox import OutboxEvent, OutboxMessage
from models.posting_version import TAKEN_BACK
from models.statements import read
from models.states import ConnectionState, PostingState, RunKind, RunState
from models.sync_run import FIRST_DONE, OPEN_STATES, SILENCE

MOST_NAMED = 20


@dataclass(frozen=True)
class Waiting:
    """So many of something, and since when the oldest of them has been so; `since` is empty without any."""

    count: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class WaitingRuns:
    """So many runs, of whatever kind, that wait for one reason; when the first and the last of them go on."""

    code: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class NightPart:
    """The nights of one local date and time zone that are in one state for one reason. `posted` is what they sent.

    `is_done`: they were done, also if they are done once more at the moment.
    """

    time_zone: str
    local_date: date
    state: str
    code: str
    is_done: bool
    count: int
    posted: int


ZONES = f"""
    SELECT time_zone, MAX(CASE WHEN state = '{ConnectionState.LIVE}' THEN 1 ELSE 0 END)
    FROM connection JOIN organisation ON organisation.id = connection.organisation_id
    WHERE state IN ('{ConnectionState.LIVE}', '{ConnectionState.NEEDS_RECONNECT}') GROUP BY time_zone ORDER BY time_zone
"""  # noqa: S608 - names of ours
NIGHTS = f"""
    SELECT time_zone, local_date, state, CASE WHEN state IN ('waiting', 'failed') THEN code ELSE '' END,
        {FIRST_DONE} IS NOT NULL, COUNT(*), SUM(posted)
    FROM sync_run JOIN organisation ON organisation.id = sync_run.organisation_id
    WHERE kind = '{RunKind.NIGHTLY}' AND local_date >= {{since}} GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - names of ours
ENDINGS = f"""
    SELECT time_zone, local_date, SUBSTR(CAST({FIRST_DONE} AS TEXT), 1, 16), COUNT(*)
    FROM sync_run JOIN organisation ON organisation.id = sync_run.organisation_id
    WHERE kind = '{RunKind.NIGHTLY}' AND local_date >= {{since}} AND {FIRST_DONE} IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 3
"""  # noqa: S608 - names of ours
FREE = """NOT EXISTS (
    SELECT 1 FROM lease WHERE lease.organisation_id = sync_run.organisation_id AND owner <> '' AND expires_at > {now}
)"""
LANES = f"""
    SELECT lane, COUNT(*), MIN(CASE WHEN wave = '' THEN wake_at END), MIN(CASE WHEN wave <> '' THEN wake_at END)
    FROM sync_run WHERE state IN ({OPEN_STATES}) AND (wake_at <= {{now}} OR wave <> '') AND {FREE} GROUP BY lane
"""  # noqa: S608 - names of ours
WAITS = f"""
    SELECT code, COUNT(*), MIN(wake_at), MAX(wake_at) FROM sync_run
    WHERE state = '{RunState.WAITING}' AND wake_at > {{now}} GROUP BY code ORDER BY code
"""  # noqa: S608 - names of ours
WORKING = "SELECT COUNT(*) FROM lease WHERE owner <> '' AND expires_at > {now}"
TO_SEND = f"""
    SELECT connection_id AS id FROM sync_run WHERE state IN ({OPEN_STATES})
    UNION SELECT connection_id FROM sync_run WHERE state = '{RunState.FAILED}' AND wake_at > {{failed_since}}
    UNION SELECT id FROM connection WHERE state = '{ConnectionState.NEEDS_RECONNECT}' OR verify_since IS NOT NULL
    EXCEPT SELECT id FROM connection WHERE state = '{ConnectionState.DISCONNECTED}'
"""  # noqa: S608 - names of ours
IN_STATE = "(SELECT COUNT(*) FROM posting WHERE connection_id = theirs.id AND state = '{}')"  # asked one by one
UNDER_WAY = f"""
    SELECT SUM({IN_STATE.format(PostingState.DUE)}), SUM({IN_STATE.format(PostingState.SENDING)})
    FROM ({TO_SEND}) AS theirs
"""  # noqa: S608 - names of ours
PROBLEMS = f"""
    SELECT state, reason, COUNT(*), MIN(changed_at) FROM posting WHERE state IN ('uncertain', 'held', 'rejected')
    AND NOT EXISTS (SELECT 1 FROM connection
        WHERE connection.id = posting.connection_id AND connection.state = '{ConnectionState.DISCONNECTED}')
    GROUP BY state, reason
"""  # noqa: S608 - names of ours
CONNECTIONS = f"""
    SELECT state, COUNT(*) FROM connection WHERE state <> '{ConnectionState.DISCONNECTED}' GROUP BY state
"""  # noqa: S608 - names of ours
UNREAD = f"""
    SELECT unread_reason, COUNT(*) FROM cursor JOIN connection ON connection.id = connection_id
    WHERE unread_since IS NOT NULL AND state <> '{ConnectionState.DISCONNECTED}' GROUP BY unread_reason
"""  # noqa: S608 - names of ours
AWAITED = "SELECT reason, COUNT(*) FROM awaited_transaction WHERE ended_at IS NULL GROUP BY reason"
CHANGED = f"""
    SELECT CASE WHEN changed_to = '{TAKEN_BACK}' THEN 1 ELSE 0 END, COUNT(*) FROM posting
    WHERE noted_at > {{since}} AND changed_to <> '' GROUP BY 1
"""  # noqa: S608 - names of ours
BUDGETS = "SELECT MIN(day_left) FROM call_budget WHERE day_heard_at > {since}"
PAUSES = "SELECT COUNT(*) FROM pause WHERE not_before > {now} AND tenant_id <> {besides}"


def zones_connected() -> dict[str, bool]:
    """The time zones of organisations whose connection lives or broke, and whether any of it lives."""
    return {zone: bool(is_live) for zone, is_live in read(ZONES)}


def organisations_in(time_zones: Sequence[str]) -> list[tuple[str, str]]:
    """The first organisations in these time zones that have not left: (slug, time zone)."""
    still = Connection.state != ConnectionState.DISCONNECTED
    found = Organisation.select(Organisation.slug, Organisation.time_zone).join(
        Connection, on=(Connection.organisation_id == Organisation.id)
    )
    theirs = found.where(still & Organisation.time_zone.in_(list(time_zones))).order_by(Organisation.slug)
    return [(one.slug, one.time_zone) for one in theirs.limit(MOST_NAMED)]


def night_parts(since: date) -> list[NightPart]:
    """The nights from a local date on, counted by time zone, date, state and reason."""
    rows = read(NIGHTS, since=since)
    return [
        NightPart(zone, _day(day), state, code, bool(is_done), count, int(sent))
        for zone, day, state, code, is_done, count, sent in rows
    ]


def night_endings(since: date) -> list[tuple[str, date, datetime, int]]:
    """How many nights were first done in each minute: (time zone, local date, the minute in UTC, nights)."""
    rows = read(ENDINGS, since=since)
    return [(zone, _day(day), datetime.fromisoformat(f"{minute}+00:00"), count) for zone, day, minute, count in rows]


def lanes_waiting(now: datetime) -> dict[str, Waiting]:
    """By lane, the runs whose time has come and that no worker has."""
    found = {}
    for lane, count, due_since, announced_until in read(LANES, now=now):
        announced = read_moment(announced_until)
        moments = (read_moment(due_since), announced and announced - SILENCE)
        found[str(lane)] = Waiting(count, min(filter(None, moments), default=None))
    return found


def runs_waiting(now: datetime) -> list[WaitingRuns]:
    """The runs that go on at a later moment, by the reason for which they wait."""
    rows = read(WAITS, now=now)
    return [WaitingRuns(code, count, read_moment(first), read_moment(last)) for code, count, first, last in rows]


def organisations_working(now: datetime) -> int:
    """How many organisations a worker has a lease of."""
    return int(read(WORKING, now=now)[0][0])


def postings_under_way(failed_since: datetime) -> dict[str, int]:
    """Postings that are due or being sent, by state, where somebody is to send them, or a run failed since a moment."""
    ((due, sending),) = read(UNDER_WAY, failed_since=failed_since)
    return {PostingState.DUE: int(due or 0), PostingState.SENDING: int(sending or 0)}


def postings_with_problems() -> dict[tuple[str, str], Waiting]:
    """Postings that are uncertain, held or rejected and whose connection has not ended, by state and reason."""
    return {(state, reason): Waiting(count, read_moment(at)) for state, reason, count, at in read(PROBLEMS)}


def connections_by_state() -> dict[str, int]:
    """Connections that have not ended."""
    return dict(read(CONNECTIONS))


def unread_accounts() -> dict[str, int]:
    """Bank accounts whose transactions cannot be read, by the reason."""
    return dict(read(UNREAD))


def awaited_transactions() -> dict[str, int]:
    """Return how many transactions Qonto lists that cannot be stored, by the reason."""
    return dict(read(AWAITED))


def changed_in_qonto(since: datetime) -> tuple[int, int]:
    """Return how many sent transactions Qonto was found to have changed since a moment, and how many taken back."""
    counts = {bool(is_back): int(count) for is_back, count in read(CHANGED, since=since)}
    return counts.get(False, 0), counts.get(True, 0)


def unsent(outbox: type[OutboxMessage] | type[OutboxEvent]) -> Waiting:
    """What an outbox still has to publish."""
    return _waiting(f"SELECT COUNT(*), MIN(created_at) FROM {outbox._meta.table_name} WHERE sent_at IS NULL")  # noqa: S608


def unsettled_quarantine() -> Waiting:
    """What waits in quarantine for a person."""
    return _waiting("SELECT COUNT(*), MIN(created_at) FROM quarantine WHERE settled_at IS NULL")


def unhandled_events_of_all() -> Waiting:
    """Events of Qonto's core that nobody has followed."""
    return _waiting("SELECT COUNT(*), MIN(received_at) FROM inbox_event WHERE handled_at IS NULL")


def least_day_calls(since: datetime) -> int | None:
    """The least that any Xero organisation has left of its day, of those that told so since a moment."""
    left: int | None = read(BUDGETS, since=since)[0][0]
    return left


def tenants_paused(now: datetime, besides: str) -> int:
    """Xero organisations that asked us to wait; `besides` is the scope of who else may have."""
    return int(read(PAUSES, now=now, besides=besides)[0][0])


def _waiting(statement: str) -> Waiting:
    ((count, since),) = read(statement)
    return Waiting(count, read_moment(since))


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def in_all(counts: Sequence[Waiting]) -> Waiting:
    """Several taken together."""
    return Waiting(sum(one.count for one in counts), min(filter(None, (one.since for one in counts)), default=None))
