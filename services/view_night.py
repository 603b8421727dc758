"""The night at a glance: how far it is, what waits and why, and whether something is wrong. Counts and words only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.call_limits import QONTO, XERO, Service
from domain.circuit import Circuit
from domain.night import Standing, Window, how_it_stands, newest_window, projected_end, share_done
from domain.reasons import Broken, Noted, sentence
from domain.time_zones import is_known
from models import fleet
from models.access_refusal import Refused, count_refused
from models.call_budget import budget_of, read_slots
from models.fleet import NightPart, Waiting, WaitingRuns
from models.heartbeat import SCHEDULER, is_silent, last_beat
from models.invariant_check import Violated, checks_by_name
from models.outbox import OutboxEvent, OutboxMessage
from models.pause import paused_until
from models.states import OPEN_RUN_STATES, ConnectionState, Lane, PostingState, RunState

A_DAY = timedelta(days=1)
NIGHT_STATES = (RunState.DUE, RunState.RUNNING, RunState.WAITING, RunState.DONE, RunState.FAILED)
POSTING_STATES = (
    *(PostingState.DUE, PostingState.SENDING, PostingState.UNCERTAIN),
    *(PostingState.HELD, PostingState.REJECTED),
)
OUTBOXES: dict[str, type[OutboxMessage] | type[OutboxEvent]] = {"jobs": OutboxMessage, "events": OutboxEvent}


@dataclass(frozen=True)
class Tonight:
    """The newest night of every time zone in use, together. `due_at` is its first 23:00, `deadline` its last 23:30.

    `states` counts organisations as their runs are now. A night that was done stays so while it is done once more:
    `done` counts it. Of those that were not done yet `left` are not over, and `late` not though their own 23:30 has
    passed. `done_ratio` is what `share_done` says. `projected_end` is empty when nothing is left, or nothing moves.
    `endings` are (the minute, nights first done in it), the first first.
    """

    local_dates: list[date]
    due_at: datetime
    deadline: datetime
    states: dict[str, int]
    total: int
    done: int
    left: int
    late: int
    done_ratio: float
    posted: int
    projected_end: datetime | None
    windows: list[Window]
    endings: list[tuple[datetime, int]]

    @property
    def failed(self) -> int:
        """Organisations whose night is over and was never done."""
        return self.total - self.done - self.left

    @property
    def done_before(self) -> int:
        """Organisations whose night was done, and is opened again."""
        return self.done - self.states[RunState.DONE]

    def standing(self, now: datetime) -> Standing:
        """How it stands, in a word."""
        counts = {"total": self.total, "left": self.left, "late": self.late}
        return how_it_stands(now, self.deadline, self.projected_end, **counts, done=self.done_ratio)


@dataclass(frozen=True)
class Problem:
    """So many `nights`, `accounts` or `transactions` that are not done, for one reason."""

    what: str
    state: str
    code: str
    sentence: str
    count: int


@dataclass(frozen=True)
class NightView:
    """Everything that a person, a page or a metric shows. `tonight` is empty while no organisation is connected.

    `waiting` are runs that go on at a later moment; `scheduler_at` is when a scheduler last turned. `qonto_until`:
    Qonto asked us to wait until then. `without_zone` are
    organisations (slug, time zone) whose time zone is unknown, so that their nights fail.
    """

    at: datetime
    tonight: Tonight | None
    problems: list[Problem]
    postings: dict[str, int]
    uncertain: Waiting
    outboxes: dict[str, Waiting]
    lanes: dict[str, Waiting]
    working: int
    app_calls_left: int
    qonto_calls_left: int
    qonto_until: datetime | None
    day_calls_left: int | None
    tenants_paused: int
    is_circuit_open: bool
    connections: dict[str, int]
    refused: Refused
    quarantine: Waiting
    events: Waiting
    invariants: list[Violated]
    waiting: list[WaitingRuns]
    scheduler_at: datetime | None
    without_zone: list[tuple[str, str]]

    @property
    def is_scheduled(self) -> bool:
        """Whether a scheduler is running."""
        return not is_silent(self.scheduler_at, self.at)

    @property
    def queues(self) -> dict[str, Waiting]:
        """Everything that waits for us, by what a person calls it."""
        return {
            **{f"lane {lane}": one for lane, one in self.lanes.items()},
            **{f"outbox {name}": one for name, one in self.outboxes.items()},
            "uncertain in Xero": self.uncertain,
            "events to follow": self.events,
            "quarantine": self.quarantine,
        }

    def age(self, waiting: Waiting) -> float:
        """Seconds for which the oldest has waited; 0 without any."""
        return max(0.0, (self.at - waiting.since).total_seconds()) if waiting.since else 0.0


def view_night(now: datetime) -> NightView:
    """As the database has it now. Its questions do not grow with history."""
    windows, parts = _night_of_all(now)
    problems = fleet.postings_with_problems()
    lanes = fleet.lanes_waiting(now)
    return NightView(
        at=now,
        tonight=_tonight(now, windows, parts) if windows else None,
        problems=[
            *_nights_not_done(parts),
            *_accounts_not_read(),
            *_transactions_not_done(problems),
            *_transactions_otherwise_in_qonto(now),
        ],
        postings=dict.fromkeys(map(str, POSTING_STATES), 0)
        | fleet.postings_under_way(now - 2 * A_DAY)
        | Counter(_by_state(problems)),
        uncertain=fleet.in_all([one for (state, _), one in problems.items() if state == PostingState.UNCERTAIN]),
        outboxes={name: fleet.unsent(outbox) for name, outbox in OUTBOXES.items()},
        lanes={str(lane): lanes.get(lane, Waiting()) for lane in Lane},
        working=fleet.organisations_working(now),
        app_calls_left=_calls_left(XERO, now),
        qonto_calls_left=_calls_left(QONTO, now),
        qonto_until=paused_until(QONTO.scope, now),
        day_calls_left=fleet.least_day_calls(now - A_DAY),
        tenants_paused=fleet.tenants_paused(now, QONTO.scope),
        is_circuit_open=Circuit(budget_of(XERO.scope).failures).is_open,
        connections=_every_state(fleet.connections_by_state()),
        refused=count_refused(now),
        quarantine=fleet.unsettled_quarantine(),
        events=fleet.unhandled_events_of_all(),
        invariants=checks_by_name(),
        waiting=fleet.runs_waiting(now),
        scheduler_at=last_beat(SCHEDULER),
        without_zone=fleet.organisations_in([zone for zone in fleet.zones_connected() if not is_known(zone)]),
    )


def _calls_left(service: Service, now: datetime) -> int:
    """What the tightest of a service's limits on all our calls leaves now."""
    used = {limit: limit.window(read_slots(budget_of(limit.scope))).used(now) for limit in service.limits}
    return min(limit.calls - calls for limit, calls in used.items())


