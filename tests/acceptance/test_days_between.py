"""Days between two connections, earlier starts and other time zones: none is lost, and none is sent twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from models.bank_account import Cursor, advance_cursor
from services.check import check_over
from services.connect import Wishes, connect
from services.disconnect import ask_to_disconnect
from services.prove_balance import prove_balance
from settings import Secret
from tests.acceptance.world import NIGHT, PARIS, Company, Office, lose_accounts_run, receives, spends

pytestmark = pytest.mark.acceptance


def comes_back(office: Office, company: Company, **wishes: object) -> None:
    """A person connects the same two organisations again."""
    company.known["xero_tokens"] = office._redeem(company.in_xero("authorize")["code"])
    grant = office._grant(company, by_oauth=False)
    connection = connect(office.workbench, grant, Wishes(tenant=company.tenant, **wishes), who="ada")  # type: ignore[arg-type]
    lose_accounts_run(connection.id)
    company.connection_id = connection.id


def is_proved(office: Office, company: Company) -> bool:
    return all(proof.is_equal for proof in prove_balance(company.connection, office.workbench))


def test_what_settled_before_and_between_two_connections_is_sent_by_the_second(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main", "balance_cents": 10_000}])
    started = company.connection.starts_at
    [sent] = company.moves(spends(50))
    office.night()
    office.world.wait(hours=14)
    [morning] = company.moves(spends(100))
    office.world.wait(hours=2)
    office.disconnect(company)
    office.world.wait(days=2)
    [between] = company.moves(receives(700))
    office.world.wait(hours=2)
    until = Cursor.get().read_until

    comes_back(office, company)
    assert Cursor.get(Cursor.connection_id == company.connection_id).read_until == until
    assert not check_over(company.connection, office.workbench).wrong
    [evening] = company.moves(spends(200))
    office.night()

    assert {company.state(one) for one in (sent, morning, between, evening)} == {"posted"}
    assert company.connection.starts_at == started
    assert company.duplicates() == []
    assert is_proved(office, company)
    assert check_over(company.connection, office.workbench).holds


def test_a_day_that_was_lost_between_two_connections_is_called_lost(office: Office) -> None:
    company = office.established()
    [morning] = company.moves(spends(100))
    office.world.wait(hours=2)
    office.disconnect(company)
    comes_back(office, company)
    advance_cursor(company.connection_id, company.account_id, office.world.now + timedelta(days=1))

    checked = check_over(company.connection, office.workbench)

    assert [finding.transaction_id for finding in checked.wrong] == [morning]
    Cursor.delete().execute()
    office.night()


def test_a_later_start_that_a_person_chooses_leaves_out_what_settled_before_it_and_says_so(office: Office) -> None:
    company = office.established()
    [morning] = company.moves(spends(100))
    office.world.wait(hours=2)
    office.disconnect(company)
    comes_back(office, company, starts_at=office.world.now)
    office.night()

    assert company.state(morning) == "excluded: settled_before_connection"
    assert not is_proved(office, company)
    assert check_over(company.connection, office.workbench).holds
    company.missing[morning] = company.state(morning)


def test_an_earlier_start_brings_what_was_left_out_for_it(office: Office) -> None:
    company = office.company(accounts=[{"name": "Main"}])
    first, second = company.moves(spends(100), spends(200))
    office.world.wait(hours=26)
    office.connect(company)
    company.at_qonto(f"transactions/{first}", {"note": "receipt added"})
    office.night()
    assert company.state(first) == "excluded: settled_before_connection"
    office.disconnect(company)
    company.starts_at = office.world.now - timedelta(days=5)

    comes_back(office, company, starts_at=company.starts_at)
    office.night()

    assert company.state(first) == company.state(second) == "posted"
    assert is_proved(office, company)


def test_an_earlier_start_reaches_a_connection_that_only_needed_reconnecting(office: Office) -> None:
    company = office.company(accounts=[{"name": "Main"}])
    [old] = company.moves(spends(100))
    office.world.wait(hours=26)
    office.connect(company)
    office.night()
    company.in_xero("disconnect")
    company.moves(spends(1))
    office.night()
    company.starts_at = office.world.now - timedelta(days=5)

    comes_back(office, company, starts_at=company.starts_at, time_zone="Europe/Madrid")
    office.run_until_quiet()

    assert company.state(old) == "posted"
    assert is_proved(office, company)


def test_after_another_xero_organisation_a_connection_begins_now(office: Office) -> None:
    company, other = office.established(), office.company("Libros SL")
    office.disconnect(company)
    office.world.wait(hours=3)
    tokens = Secret(other.known["xero_tokens"]["refresh_token"])
    grant = replace(office._grant(company, by_oauth=False), xero_refresh_token=tokens)
    elsewhere = connect(office.workbench, grant, Wishes(tenant=other.tenant), who="ada")
    assert elsewhere.starts_at == office.world.now
    ask_to_disconnect(elsewhere, "ada", "we moved back", office.world.now)
    office.run_until_quiet()
    office.world.wait(hours=3)

    comes_back(office, company)

    assert company.connection.starts_at == office.world.now


def test_another_time_zone_leaves_no_day_between_two_nights(office: Office) -> None:
    company = office.connect(office.company(), zone="Pacific/Auckland")
    office.night("Pacific/Auckland")
    office.world.wait(minutes=30)
    office.disconnect(company)
    company.zone = PARIS
    comes_back(office, company, time_zone=PARIS)
    [payment] = company.moves(spends(100))
    asked = office.world.now

    office.world.move_to(office.world.next(NIGHT, PARIS))
    office.run_until_quiet()

    assert company.state(payment) == "posted"
    assert office.world.now - asked < timedelta(hours=24)
