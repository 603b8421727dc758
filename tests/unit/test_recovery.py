"""What to do next with a frozen batch: the two edges, five and seven minutes, decide whether money is booked twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.recovery import MOST_SENDS, ON_THE_WIRE, Instant, LookUp, Send, Step, Wait, next_step
from tests.unit.fakes import NOW

FIRST = NOW  # when the batch was first sent
MICROSECOND = timedelta(microseconds=1)


def _at(minutes: float = 0, seconds: float = 0) -> datetime:
    return FIRST + timedelta(minutes=minutes, seconds=seconds)


def step_by_one_clock(last: datetime, now: datetime, *, sends: int = 1, refused: bool = False) -> Step:
    """The step when both clocks agree."""
    return next_step(
        first_sent=Instant(FIRST, FIRST),
        last_sent=Instant(last, last),
        sends=sends,
        refused=refused,
        now=Instant(now, now),
    )


def test_a_batch_that_was_never_sent_is_sent() -> None:
    step = next_step(first_sent=None, last_sent=None, sends=0, refused=False, now=Instant(NOW, NOW))

    assert step == Send()


@pytest.mark.parametrize(
    ("last", "now", "step"),
    [
        # The first call may still be under way for 45 seconds.
        (_at(), _at(), Wait(_at(seconds=45))),
        (_at(), _at(seconds=45) - MICROSECOND, Wait(_at(seconds=45))),
        (_at(), _at(seconds=45), Send()),
        (_at(), _at(4), Send()),
        # Five minutes: Xero's memory of the key is no longer sure.
        (_at(), _at(5) - MICROSECOND, Send()),
        (_at(), _at(5), Wait(_at(7))),
        (_at(), _at(5) + MICROSECOND, Wait(_at(7))),
        # A replay that could only start after five minutes is not waited for.
        (_at(4), _at(4, 10), Wait(_at(4, 45))),
        (_at(4, 15) - MICROSECOND, _at(4, 20), Wait(_at(5) - MICROSECOND)),
        (_at(4, 15), _at(4, 20), Wait(_at(7))),
        (_at(4, 30), _at(4, 59), Wait(_at(7))),
        # Seven minutes: a look at Xero is proof.
        (_at(), _at(7) - MICROSECOND, Wait(_at(7))),
        (_at(), _at(7), LookUp()),
        (_at(4, 59), _at(7), LookUp()),
        (_at(), _at(60 * 24), LookUp()),
        # Unless a call of ours may still be under way.
        (_at(6, 30), _at(7), Wait(_at(7, 15))),
        (_at(6, 30), _at(7, 15), LookUp()),
    ],
)
def test_each_moment_after_the_first_send_has_one_right_step(last: datetime, now: datetime, step: Step) -> None:
    assert step_by_one_clock(last, now) == step


@pytest.mark.parametrize(("sends", "step"), [(1, Send()), (2, Send()), (3, Send()), (4, Wait(_at(7)))])
def test_a_batch_goes_out_four_times_at_most(sends: int, step: Step) -> None:
    assert step_by_one_clock(FIRST, _at(2), sends=sends) == step


@pytest.mark.parametrize(("now", "step"), [(_at(1), Wait(_at(7))), (_at(7), LookUp())])
def test_a_request_that_xero_will_not_read_is_not_repeated(now: datetime, step: Step) -> None:
    assert step_by_one_clock(FIRST, now, refused=True) == step


@given(
    last_after=st.timedeltas(timedelta(0), timedelta(minutes=8)),
    now_after=st.timedeltas(timedelta(0), timedelta(minutes=10)),
    sends=st.integers(1, MOST_SENDS + 1),
    refused=st.booleans(),
)
def test_at_every_moment_the_three_promises_hold(
    last_after: timedelta, now_after: timedelta, sends: int, refused: bool
) -> None:
    last, now = FIRST + last_after, FIRST + now_after

    step = step_by_one_clock(last, now, sends=sends, refused=refused)

    match step:
        case Send():
            assert now < _at(5)
            assert now >= last + ON_THE_WIRE
            assert sends < MOST_SENDS
            assert not refused
        case Wait(until):
            assert until > now
        case LookUp():
            assert now >= _at(7)
            assert now >= last + ON_THE_WIRE


@given(now_after=st.timedeltas(timedelta(0), timedelta(minutes=10)), sends=st.integers(1, MOST_SENDS))
def test_whoever_waits_as_told_is_not_told_to_wait_for_the_same_thing_again(now_after: timedelta, sends: int) -> None:
    step = step_by_one_clock(FIRST, FIRST + now_after, sends=sends)

    if isinstance(step, Wait):
        later = step_by_one_clock(FIRST, step.until, sends=sends)
        assert not isinstance(later, Wait)


STEPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(minutes=3), timedelta(minutes=-3)]


@pytest.mark.parametrize(
    ("database", "machine"), [(step, timedelta(0)) for step in STEPS] + [(timedelta(0), step) for step in STEPS]
)
@pytest.mark.parametrize("minutes", [1, 4, 5, 6, 6.5, 7, 9, 60, 70])
def test_one_clock_that_was_set_can_neither_repeat_too_late_nor_conclude_too_early(
    database: timedelta, machine: timedelta, minutes: float
) -> None:
    now = Instant(_at(minutes) + database, _at(minutes) + machine)

    step = next_step(first_sent=Instant(FIRST, FIRST), last_sent=Instant(FIRST, FIRST), sends=1, refused=False, now=now)

    assert not isinstance(step, Send) or minutes < 5
    assert not isinstance(step, LookUp) or minutes >= 7


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    an_hour_back = Instant(_at(8) - timedelta(hours=1), _at(8))

    step = next_step(
        first_sent=Instant(FIRST, FIRST), last_sent=Instant(FIRST, FIRST), sends=1, refused=False, now=an_hour_back
    )

    assert step == LookUp()
