"""The numbers of the page's pictures, without a pixel of width: across is in hundredths of whatever there is.

A picture is as wide as its reader's screen, and its letters stay as large as the other letters of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.night import FINISHED_WITHIN, Window
from services.view_night import Tonight
from services.view_nights import Night
from web.operations.clock import Clock, newest_wave

STEPS = [timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 180, 360, 720)]
MOST_TICKS = 6  # whose labels find room on a phone, when every other one is left out there
FIELD = 1000  # the square in which lines are drawn, stretched to what there is
LEAST = 3.0  # of a column's height, so that one failure among ten thousand is seen
KINDS = ("in_time", "late", "failed", "open", "missed")  # from the ground up


@dataclass(frozen=True)
class Mark:
    """A text at a place. `row` counts from the top, so that no two of them meet; a `minor` one may be left out."""

    across: float
    text: str
    row: int = 0
    minor: bool = False


@dataclass(frozen=True)
class Progress:
    """The share that is done over time: `line` and `pace` are paths in the field, `here` is where the line ends."""

    line: str
    pace: str
    here: tuple[float, float]
    ticks: list[Mark]
    deadlines: list[Mark]


@dataclass(frozen=True)
class Bar:
    """A count beside others, `long` in hundredths of the longest."""

    name: str
    count: int
    long: float


@dataclass(frozen=True)
class Piece:
    """A part of a column, from `top` downwards."""

    kind: str
    top: float
    tall: float


@dataclass(frozen=True)
class Column:
    """One night; without a piece if there was none."""

    night: Night
    across: float
    wide: float
    pieces: list[Piece]


def draw_progress(night: Tonight, now: datetime, clock: Clock) -> Progress:
    """From the first 23:00 of this wave to its end, or to now while it is not over."""
    windows = newest_wave(night.windows)
    start = min(window.due_at for window in windows)
    axis = _Axis(start, _end(night, now))
    share = night.done_ratio
    last = now if night.left else axis.end
    return Progress(
        line=_line(night, axis, last),
        pace=_pace(night, axis, now),
        here=(axis.across(last), round(100 * (1 - share), 2)),
        ticks=[*_ticks(axis, clock)],
        deadlines=[*_deadlines(windows, axis, clock)],
    )


@dataclass(frozen=True)
class _Axis:
    start: datetime
    end: datetime

    def across(self, moment: datetime) -> float:
        """In hundredths, nowhere outside."""
        return round(100 * min(1.0, max(0.0, (moment - self.start) / (self.end - self.start))), 2)

    def x(self, moment: datetime) -> float:
        return round(self.across(moment) * FIELD / 100, 1)


def _end(night: Tonight, now: datetime) -> datetime:
    """The deadline, or whatever comes after it: the last ending, now while something is left, the end at this pace."""
    moments = [night.deadline, *(minute for minute, _ in night.endings[-1:])]
    if night.left:
        moments.append(now)
    if night.projected_end:
        moments.append(min(night.projected_end, max(moments) + FINISHED_WITHIN))
    return max(moments)


def _y(share: float) -> float:
    return round(FIELD * (1 - share), 1)


def _line(night: Tonight, axis: _Axis, last: datetime) -> str:
    """Steps up, a step a minute in which any was done, to the share of now."""
    in_all = sum(count for _, count in night.endings)
    done = sum(count for minute, count in night.endings if minute < axis.start)
    path = [f"M0 {_y(night.done_ratio * done / in_all if in_all else night.done_ratio)}"]
    for minute, count in night.endings:
        if minute >= axis.start:
            done += count
            path.append(f"H{axis.x(minute)}V{_y(night.done_ratio * done / in_all)}")
    return "".join([*path, f"H{axis.x(last)}"])


def _pace(night: Tonight, axis: _Axis, now: datetime) -> str:
    """From here straight to the end at this pace, as far as the picture goes."""
    if night.projected_end is None:
        return ""
    until = min(night.projected_end, axis.end)
    share = night.done_ratio + (1 - night.done_ratio) * ((until - now) / (night.projected_end - now))
    return f"M{axis.x(now)} {_y(night.done_ratio)}L{axis.x(until)} {_y(share)}"


def _ticks(axis: _Axis, clock: Clock) -> Iterator[Mark]:
    length = axis.end - axis.start
    step = next((step for step in STEPS if length / step <= MOST_TICKS), STEPS[-1])
    for number in range(int(length / step) + 1):
        moment = axis.start + number * step
        yield Mark(axis.across(moment), clock.time(moment), minor=number % 2 == 1)


def _deadlines(windows: Iterable[Window], axis: _Axis, clock: Clock) -> Iterator[Mark]:
    """One for each moment, the first and the last of many."""
    moments: dict[datetime, list[str]] = {}
    for window in windows:
        moments.setdefault(window.deadline, []).append(window.time_zone)
    ordered = sorted(moments)
    for row, moment in enumerate(ordered if len(ordered) <= 2 else [ordered[0], ordered[-1]]):
        where = "deadline" if len(ordered) == 1 else _where(moments[moment])
        yield Mark(axis.across(moment), f"{where} {clock.time(moment)}", row)


def _where(zones: Sequence[str]) -> str:
    city = zones[0].rpartition("/")[2].replace("_", " ")
    return city if len(zones) == 1 else f"{city} +{len(zones) - 1}"


def bars(counts: Mapping[str, int]) -> list[Bar]:
    """Each beside the others."""
    most = max(counts.values(), default=0)
    return [Bar(name, count, round(100 * count / most, 2) if most else 0.0) for name, count in counts.items()]


def draw_nights(nights: Sequence[Night], height: float) -> list[Column]:
    """A column a night, each as high as the picture: what counts is how much of it was in time."""
    each = 100 / max(1, len(nights))
    return [
        Column(night, round(each * place, 3), round(each * 0.7, 3), [*_pieces(night, height)])
        for place, night in enumerate(nights)
    ]


def _pieces(night: Night, height: float) -> Iterator[Piece]:
    """From the ground up. What is too little to be seen is made visible, at the cost of the largest."""
    counts = {kind: getattr(night, kind) for kind in KINDS if getattr(night, kind)}
    if not counts:
        return
    tall = {kind: max(LEAST, height * count / night.total) for kind, count in counts.items()}
    tall[max(tall, key=tall.__getitem__)] -= sum(tall.values()) - height
    top = height
    for kind, size in tall.items():
        top -= size
        yield Piece(kind, round(top, 2), round(size, 2))