def _night_of_all(now: datetime) -> tuple[list[Window], list[NightPart]]:
    """The newest nights, without those of a time zone in which nobody has one because each connection broke before."""
    zones = fleet.zones_connected()
    windows = [newest_window(zone, now) for zone in zones]
    parts = [part for part in fleet.night_parts(_first_date(windows)) if _is_tonight(part, windows)] if windows else []
    had_by = {part.time_zone for part in parts}
    return [one for one in windows if zones[one.time_zone] or one.time_zone in had_by], parts


def _tonight(now: datetime, windows: Sequence[Window], parts: Sequence[NightPart]) -> Tonight:
    states: Counter[str] = Counter()
    for part in parts:
        states[part.state] += part.count
    total, done = sum(states.values()), sum(part.count for part in parts if part.is_done)
    not_done = [part for part in parts if not part.is_done]
    left = sum(part.count for part in not_done if part.state in OPEN_RUN_STATES)
    broken = sum(part.count for part in not_done if part.state == RunState.FAILED and part.code in set(Broken))
    due_at = min(window.due_at for window in windows)
    endings = [
        (minute, n) for *key, minute, n in fleet.night_endings(_first_date(windows)) if tuple(key) in _keys(windows)
    ]
    return Tonight(
        local_dates=sorted({window.local_date for window in windows}),
        due_at=due_at,
        deadline=max(window.deadline for window in windows),
        states={state: states[state] for state in map(str, NIGHT_STATES)},
        total=total,
        done=done,
        left=left,
        late=_late(now, windows, not_done),
        done_ratio=share_done(total, done, broken),
        posted=sum(part.posted for part in parts),
        projected_end=projected_end(now, due_at, left, endings),
        windows=[*windows],
        endings=endings,
    )


def _late(now: datetime, windows: Sequence[Window], parts: Sequence[NightPart]) -> int:
    past = {window.time_zone for window in windows if window.deadline < now}
    return sum(part.count for part in parts if part.time_zone in past and part.state in OPEN_RUN_STATES)


def _keys(windows: Sequence[Window]) -> set[tuple[object, ...]]:
    return {(window.time_zone, window.local_date) for window in windows}


def _first_date(windows: Sequence[Window]) -> date:
    return min(window.local_date for window in windows)


def _is_tonight(part: NightPart, windows: Sequence[Window]) -> bool:
    return (part.time_zone, part.local_date) in _keys(windows) and part.state != RunState.CAUGHT_UP


def _nights_not_done(parts: Sequence[NightPart]) -> Iterator[Problem]:
    counts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        if part.code:
            counts[part.state, part.code] += part.count
    for (state, code), count in sorted(counts.items()):
        yield Problem("nights", state, code, sentence(code), count)


def _accounts_not_read() -> Iterator[Problem]:
    for code, count in sorted(fleet.unread_accounts().items()):
        yield Problem("accounts", "unread", code, sentence(code), count)


def _transactions_otherwise_in_qonto(now: datetime) -> Iterator[Problem]:
    """What Qonto lists and cannot be stored, and what it was found today to have changed after it was sent."""
    for code, count in sorted(fleet.awaited_transactions().items()):
        yield Problem("transactions", "awaited", code, sentence(code), count)
    changed, taken_back = fleet.changed_in_qonto(now - A_DAY)
    for reason, count in ((Noted.CHANGED, changed), (Noted.TAKEN_BACK, taken_back)):
        if count:
            yield Problem("transactions", "noted", reason, sentence(reason), count)


def _transactions_not_done(problems: dict[tuple[str, str], Waiting]) -> Iterator[Problem]:
    for (state, code), waiting in sorted(problems.items()):
        if code or state != PostingState.UNCERTAIN:
            yield Problem("transactions", state, code, sentence(code), waiting.count)


def _by_state(problems: dict[tuple[str, str], Waiting]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (state, _), waiting in problems.items():
        counts[state] += waiting.count
    return counts


def _every_state(counts: dict[str, int]) -> dict[str, int]:
    states = (ConnectionState.LIVE, ConnectionState.NEEDS_RECONNECT, ConnectionState.DISCONNECTING)
    return {str(state): counts.get(state, 0) for state in states}
