"""The headline: is the night done, and if not, will it be in time?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click
import pytest

from cli import main
from domain import reasons
from tests.unit.nights import DUE, MINUTE, STATES, tonight
from web.operations.clock import clock_of
from web.operations.remedies import REMEDIES
from web.operations.words import Headline, counted, headline, number, share, span

NARROW = "\u202f"


def _headline(after: float, states: dict[str, int], **changes: Any) -> Headline:
    counts = dict.fromkeys(STATES, 0) | states
    total = sum(counts.values())
    ratio = counts["done"] / total if total else 1.0
    night = tonight(**{"states": counts, "total": total, "done_ratio": ratio, **changes})
    now = DUE + after * MINUTE
    return headline(night, now, clock_of(night.windows, now))


@pytest.mark.parametrize(
    ("after", "states", "changes", "badge", "title", "lead"),
    [
        (0, {}, {}, "Not open", "No night is open yet", "A scheduler opens the night"),
        (1, {"due": 9}, {"endings": []}, "Just begun", "0 of 9 organisations done", "too early to tell"),
        (
            *(12, {"done": 4, "due": 6}, {"projected_end": DUE + 19 * MINUTE}),
            *("On time", "4 of 10 organisations done", "done at 23:19, 11 min before the deadline"),
        ),
        (
            *(12, {"done": 4, "due": 6}, {"projected_end": DUE + 50 * MINUTE}),
            *("Late", "4 of 10 organisations done", "done at 23:50, 20 min after the deadline"),
        ),
        (
            *(42, {"done": 9, "due": 1}, {"late": 1}),
            *("Nothing moves", "9 of 10 organisations done", "1 is not done by 23:30, which was 12 min ago"),
        ),
        (20, {"done": 10}, {}, "Done", "All 10 organisations done", "done at 23:03, 27 min before the deadline"),
        (
            *(900, {"done": 9, "due": 1}, {"done": 10, "left": 0, "done_ratio": 1.0}),
            *("Done", "All 10 organisations done", "27 min before the deadline"),
        ),
        (20, {"done": 1}, {}, "Done", "The one organisation is done", "27 min before"),
        (
            *(50, {"done": 10}, {"endings": [(DUE + 40 * MINUTE, 10)]}),
            *("Done, late", "All 10 organisations done", "done at 23:40, 10 min after the deadline"),
        ),
        (
            *(20, {"done": 9, "failed": 1}, {"done_ratio": 1.0}),
            *("Done", "9 of 10 organisations done", "1 failed, because they no longer let us in"),
        ),
        (
            *(20, {"done": 9, "failed": 1}, {}),
            *("Over, not all done", "9 of 10 organisations done", "1 failed, for the reasons below"),
        ),
    ],
)
def test_a_headline_says_whether_it_is_done(
    after: float, states: dict[str, int], changes: dict[str, Any], badge: str, title: str, lead: str
) -> None:
    told = _headline(after, states, **changes)

    assert (told.badge, told.title) == (badge, title)
    assert lead in told.lead.replace(NARROW, " ")


def test_without_an_organisation_there_is_no_night() -> None:
    assert headline(None, DUE, clock_of([], DUE)).title == "No organisation is connected"


def test_what_is_wrong_has_a_sign_of_its_own() -> None:
    moods = {_headline(12, {"done": 4, "due": 6}).sign, _headline(20, {"done": 10}).sign, _headline(0, {}).sign}

    assert len(moods) == 3


@pytest.mark.parametrize(
    ("ratio", "told"), [(0.0, "0 %"), (0.626, "62.6 %"), (0.99999, "99.9 %"), (1.0, "100 %"), (0.999, "99.9 %")]
)
def test_not_everything_is_never_told_as_a_hundred(ratio: float, told: str) -> None:
    assert share(ratio) == told.replace(" ", NARROW)


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=27, minutes=5), "27 h 5 min"),
        (timedelta(days=2), "2 days"),
        (timedelta(minutes=-12), "12 min"),
    ],
)
def test_a_span_is_told_as_people_say_it(length: timedelta, told: str) -> None:
    assert span(length.total_seconds()).replace(NARROW, " ") == told


def test_large_numbers_have_thin_spaces() -> None:
    assert number(100_000) == f"100{NARROW}000"
    assert (counted(1, "call"), counted(1_000, "call")) == ("1 call", f"1{NARROW}000 calls")


def test_every_reason_for_which_something_waits_has_a_remedy() -> None:
    words = (
        *(reasons.Waits, reasons.Broken, reasons.Unfinished, reasons.Noted),
        *(reasons.Held, reasons.Rejected, reasons.Uncertain),
    )

    assert set(REMEDIES) == {code for word in words for code in word}


def test_every_command_that_a_remedy_names_is_there() -> None:
    named = {command for remedy in REMEDIES.values() for command in re.findall(r"`qonto-xero ([^`]*)`", remedy)}

    for command in named:
        group: click.Command = main
        for part in command.split():
            assert isinstance(group, click.Group)
            group = group.commands[part]
    assert "replay failed" in named
