"""A person ends a connection: nothing is asked for it any more, what let us in is gone, no other is disturbed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.audit import AuditEntry
from models.credential import Credential
from models.organisation import Connection
from models.states import ConnectionState, RunKind
from models.sync_run import SyncRun
from services.connect import CannotConnect
from services.disconnect import CannotDisconnect, ask_to_disconnect
from tests.acceptance.world import Company, Office, Request, before, read_log, spends

pytestmark = pytest.mark.acceptance

DELETE = {"method": "DELETE", "path": "/connections/"}


def ask(office: Office, company: Company) -> SyncRun:
    return ask_to_disconnect(company.connection, "ada", "we moved", office.world.now)


def secrets(company: Company) -> list[str]:
    """Whatever is left of what let us in."""
    ids = [company.connection.qonto_credential_id, company.connection.xero_credential_id]
    rows = Credential.select().where(Credential.id.in_(ids))
    return [text for row in rows for text in (row.secret, row.access_token) if text]


def is_connected_in_xero(company: Company) -> bool:
    tenants = company.world.sandbox.get("/tenants")["tenants"]
    return next(bool(one["connected"]) for one in tenants if one["tenant_id"] == company.tenant)


def revocations(company: Company) -> list[Request]:
    """Since that company came into the world."""
    asked = read_log(company.world, company.first_request)
    return [request for request in asked if request.path.endswith("/connect/revocation")]


def last_word(company: Company) -> SyncRun:
    return next(run for run in reversed(company.runs()) if run.kind == RunKind.DISCONNECTION)


def audited(company: Company, action: str) -> list[tuple[str, str]]:
    rows = AuditEntry.select().where((AuditEntry.subject == company.connection_id) & (AuditEntry.action == action))
    return [(row.who, row.reason) for row in rows]


def test_what_let_us_in_is_gone_here_and_in_xero_and_our_record_stays(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()

    office.disconnect(company)

    assert company.connection.state == ConnectionState.DISCONNECTED
    assert company.connection.reason == "we moved"
    assert secrets(company) == []
    assert not is_connected_in_xero(company)
    assert len(revocations(company)) == 1
    assert company.states() == {"posted": 1}
    assert [account["status"] for account in company.bank_accounts()] == ["ACTIVE"]
    assert audited(company, "connection.disconnect") == [("ada", "we moved")]
    assert audited(company, "connection.secrets_erased") == [("system", "")]


def test_no_night_asks_anything_for_it(office: Office) -> None:
    company = office.established()
    office.disconnect(company)
    asked = office.world.last_request()
    [payment] = company.moves(spends(100))

    office.night()
    office.morning()

    assert company.requests(asked) == []
    assert company.state(payment) == "unknown"
    company.missing[payment] = "unknown"


def test_a_night_under_way_gives_way_and_nothing_begins_afterwards(office: Office) -> None:
    company = office.established()
    rows = company.moves(*(spends(100 + number) for number in range(400)))
    office.at_23()
    office.xero_takes_time()

    with before("services.send_batches.put_bank_transactions", lambda: ask(office, company)):
        office.run_until_quiet()

    ended_at = company.connection.ended_at
    assert 1 <= len(company.postings_sent()) < 8
    assert all(request.at <= ended_at for request in company.postings_sent())
    assert ended_at - last_word(company).created_at < timedelta(seconds=10)
    nightly = [run for run in company.runs() if run.kind == RunKind.NIGHTLY][-1]
    assert (nightly.state, nightly.reason) == ("failed", "the connection was ended")
    assert company.states()["sending"] == company.states()["uncertain"] == 0
    company.missing |= {row: company.state(row) for row in rows if not company.rows(row)}


def test_what_xero_does_not_answer_is_tried_again_and_then_the_secrets_go_anyhow(office: Office) -> None:
    company = office.established()
    office.world.fault("status", status=503, times=None, **DELETE)

    office.disconnect(company)

    erased = AuditEntry.get(AuditEntry.action == "connection.secrets_erased")
    assert erased.at - company.connection.ended_at <= timedelta(seconds=60)
    assert secrets(company) == []
    assert last_word(company).state == "done"
    assert last_word(company).reason == "Xero may still show us as connected: Xero DELETE /connections: answered 503"
    assert len([one for one in read_log(office.world, company.first_request) if one.method == "DELETE"]) > 1


def test_what_there_was_no_time_for_is_said(office: Office) -> None:
    company = office.established()
    ask(office, company)

    with before("services.disconnect.delete_connection", lambda: office.world.wait(seconds=11)):
        office.run_until_quiet()

    assert "no time left" in last_word(company).reason
    assert secrets(company) == []
    assert revocations(company) == []


def test_a_short_outage_of_xero_leaves_nothing_behind(office: Office) -> None:
    company = office.established()
    office.world.fault("drop", when="before", times=2, **DELETE)

    office.disconnect(company)

    assert not is_connected_in_xero(company)
    assert audited(company, "connection.secrets_erased") == [("system", "")]


def test_one_that_xero_has_removed_already_is_as_good(office: Office) -> None:
    company = office.established()
    office.world.fault("drop", when="after", times=1, **DELETE)

    office.disconnect(company)

    assert not is_connected_in_xero(company)
    assert last_word(company).reason == ""


def test_a_connection_that_no_longer_lets_us_in_is_ended_all_the_same(office: Office) -> None:
    company = office.established()
    company.in_xero("revoke")
    [payment] = company.moves(spends(100))
    office.night()
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT

    office.disconnect(company)

    assert company.connection.state == ConnectionState.DISCONNECTED
    assert secrets(company) == []
    assert "invalid_grant" in last_word(company).reason
    company.missing[payment] = company.state(payment)


def test_what_a_person_is_ending_is_not_said_to_be_broken_as_well(office: Office) -> None:
    company = office.established()
    company.in_xero("revoke")
    [payment] = company.moves(spends(100))
    office.at_23()

    with before("services.judge_refusal._has_ended", lambda: ask(office, company)):
        office.run_until_quiet()

    assert company.connection.state == ConnectionState.DISCONNECTED
    assert company.connection.reason == "we moved"
    assert audited(company, "connection.needs_reconnect") == []
    company.missing[payment] = company.state(payment)


def test_an_accountants_login_is_revoked_only_with_its_last_client(office: Office) -> None:
    clients = [office.established(f"Client {number}", xero={"user": "accountant"}) for number in range(5)]

    for number, company in enumerate(clients):
        assert revocations(clients[0]) == []
        office.disconnect(company)
        for other in clients[number + 1 :]:
            other.moves(spends(100))
        office.night()

    assert [company.states()["posted"] for company in clients] == [0, 1, 2, 3, 4]
    assert len(revocations(clients[0])) == 1
    assert not any(is_connected_in_xero(company) for company in clients)


def test_asked_twice_it_ends_once(office: Office) -> None:
    company = office.established()

    first, second = ask(office, company), ask(office, company)
    office.run_until_quiet()

    assert first.id == second.id
    assert len(audited(company, "connection.disconnect")) == 1
    with pytest.raises(CannotDisconnect, match="already"):
        ask(office, company)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_over_it_leaves_it_to_the_next(office: Office, when: str) -> None:
    company = office.established()
    ask(office, company)

    with office.power_cut("services.disconnect.forget", when=when):
        office.turn()
    office.run_until_quiet()

    assert company.connection.state == ConnectionState.DISCONNECTED
    assert secrets(company) == []
    assert last_word(company).state == "done"


def test_a_worker_that_dies_before_it_can_say_that_it_is_done_is_believed(office: Office) -> None:
    company = office.established()
    ask(office, company)

    with office.power_cut("services.sync_organisation._end", when="before"):
        office.turn()
    office.run_until_quiet()

    assert last_word(company).state == "done"
    assert len(audited(company, "connection.secrets_erased")) == 1


def test_what_is_being_ended_cannot_be_connected_at_the_same_time(office: Office) -> None:
    company = office.established()
    ask(office, company)

    with pytest.raises(CannotConnect, match="in a minute"):
        office.reconnect(company)
    office.run_until_quiet()


def test_another_xero_organisation_gets_accounts_of_its_own_and_only_what_settles_from_now_on(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    office.disconnect(company)
    other = office.company("Other books")
    former, company.known["tenant_id"] = company.tenant, other.tenant
    company.known["xero_tokens"] = other.known["xero_tokens"]
    company.starts_at = office.world.now

    office.reconnect(company)
    [payment] = company.moves(spends(200))
    office.night()

    assert company.row_ids() == [payment]
    assert [account["name"] for account in company.bank_accounts(made_by="api")] == ["Main"]
    assert Connection.select().where(Connection.tenant_id == former).count() == 1


def test_what_is_not_over_yet_cannot_be_connected_either(office: Office) -> None:
    company = office.established()
    office.world.fault("status", status=503, times=1, **DELETE)
    ask(office, company)
    office.turn()
    assert company.connection.state == ConnectionState.DISCONNECTED

    with pytest.raises(CannotConnect, match="in a minute"):
        office.reconnect(company)
    office.run_until_quiet()

    assert not is_connected_in_xero(company)


def test_whoever_connects_while_another_disconnects_brings_nothing_back_to_life(office: Office) -> None:
    company = office.established()
    company.in_xero("revoke")
    [payment] = company.moves(spends(100))
    office.night()

    with (
        before("services.connect.list_tenants", lambda: office.disconnect(company)),
        pytest.raises(CannotConnect, match="at this moment"),
    ):
        office.reconnect(company)

    assert company.connection.state == ConnectionState.DISCONNECTED
    assert secrets(company) == []
    company.missing[payment] = company.state(payment)


def test_what_let_us_in_before_it_was_connected_anew_is_gone_too(office: Office) -> None:
    company = office.established()
    company.in_xero("revoke")
    office.at_23()
    office.run_until_quiet()
    former = [company.connection.qonto_credential_id, company.connection.xero_credential_id]

    office.reconnect(company)

    kept = Credential.select().where(Credential.id.in_(former))
    assert [(row.secret, row.access_token) for row in kept] == [("", "")] * 2


def test_secrets_that_nobody_can_read_are_erased_all_the_same(office: Office) -> None:
    company = office.established()
    Credential.update(secret="lost:00", access_token="").where(
        Credential.id == company.connection.xero_credential_id
    ).execute()

    office.disconnect(company)

    assert secrets(company) == []
    assert "'lost', which is not in the ring" in last_word(company).reason


def test_what_may_be_left_in_xero_is_said_also_by_whoever_comes_after(office: Office) -> None:
    company = office.established()
    office.world.fault("status", status=503, times=None, **DELETE)
    ask(office, company)
    office.turn()
    office.world.wait(seconds=11)

    with office.power_cut("services.sync_organisation._end", when="before"):
        office.turn()
    office.run_until_quiet()

    assert "may still show us as connected" in last_word(company).reason
