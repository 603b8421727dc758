"""Browser sessions and what they begin at Qonto and Xero: each ends by itself, and its secrets with it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from models.authorisation import LIFE, Authorisation, Side, count_tries, find_begun, find_open, use
from models.credential import Credential
from models.web_session import AT_MOST, IDLE, WebSession, end_session, find_session
from scheduler.loop import Scheduler
from scheduler.tick import ORPHANED, tidy
from tests.factories import NOW, make_authorisation, make_connection, make_credential, make_web_session
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)
LATER = NOW + ORPHANED + MOMENT


def test_a_session_ends_when_nobody_uses_it_for_half_an_hour(database: str) -> None:
    session = make_web_session()

    assert find_session(session.id, NOW + IDLE - MOMENT)
    assert find_session(session.id, NOW + 2 * IDLE - 2 * MOMENT)
    assert not find_session(session.id, NOW + 3 * IDLE)


def test_a_session_ends_after_eight_hours_however_much_it_is_used(database: str) -> None:
    session = make_web_session()
    moment = NOW
    while moment < NOW + AT_MOST - IDLE:
        moment += IDLE - MOMENT
        assert find_session(session.id, moment)

    assert not find_session(session.id, NOW + AT_MOST)


def test_a_session_that_was_ended_is_found_no_more(database: str) -> None:
    session = make_web_session()

    end_session(session.id)

    assert not find_session(session.id, NOW)


def test_of_eight_tabs_that_come_back_at_once_exactly_one_is_let_on(database: str, at_once: AtOnce) -> None:
    begun = make_authorisation()

    assert at_once([partial(use, begun, NOW) for _ in range(8)]).count(True) == 1


@pytest.mark.parametrize("changes", [{"state_hash": "another"}, {"session_id": "another"}, {"side": Side.QONTO}])
def test_what_was_begun_is_found_by_its_state_in_its_session_and_on_its_side_only(
    database: str, changes: dict[str, Any]
) -> None:
    begun = make_authorisation()
    right: dict[str, Any] = {"state_hash": begun.state_hash, "session_id": begun.session_id, "side": Side.XERO}

    assert find_begun(**right) == begun
    assert find_begun(**right | changes) is None


def test_what_came_back_is_open_to_its_own_session_for_half_an_hour(database: str) -> None:
    came = make_authorisation(credential_id=make_credential().id, used_at=NOW)

    assert find_open(came.id, came.session_id, NOW + timedelta(minutes=29))
    assert not find_open(came.id, "another", NOW)
    assert not find_open(came.id, came.session_id, NOW + timedelta(minutes=30))


def test_tries_to_connect_are_counted_for_an_hour_for_one_organisation(database: str) -> None:
    for side, organisation_id in ((Side.XERO, "ours"), (Side.XERO, "ours"), (Side.QONTO, "ours"), (Side.XERO, "other")):
        make_authorisation(side=side, organisation_id=organisation_id)

    assert count_tries("ours", NOW + timedelta(minutes=59)) == 2
    assert count_tries("ours", NOW + timedelta(minutes=60)) == 0


def test_secrets_that_came_to_nothing_are_erased_after_an_hour(database: str) -> None:
    make_web_session(credential_id=make_credential(created_at=NOW).id)
    make_authorisation(credential_id=make_credential(created_at=NOW).id, used_at=NOW)
    make_credential(created_at=NOW)  # of a command that was killed while it connected
    tidy(NOW + LIFE)
    assert Credential.select().count() == 3

    tidy(LATER)

    assert [table.select().count() for table in (WebSession, Authorisation, Credential)] == [0, 0, 0]


def test_the_scheduler_sees_to_that(database: str) -> None:
    make_web_session()

    Scheduler(lambda: NOW + AT_MOST).turn()

    assert WebSession.select().count() == 0


def test_the_secrets_of_a_connection_outlive_the_sessions_that_brought_them(database: str) -> None:
    connection = make_connection()
    make_web_session(credential_id=connection.qonto_credential_id)

    tidy(LATER)

    assert {one.id for one in Credential.select()} == {connection.qonto_credential_id, connection.xero_credential_id}
