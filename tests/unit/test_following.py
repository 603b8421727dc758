"""Accounts follow Qonto: an event is a hint, the account as Qonto shows it is what counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.following import (
    GLANCE,
    GLANCES,
    LATE,
    PATIENCE,
    SHOWN,
    Seen,
    is_read_for_good,
    look_again_after,
    what_came_of,
)
from domain.reasons import Followed, LeftOut
from tests.unit.fakes import NOW

TOLD = NOW  # the version of the account that the event tells of
MICROSECOND = timedelta(microseconds=1)
A_MOMENT = timedelta(seconds=1)
IMPATIENT = PATIENCE - MICROSECOND


def seen(
    status: str = "active",
    *,
    is_external: bool = False,
    version: datetime | None = TOLD,
    is_in_xero: bool = False,
    held: str = "",
    is_read_whole: bool = False,
) -> Seen:
    """An active account that Xero does not have yet, in the version that the event tells of."""
    return Seen(status, is_external, version, is_in_xero, held, is_read_whole)


@pytest.mark.parametrize(
    ("account", "outcome"),
    [
        (seen(is_in_xero=True), Followed.IN_XERO),
        (seen(held="currency_not_enabled"), "currency_not_enabled"),
        (seen(is_in_xero=True, held="currency_not_enabled"), Followed.IN_XERO),
        (seen(), None),
        (seen("closed", is_read_whole=True), Followed.STOPPED),
        (seen("closed", is_read_whole=False, is_in_xero=True), None),
        (seen("waiting_for_funds"), LeftOut.NOT_ACTIVE),
        (seen(is_external=True), LeftOut.EXTERNAL),
        (seen("closed", is_external=True), LeftOut.EXTERNAL),
    ],
)
def test_what_came_of_an_event_is_what_the_account_has_come_to(account: Seen, outcome: str | None) -> None:
    assert what_came_of(TOLD, account, A_MOMENT) == outcome


@pytest.mark.parametrize(("waited", "outcome"), [(IMPATIENT, None), (PATIENCE, Followed.NOT_SEEN)])
@pytest.mark.parametrize("account", [None, seen(version=TOLD - SHOWN, is_in_xero=True)], ids=["absent", "older"])
def test_what_qonto_does_not_show_yet_is_waited_for_with_patience(
    account: Seen | None, waited: timedelta, outcome: str | None
) -> None:
    assert what_came_of(TOLD, account, waited) == outcome


@pytest.mark.parametrize(
    "version",
    [TOLD, TOLD + MICROSECOND, TOLD - SHOWN + MICROSECOND, None],
    ids=["equal", "newer", "shown less finely", "hidden"],
)
def test_a_version_that_is_no_older_or_that_qonto_hides_counts_at_once(version: datetime | None) -> None:
    assert what_came_of(TOLD, seen(version=version, is_in_xero=True), timedelta(0)) == Followed.IN_XERO


def test_an_account_that_qonto_shows_is_followed_beyond_patience() -> None:
    assert what_came_of(TOLD, seen(), 2 * PATIENCE) is None


@pytest.mark.parametrize(
    ("waited", "pause"), [(timedelta(0), GLANCE), (GLANCES - MICROSECOND, GLANCE), (GLANCES, GLANCES)]
)
def test_at_first_one_looks_often_and_after_half_a_minute_seldom(waited: timedelta, pause: timedelta) -> None:
    assert look_again_after(waited) == pause


def test_a_closed_account_is_read_for_good_once_it_was_read_long_enough_after_its_end() -> None:
    assert is_read_for_good("closed", TOLD, TOLD + LATE)
    assert not is_read_for_good("closed", TOLD, TOLD + LATE - MICROSECOND)


@pytest.mark.parametrize(
    ("status", "version", "read_whole_at"),
    [("active", TOLD, TOLD + LATE), ("closed", None, TOLD + LATE), ("closed", TOLD, None)],
    ids=["in use", "of a hidden version", "never read whole"],
)
def test_no_other_account_is_read_for_good(
    status: str, version: datetime | None, read_whole_at: datetime | None
) -> None:
    assert not is_read_for_good(status, version, read_whole_at)
