"""An account that is closed in Qonto: made in Xero for what settled before, unless a person took it out of there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from clients.http import Http
from domain.reasons import Excluded, sentence
from domain.replay import Outcome
from models.bank_account import AccountLink
from models.chosen import transactions_called
from models.posting import Posting
from models.states import LinkState, PostingState
from services.check import check_over
from services.plan_night import plan_night
from services.prove_balance import prove_balance
from services.replay import transactions_once_more
from services.verify import distrust_record
from services.view_accounts import view_accounts
from services.view_integration import view_integration
from tests.acceptance.world import Company, Misquoted, Office, spends

pytestmark = pytest.mark.acceptance

LEFT_OUT = "excluded: account_closed_and_gone"
SAID = sentence(Excluded.ACCOUNT_GONE)


def names(company: Company) -> list[str]:
    """The names of the bank accounts that we made, whatever became of them."""
    return sorted(account["name"] for account in company.bank_accounts(made_by="api"))


@pytest.fixture
def taken_out(office: Office) -> tuple[Company, str, str]:
    """A company whose second account is closed in Qonto and archived in Xero, with a transaction left out; its ids."""
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    [late] = company.moves(spends(200, account_id=old))
    company.at_qonto(f"accounts/{old}/close")
    company.in_xero(f"accounts/{company.bank_accounts(name='Old')[0]['id']}/archive")
    office.night()
    company.missing[late] = LEFT_OUT
    return company, old, late


# Made for its transactions.


def test_an_account_that_was_open_for_a_day_is_made_for_what_settled_in_it(office: Office) -> None:
    company = office.established()
    brief = company.opens_account("Brief")
    [payment] = company.moves(spends(100, account_id=brief))
    company.at_qonto(f"accounts/{brief}/close")

    office.night()

    assert names(company) == ["Brief", "Main"]
    assert company.state(payment) == "posted"


def test_what_settled_in_a_closed_account_since_an_earlier_start_is_sent(office: Office) -> None:
    company = office.company(accounts=[{"name": "Main"}, {"name": "Old"}, {"name": "Unused"}])
    _, old, unused = company.account_ids
    [payment] = company.moves(spends(100, account_id=old))
    for closed in (old, unused):
        company.at_qonto(f"accounts/{closed}/close")

    office.connect(company, starts_at=office.world.now - timedelta(days=5), follow=True)
    office.turn()

    assert names(company) == ["Main", "Old"]
    assert company.state(payment) == "posted"


def test_an_account_whose_currency_was_missing_until_it_closed_is_made_once_the_currency_is_there(
    office: Office,
) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Pounds", "currency": "GBP"}])
    pounds = company.account_ids[1]
    [payment] = company.moves(spends(100, account_id=pounds))
    office.night()
    company.at_qonto(f"accounts/{pounds}/close")
    office.night()
    assert company.state(payment) == "held: currency_not_enabled"
    company.in_xero("currencies", {"add": ["GBP"]})

    office.night()

    assert company.state(payment) == "posted"


def test_the_plan_says_whether_a_closed_account_is_made(office: Office) -> None:
    company = office.established()
    brief, unused = company.opens_account("Brief"), company.opens_account("Unused")
    company.moves(spends(100, account_id=brief))
    for closed in (brief, unused):
        company.at_qonto(f"accounts/{closed}/close")

    plan = {one.name: one for one in plan_night(company.connection, office.workbench).accounts}

    assert (plan["Brief"].in_xero, plan["Brief"].to_send) == ("to be created (generation 1)", 1)
    assert plan["Unused"].in_xero == "left out: account_closed"
    office.night()


# Left out.


def test_what_is_left_of_an_account_that_is_closed_and_gone_is_left_out_and_named(
    office: Office, taken_out: tuple[Company, str, str]
) -> None:
    company, old, late = taken_out

    assert company.state(late) == LEFT_OUT
    assert names(company) == ["Main", "Old"]
    assert company.runs()[-1].state == "done"
    assert company.runs()[-1].reason == f"account {old}: 1 transaction is left out. {SAID}"
    assert company.told("sync.problem")[-1]["data"]["problems"] == [
        {"code": "account_closed_and_gone", "sentence": SAID, "transactions": 1, "accounts": 0}
    ]
    seen = view_integration(company.id, office.world.now)
    assert seen
    assert [(problem.sentence, problem.transactions) for problem in seen.problems] == [(SAID, 1)]
    assert [view.why for view in view_accounts(company.connection) if view.bank_account_id == old] == [SAID]
    checked = check_over(company.connection, office.workbench)
    assert checked.holds
    assert f"1 transactions are left out: {SAID}" in checked.notes
    proof = {one.bank_account_id: one for one in prove_balance(company.connection, office.workbench)}[old]
    assert [(one.transaction_id, one.why) for one in proof.differences] == [(late, LEFT_OUT)]
    assert not proof.is_equal


def test_it_is_told_once_and_not_each_night(office: Office, taken_out: tuple[Company, str, str]) -> None:
    company, _, _ = taken_out
    told = len(company.told("sync.problem"))

    office.night()

    assert len(company.told("sync.problem")) == told


def test_a_replay_promises_nothing_about_it(office: Office, taken_out: tuple[Company, str, str]) -> None:
    _, _, late = taken_out

    [one] = transactions_once_more(transactions_called(late))

    assert (one.outcome, one.why) == (Outcome.STAYS, SAID)


def test_what_comes_later_is_left_out_too(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    company.at_qonto(f"accounts/{old}/close")
    company.in_xero(f"accounts/{company.bank_accounts(name='Old')[0]['id']}/archive")
    office.sync_now(company)
    [later] = company.moves(spends(300, account_id=old))
    planned = {one.bank_account_id: one for one in plan_night(company.connection, office.workbench).accounts}[old]
    assert (planned.to_send, planned.excluded) == (0, {"account_closed_and_gone": 1})

    office.night()

    assert company.state(later) == LEFT_OUT
    company.missing[later] = LEFT_OUT


def test_what_was_uncertain_when_the_account_went_is_left_out_once_it_is_known_to_be_absent(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    [never_taken] = company.moves(spends(100, account_id=old))
    office.world.fault("status", status=500)
    office.world.fault("status", status=503, method="GET", times=None)
    office.night()
    office.world.end_faults()
    company.at_qonto(f"accounts/{old}/close")
    company.in_xero(f"accounts/{company.bank_accounts(name='Old')[0]['id']}/archive")
    office.night()

    office.night()

    assert company.state(never_taken) == LEFT_OUT
    company.missing[never_taken] = LEFT_OUT


# Back again.


def test_what_was_left_out_is_sent_once_the_account_is_restored_in_xero(
    office: Office, taken_out: tuple[Company, str, str]
) -> None:
    company, _, late = taken_out
    [in_xero] = company.bank_accounts(name="Old")
    company.in_xero(f"accounts/{in_xero['id']}/unarchive")

    office.night()

    assert company.row(late)["account_id"] == in_xero["id"]
    del company.missing[late]


def test_what_was_left_out_is_sent_once_the_account_is_in_use_again(
    office: Office, taken_out: tuple[Company, str, str]
) -> None:
    company, old, late = taken_out
    in_use = lambda rows: [row | {"status": "active"} if row["id"] == old else row for row in rows]  # noqa: E731
    office.workbench = replace(office.workbench, http=Misquoted(Http(), "/v2/bank_accounts", in_use))

    office.night()

    assert company.state(late) == "posted"
    assert len(names(company)) == 3
    del company.missing[late]


def test_the_next_connection_sends_what_the_former_left_out(
    office: Office, taken_out: tuple[Company, str, str]
) -> None:
    company, _, late = taken_out
    office.disconnect(company)
    office.world.wait(minutes=10)
    office.reconnect(company)
    company.in_xero(f"accounts/{company.bank_accounts(name='Old')[0]['id']}/unarchive")

    office.night()

    assert company.state(late) == "posted"
    del company.missing[late]


def test_what_a_restored_database_says_is_left_out_is_looked_for_in_xero(
    office: Office, taken_out: tuple[Company, str, str]
) -> None:
    company, _, late = taken_out
    [in_xero] = company.bank_accounts(name="Old")
    backup_at = office.world.now
    company.in_xero(f"accounts/{in_xero['id']}/unarchive")
    office.night()
    company.in_xero(f"accounts/{in_xero['id']}/archive")
    del company.missing[late]
    left_out = {"state": PostingState.EXCLUDED, "reason": Excluded.ACCOUNT_GONE, "bank_transaction_id": ""}
    Posting.update(**left_out).where(Posting.transaction_id == late).execute()
    AccountLink.update(state=LinkState.GONE).where(AccountLink.xero_account_id == in_xero["id"]).execute()
    distrust_record(backup_at, "ada", "restored", office.world.now)

    office.night()

    assert company.state(late) == "posted"
    assert company.duplicates() == []
