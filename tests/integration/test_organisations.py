"""One open connection an organisation, cursors and pauses that only move forward, and what is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from peewee import IntegrityError

from models.audit import AuditEntry, record
from models.bank_account import Cursor, advance_cursor, current_links, live_links
from models.organisation import Connection, connection_of
from models.pause import Pause, pause_tenant, paused_until
from models.quarantine import Quarantine, quarantine
from models.states import ConnectionState, LinkState
from tests.factories import (
    NOW,
    make_account_link,
    make_bank_account,
    make_connection,
    make_cursor,
    make_organisation,
)
from tests.integration.conftest import AtOnce

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("first", [ConnectionState.LIVE, ConnectionState.NEEDS_RECONNECT])
@pytest.mark.parametrize("second", [ConnectionState.LIVE, ConnectionState.NEEDS_RECONNECT])
def test_an_organisation_has_one_connection_that_has_not_ended(
    database: str, first: ConnectionState, second: ConnectionState
) -> None:
    connection = make_connection(state=first)

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        make_connection(organisation_id=connection.organisation_id, state=second)


def test_ended_connections_are_kept_beside_the_new_one(database: str) -> None:
    organisation = make_organisation()
    for _ in range(2):
        make_connection(organisation_id=organisation.id, state=ConnectionState.DISCONNECTED)
    connection = make_connection(organisation_id=organisation.id)

    assert connection_of(organisation.id) == connection
    with pytest.raises(IntegrityError):
        Connection.update(state=ConnectionState.LIVE).execute()


def test_of_two_people_who_connect_at_one_moment_one_succeeds(database: str, at_once: AtOnce) -> None:
    organisation = make_organisation()

    def connect() -> bool:
        try:
            make_connection(organisation_id=organisation.id)
        except IntegrityError:
            return False
        return True

    assert sorted(at_once([connect, connect])) == [False, True]


def test_a_connection_is_found_by_id_and_by_slug_and_only_while_it_has_not_ended(database: str) -> None:
    organisation = make_organisation(slug="farolillo-sl-4821")
    make_connection()
    waiting = make_connection(organisation_id=organisation.id, state=ConnectionState.NEEDS_RECONNECT)

    assert connection_of(organisation.id) == connection_of("farolillo-sl-4821") == waiting
    assert connection_of("unknown") is None

    Connection.update(state=ConnectionState.DISCONNECTED).where(Connection.id == waiting.id).execute()
    assert connection_of(organisation.id) is None


def test_a_cursor_moves_forward_and_never_back(database: str) -> None:
    connection, account = make_connection(), make_bank_account()
    read: list[object] = []

    for moment in (NOW, NOW - SECOND, NOW + SECOND, NOW):
        advance_cursor(connection.id, account.id, moment)
        read.append(Cursor.get().read_until)

    assert read == [NOW, NOW, NOW + SECOND, NOW + SECOND]


def test_a_cursor_moves_alone_and_forgets_nothing(database: str) -> None:
    moved, other = make_cursor(chain_broken_at="transaction-1"), make_cursor()

    advance_cursor(moved.connection_id, moved.bank_account_id, NOW)

    assert Cursor.get_by_id(moved.id).chain_broken_at == "transaction-1"
    assert Cursor.get_by_id(other.id).read_until == other.read_until


def test_a_pause_is_never_shortened(database: str) -> None:
    pause_tenant("tenant-1", NOW + timedelta(hours=20), "day limit")
    pause_tenant("tenant-1", NOW + timedelta(minutes=1), "minute limit")

    assert paused_until("tenant-1", NOW) == NOW + timedelta(hours=20)
    assert Pause.get().reason == "day limit"


def test_a_longer_pause_replaces_a_shorter_one(database: str) -> None:
    pause_tenant("tenant-1", NOW + timedelta(minutes=1), "minute limit")
    pause_tenant("tenant-1", NOW + timedelta(hours=20), "day limit")

    assert paused_until("tenant-1", NOW) == NOW + timedelta(hours=20)
    assert Pause.get().reason == "day limit"


def test_a_pause_ends_by_itself_and_holds_nobody_else(database: str) -> None:
    pause_tenant("tenant-1", NOW + SECOND, "minute limit")

    assert paused_until("tenant-1", NOW + SECOND) is None
    assert paused_until("tenant-2", NOW) is None


@pytest.mark.parametrize(
    ("states", "current", "live"),
    [
        ((LinkState.GONE, LinkState.LIVE), 2, {2}),
        ((LinkState.LIVE, LinkState.GONE), 1, {1}),
        ((LinkState.GONE, LinkState.HELD), 2, set()),
        ((LinkState.GONE, LinkState.GONE, LinkState.CREATING), 3, set()),
    ],
)
def test_of_an_accounts_generations_the_live_one_counts_and_else_the_newest(
    database: str, states: tuple[LinkState, ...], current: int, live: set[int]
) -> None:
    account = make_bank_account()
    for generation, state in reversed([*enumerate(states, start=1)]):
        make_account_link(bank_account_id=account.id, generation=generation, state=state)

    assert current_links("tenant", account.organisation_id)[account.id].generation == current
    assert {link.generation for link in live_links("tenant", account.organisation_id).values()} == live


def test_links_are_those_of_one_organisation_in_one_xero_organisation(database: str) -> None:
    first, second = make_bank_account(), make_bank_account()
    live = make_account_link(bank_account_id=first.id)
    make_account_link(bank_account_id=first.id, tenant_id="another")
    make_account_link(bank_account_id=second.id)

    assert live_links("tenant", first.organisation_id) == {first.id: live}


def test_an_account_has_each_generation_once(database: str) -> None:
    link = make_account_link()

    with pytest.raises(IntegrityError):
        make_account_link(bank_account_id=link.bank_account_id)


def test_what_people_decided_is_written_down(database: str) -> None:
    record("ada", "connection.add", "connection-1", NOW, "asked for")

    (entry,) = AuditEntry.select()
    assert (entry.at, entry.who, entry.action, entry.subject, entry.reason) == (
        NOW,
        "ada",
        "connection.add",
        "connection-1",
        "asked for",
    )


def test_what_could_not_be_understood_is_kept_with_its_bytes(database: str) -> None:
    quarantine("nightly", b"\x00\xff", "not a message", NOW)

    (kept,) = Quarantine.select()
    assert (kept.source, bytes(kept.payload), kept.reason, kept.settled_at) == (
        "nightly",
        b"\x00\xff",
        "not a message",
        None,
    )
