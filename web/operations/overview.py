"""Everything that the page says, made of what was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.call_limits import XERO_APP_MINUTE
from domain.ledger_check_lines import MEANINGS
from models.invariant_check import Violated
from services.view_night import NightView
from web.operations.clock import clock_of, newest_wave
from web.operations.drawing import Mark, bars, draw_nights, draw_progress
from web.operations.figures import Figures
from web.operations.remedies import remedy
from web.operations.words import headline, short_day, until_deadline

NIGHTS_TALL = 96  # pixels
LABELLED = 3  # parts into which the dates below the nights divide them


@dataclass(frozen=True)
class Queue:
    """Something that waits for us, and for how long the oldest of it has, in seconds."""

    name: str
    count: int
    oldest: float


def facts(figures: Figures) -> dict[str, object]:
    """For the page's template."""
    view, night = figures.view, figures.view.tonight
    clock = clock_of(newest_wave(night.windows) if night else [], view.at)
    return {
        "view": view,
        "night": night,
        "clock": clock,
        "headline": headline(night, view.at, clock),
        "until": until_deadline(night, view.at) if night else "",
        "progress": draw_progress(night, view.at, clock) if night else None,
        "organisations": bars(night.states) if night else [],
        "postings": bars(view.postings),
        "connections": bars({name.replace("_", " "): count for name, count in view.connections.items()}),
        "queues": [*_queues(view)],
        "problems": [(problem, remedy(problem.code)) for problem in view.problems],
        "calls": {"left": view.app_calls_left, "of": XERO_APP_MINUTE},
        "invariants": [
            (one, MEANINGS.get(one.name, ""), (view.at - one.checked_at).total_seconds()) for one in _by_number(view)
        ],
        "nights": figures.nights,
        "columns": draw_nights(figures.nights, NIGHTS_TALL),
        "dates": [*_dates(figures)],
        "tall": NIGHTS_TALL,
    }


def _queues(view: NightView) -> Iterator[Queue]:
    for name, one in view.queues.items():
        yield Queue(name, one.count, view.age(one))


def _by_number(view: NightView) -> list[Violated]:
    return sorted(view.invariants, key=lambda one: (len(one.name), one.name))


def _dates(figures: Figures) -> Iterator[Mark]:
    last = len(figures.nights) - 1
    for part in range(LABELLED + 1):
        place = last * part // LABELLED
        yield Mark(100 * part / LABELLED, short_day(figures.nights[place].local_date), minor=0 < part < LABELLED)
