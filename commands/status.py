"""The night on one screen: is it done, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Event

import click
from rich.live import Live

from commands.frame import as_json, at_work, stop_on_signal
from console import Screen, table
from domain.reasons import Unfinished, sentence
from domain.time_zones import UnknownTimeZone
from domain.what_next import NO_SCHEDULER, clock_time
from models.access_refusal import Refused
from models.fleet import WaitingRuns
from models.states import RunState
from services.view_night import NightView, Tonight, view_night
from services.workbench import Workbench

WATCH_SECONDS = 2.0
COLUMNS = ("what", "is")

Row = dict[str, object]


@click.command()
@click.option("--watch", is_flag=True, help=f"Go on, and look anew every {WATCH_SECONDS:.0f} seconds.")
@as_json
def status(screen: Screen, watch: bool) -> None:
    """The night at a glance: done, running, waiting and why, what is left of Xero's calls, the oldest work, the end.

    \b
    qonto-xero status            # now
    qonto-xero status --watch    # and from now on, until Ctrl-C
    """
    stop = stop_on_signal()
    with at_work() as (_, workbench):
        show = _drawn if screen.out.is_terminal and not screen.as_json else _told
        show(screen, _views(workbench, stop, watch=watch))


def _views(workbench: Workbench, stop: Event, *, watch: bool) -> Iterator[NightView]:
    """Once, or until told to stop."""
    yield view_night(workbench.clock())
    while watch and not stop.wait(WATCH_SECONDS):
        yield view_night(workbench.clock())


def _told(screen: Screen, views: Iterable[NightView]) -> None:
    for view in views:
        if screen.as_json:
            screen.json(asdict(view))
        else:
            screen.rows("Status", COLUMNS, _rows(view))


def _drawn(screen: Screen, views: Iterable[NightView]) -> None:
    """In place, while it goes on; the last one stays."""
    with Live(console=screen.out, auto_refresh=False) as live:
        for view in views:
            live.update(table("Status", COLUMNS, list(_rows(view))), refresh=True)


def _rows(view: NightView) -> Iterator[Row]:
    """What is told, from what matters most."""
    yield _row("at", view.at)
    if view.tonight:
        yield from _night_rows(view.tonight, view.at)
    else:
        yield _row("night", "no organisation is connected")
    yield _row("scheduler", _scheduler(view))
    yield _row("transactions under way", _counts(view.postings))
    for problem in view.problems:
        yield _row(f"{problem.state}: {problem.code}", f"{problem.count} {problem.what}. {problem.sentence}")
    for slug, zone in view.without_zone:
        yield _row("unknown time zone", f"{slug}: {UnknownTimeZone(zone)}. {sentence(Unfinished.TIME_ZONE)}")
    for runs in view.waiting:
        yield _row(f"waiting: {runs.code}", _waiting_runs(runs, view))
    yield _row("workers are at", f"{view.working} organisations")
    yield from _waiting_rows(view)
    yield _row("calls to Xero left", _calls(view))
    yield _row("calls to Qonto left", _qonto_calls(view))
    yield _row("connections", _counts(view.connections))
    if view.refused.connections:
        yield _row("access refused for now", _refused(view.refused))
    yield _row("invariants", _invariants(view))


def _night_rows(night: Tonight, now: datetime) -> Iterator[Row]:
    yield _row("night", f"{', '.join(map(str, night.local_dates))}, due {_clock(night.due_at)}")
    yield _row("stands", night.standing(now).replace("_", " "))
    done = f"{night.done} of {night.total} organisations ({night.done_ratio:.1%})"
    yield _row("done", f"{done}, {night.posted} transactions sent")
    left = {state: count for state, count in night.states.items() if state != RunState.DONE}
    again = f", of these {night.done_before} done before" if night.done_before else ""
    yield _row("not done", _counts(left) + again)
    remaining = (night.deadline - now).total_seconds()
    yield _row("deadline", f"{_clock(night.deadline)}, {_for(abs(remaining))} {'left' if remaining >= 0 else 'ago'}")
    if night.projected_end:
        late = night.projected_end > night.deadline
        yield _row("at this pace done", f"{_clock(night.projected_end)}{', LATE' if late else ''}")


def _waiting_rows(view: NightView) -> Iterator[Row]:
    for name, one in view.queues.items():
        if one.count:
            yield _row(name, f"{one.count}, the oldest for {_for(view.age(one))}")


def _waiting_runs(runs: WaitingRuns, view: NightView) -> str:
    """How many, until when, why, and whether they go on by themselves."""
    last = f", the last until {clock_time(runs.last_at, view.at)}" if runs.count > 1 else ""
    until = f"{runs.count} runs wait until {clock_time(runs.first_at, view.at)}{last}"
    return f"{until}, then {'they go on by themselves' if view.is_scheduled else NO_SCHEDULER}. {sentence(runs.code)}"


def _scheduler(view: NightView) -> str:
    if view.is_scheduled:
        return "running"
    last = f"it last turned at {clock_time(view.scheduler_at, view.at)}" if view.scheduler_at else "none ever did"
    return f"NONE IS RUNNING, {last}: no night is opened and nothing that waits goes on. Start `qonto-xero scheduler`"


def _calls(view: NightView) -> str:
    parts = [f"{view.app_calls_left} in this minute"]
    if view.day_calls_left is not None:
        parts.append(f"{view.day_calls_left} of the day for the organisation with the least")
    if view.tenants_paused:
        parts.append(f"{view.tenants_paused} organisations asked us to wait")
    if view.is_circuit_open:
        parts.append("XERO DOES NOT ANSWER, we only probe")
    return ", ".join(parts)


def _qonto_calls(view: NightView) -> str:
    if view.qonto_until:
        return f"none: Qonto asked us to wait until {clock_time(view.qonto_until, view.at)}"
    return f"{view.qonto_calls_left} for now"


def _refused(refused: Refused) -> str:
    parts = [f"{refused.connections} live connections, we keep trying"]
    if refused.held_back:
        parts.append(f"{refused.held_back} HELD BY THE FLEET BRAKE, see runbook 07")
    return ", ".join(parts)


def _invariants(view: NightView) -> str:
    if not view.invariants:
        return "not checked yet"
    broken = [f"{one.name} VIOLATED {one.violations} times" for one in view.invariants if one.violations]
    looked = f"looked at {_for((view.at - min(one.checked_at for one in view.invariants)).total_seconds())} ago"
    return ", ".join([*(broken or [f"{' '.join(one.name for one in view.invariants)} hold"]), looked])


def _row(what: str, value: object) -> Row:
    return {"what": what, "is": value}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _for(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
