"""What to do next with a frozen batch: the two edges, five and seven minutes, decide whether money is booked twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.recovery import MOST_SENDS, ON_THE_WIRE, LookUp, Send, Step, Wait, next_step
from tests.unit.fakes import NOW

FIRST = NOW  # when the batch was first sent
MICROSECOND = timedelta(microseconds=1)


def _at(minutes: float = 0, seconds: float = 0) -> datetime:
    return FIRST + timedelta(minutes=minutes, seconds=seconds)


def test_a_batch_that_was_never_sent_is_sent() -> None:
    step = next_step(first_sent_at=None, last_sent_at=None, sends=0, refused=False, now=NOW)

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
    assert next_step(first_sent_at=FIRST, last_sent_at=last, sends=1, refused=False, now=now) == step


@pytest.mark.parametrize(("sends", "step"), [(1, Send()), (2, Send()), (3, Send()), (4, Wait(_at(7)))])
def test_a_batch_goes_out_four_times_at_most(sends: int, step: Step) -> None:
    assert next_step(first_sent_at=FIRST, last_sent_at=FIRST, sends=sends, refused=False, now=_at(2)) == step


@pytest.mark.parametrize(("now", "step"), [(_at(1), Wait(_at(7))), (_at(7), LookUp())])
def test_a_request_that_xero_will_not_read_is_not_repeated(now: datetime, step: Step) -> None:
    assert next_step(first_sent_at=FIRST, last_sent_at=FIRST, sends=1, refused=True, now=now) == step


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

    step = next_step(first_sent_at=FIRST, last_sent_at=last, sends=sends, refused=refused, now=now)

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
    step = next_step(first_sent_at=FIRST, last_sent_at=FIRST, sends=sends, refused=False, now=FIRST + now_after)

    if isinstance(step, Wait):
        later = next_step(first_sent_at=FIRST, last_sent_at=FIRST, sends=sends, refused=False, now=step.until)
        assert not isinstance(later, Wait)
