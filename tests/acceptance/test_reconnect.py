"""What waited under an ended connection goes on when the same Xero organisation is connected anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.reasons import NotConnected
from domain.recovery import PROOF_AFTER
from models.bank_account import AccountLink, Cursor
from models.database import Table
from models.organisation import Connection
from models.posting import Posting, PostingEvent
from models.posting_batch import PostingBatch
from models.states import BatchState, ConnectionState, Lane
from services.connect import CannotConnect, Wishes, connect
from services.request_sync import request_sync
from settings import Secret
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance


def reconnect(office: Office, company: Company) -> None:
    """A person ends the connection and connects the same Xero organisation again."""
    office.disconnect(company)
    office.reconnect(company)
    Connection.update(starts_at=company.starts_at).where(Connection.id == company.connection_id).execute()


def erase(*tables: type[Table]) -> None:
    for table in tables:
        table.delete().execute()


def test_what_was_sent_before_is_not_sent_again(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()

    reconnect(office, company)
    company.moves(spends(200))
    office.night()

    assert [len(request.urls()) for request in company.postings_sent()] == [1, 1]
    assert len(company.bank_accounts()) == 1


def test_what_was_held_before_is_sent_once_it_may_be(office: Office) -> None:
    company = office.established()
    [held] = company.moves(spends(100))
    company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    office.night()
    company.in_xero("lock-date", {"period_lock_date": None})

    reconnect(office, company)
    office.night()

    assert company.state(held) == "posted"


def test_what_was_uncertain_when_xero_shut_us_out_is_found_after_reconnecting(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    company.in_xero("disconnect")
    office.run_until_quiet()

    reconnect(office, company)
    office.night()

    assert company.state(payment) == "posted"
    assert len(company.postings_sent()) <= 2


def test_what_was_sent_is_known_again_even_if_our_record_of_it_was_erased(office: Office) -> None:
    company = office.established()
    company.moves(spends(100), spends(200))
    office.night()
    before = company.ledger()
    office.disconnect(company)
    erase(PostingEvent, Posting, AccountLink, Cursor)

    office.reconnect(company)
    Connection.update(starts_at=company.starts_at).where(Connection.id == company.connection_id).execute()
    office.night()

    assert company.ledger() == before
    assert company.states() == {"posted": 2}


def test_whoever_comes_back_at_once_waits_until_nothing_can_come_late(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.at_23()
    late = office.world.fault("drop", when="before")
    office.turn()
    office.disconnect(company)
    erase(PostingEvent, Posting, Cursor)
    office.reconnect(company)
    Connection.update(starts_at=company.starts_at).where(Connection.id == company.connection_id).execute()
    came_back = office.world.now
    request_sync(company.connection, Lane.INTERACTIVE, "ada", came_back)

    office.turn()
    assert late
    assert len(company.postings_sent()) == 1, "the one that was lost"
    office.run_until_quiet()

    assert office.world.now - came_back >= PROOF_AFTER
    assert company.state(payment) == "posted"


def test_a_closed_account_that_is_finished_first_does_not_end_the_look(office: Office) -> None:
    company = office.established()
    old = company.opens_account("Old")
    office.night()
    company.moves(spends(100), spends(200, account_id=old))
    company.at_qonto(f"accounts/{old}/close")
    office.night()
    before = company.ledger()
    office.disconnect(company)
    erase(PostingEvent, Posting, Cursor)

    office.reconnect(company, follow=True)
    Connection.update(starts_at=company.starts_at).where(Connection.id == company.connection_id).execute()
    office.run_until_quiet()
    office.night()

    assert company.ledger()["bank_transactions"] == before["bank_transactions"]


def test_an_account_that_could_not_be_read_yet_does_not_miss_the_look(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    for account in company.account_ids:
        company.moves(spends(100, account_id=account))
    office.night()
    before = company.ledger()
    office.disconnect(company)
    erase(PostingEvent, Posting, Cursor)
    office.reconnect(company)
    Connection.update(starts_at=company.starts_at).where(Connection.id == company.connection_id).execute()

    office.at_23()
    office.world.fault("status", status=503, service="qonto", method="GET", path="/transactions$", skip=1, times=1)
    office.run_until_quiet()

    assert company.ledger()["bank_transactions"] == before["bank_transactions"]
    assert company.states() == {"posted": 2}


def test_what_has_no_outcome_yet_does_not_wait_for_the_night(office: Office) -> None:
    company = office.established()
    [sent] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    assert company.state(sent) == "uncertain"
    office.disconnect(company)
    office.world.wait(hours=10)

    office.reconnect(company, follow=True)
    office.run_until_quiet()

    assert company.state(sent) == "posted"
    assert len(company.postings_sent()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_dead_worker_was_sending_when_the_customer_left_is_decided_when_they_return(
    office: Office, when: str
) -> None:
    """Its batch is still `sending`: nobody has looked at it since the worker died."""
    company = office.established()
    [payment] = company.moves(spends(100))
    office.at_23()
    with office.power_cut("services.send_batches.put_bank_transactions", when=when):
        office.turn()
    office.disconnect(company)
    (batch,) = PostingBatch.select()
    assert batch.state == BatchState.SENDING

    office.reconnect(company)
    Connection.update(starts_at=company.starts_at).where(Connection.id == company.connection_id).execute()
    office.night()

    assert PostingBatch.get_by_id(batch.id).state == BatchState.RESOLVED
    assert company.state(payment) == "posted"


def test_a_connection_that_waits_to_be_connected_again_is_not_taken_to_another_xero_organisation(
    office: Office,
) -> None:
    company, other = office.established(), office.company("Bombilla SL")
    Connection.update(state=ConnectionState.NEEDS_RECONNECT).where(Connection.id == company.connection_id).execute()
    grant = replace(
        office._grant(company, by_oauth=False),
        xero_refresh_token=Secret(office._redeem(other.in_xero("authorize")["code"])["refresh_token"]),
    )

    with pytest.raises(CannotConnect) as refused:
        connect(office.workbench, grant, Wishes(tenant=other.tenant), who="ada")

    assert refused.value.why == NotConnected.ANOTHER
    assert (company.connection.tenant_id, company.connection.state) == (company.tenant, "needs_reconnect")
