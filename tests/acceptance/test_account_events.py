"""Accounts follow Qonto: what its core tells is in Xero at once, whatever order, repetition or loss of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from domain.following import LATE, PATIENCE
from models.audit import AuditEntry
from models.bank_account import BankAccount, read_again_from
from models.inbox import InboxEvent
from models.lease import take_lease
from models.organisation import Connection
from models.outbox import OutboxMessage, claim_unsent, mark_sent
from models.quarantine import Quarantine
from models.states import ConnectionState, RunKind, RunState
from models.sync_run import SILENCE, SyncRun
from services import sync_organisation
from services.check import check_over
from services.check_database import lines_of_database
from services.receive_event import Reception
from tests.acceptance.world import Company, Office, before, receives, spends
from tests.events import event, headers_of
from tests.factories import make_access_refusal

pytestmark = pytest.mark.acceptance

CREATED, DEACTIVATED = "account.created", "account.deactivated"


def active(company: Company) -> list[str]:
    """The names of the bank accounts of ours that can be used."""
    return sorted(a["name"] for a in company.bank_accounts(made_by="api", status="ACTIVE", deleted=False))


def outcomes() -> list[str]:
    """What came of each event, in the order in which they came."""
    return [one.outcome for one in InboxEvent.select().order_by(InboxEvent.id)]


def accounts_made(company: Company, after: int) -> int:
    """How many bank accounts Xero was asked to make since then."""
    asked = [one for one in company.requests(after) if one.method == "PUT" and one.path.endswith("/Accounts")]
    return len([one for one in asked if '"BANK"' in one.body])


def listed(company: Company, account_id: str, after: int) -> int:
    """How often Qonto was asked for an account's transactions since then."""
    asked = [one for one in company.requests(after) if one.path.endswith("/transactions")]
    return len([one for one in asked if account_id in one.query])


# Opened.


def test_an_account_opened_in_qonto_is_in_xero_without_waiting_for_the_night(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")

    assert office.hear(said) == [Reception.STORED]
    office.turn()

    assert active(company) == ["Main", "Taxes"]
    assert outcomes() == ["in_xero"]
    assert company.runs()[-1].kind == RunKind.ACCOUNTS
    assert company.runs()[-1].state == RunState.DONE


def test_connecting_brings_every_account_into_xero_at_once(office: Office) -> None:
    company = office.company(accounts=[{"name": "Main"}, {"name": "Taxes"}, {"name": "Old", "status": "closed"}])

    office.connect(company, follow=True)
    office.turn()

    assert active(company) == ["Main", "Taxes"]
    assert company.postings_sent() == []


def test_connecting_again_brings_what_was_opened_meanwhile(office: Office) -> None:
    company = office.established()
    Connection.update(state=ConnectionState.NEEDS_RECONNECT).where(Connection.id == company.connection_id).execute()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    assert outcomes() == ["not_connected"]

    office.reconnect(company, follow=True)
    office.turn()

    assert active(company) == ["Main", "Taxes"]


@pytest.mark.parametrize(
    ("opened", "outcome"),
    [
        ({"is_external": True}, "external_account"),
        ({"status": "pending"}, "account_not_active"),
        ({"status": "waiting_for_funds"}, "account_not_active"),
        ({"status": "something new"}, "account_not_active"),
        ({"currency": "USD"}, "currency_not_enabled"),
    ],
)
def test_what_is_not_made_in_xero_says_why(office: Office, opened: dict[str, Any], outcome: str) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Special", **opened)

    office.hear(said)
    office.run_until_quiet()

    assert outcomes() == [outcome]
    assert active(company) == ["Main"]


def test_a_pending_account_is_made_once_it_is_active(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    opened = company.opens_account("Taxes", status="pending")
    office.hear(said)
    office.turn()
    said = office.world.last_event()
    company.at_qonto(f"accounts/{opened}/activate")

    office.hear(said)
    office.turn()

    assert outcomes() == ["account_not_active", "in_xero"]
    assert active(company) == ["Main", "Taxes"]


@pytest.mark.parametrize(
    "name", ["M" * 300, "  <b>Tax\r\nes</b>\x1b[31m  ", "\u202etxet", "🇫🇷 Impôts", '"||1==1||"', " "]
)
def test_hostile_names_survive(office: Office, name: str) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account(name)

    office.hear(said)
    office.turn()

    assert outcomes() == ["in_xero"]
    assert len(active(company)) == 2
    assert all(0 < len(one) <= 150 for one in active(company))


def test_a_renamed_account_keeps_its_account_in_xero_under_the_name_that_it_has_there(office: Office) -> None:
    company = office.established()
    asked = office.world.last_request()

    company.at_qonto(f"accounts/{company.account_id}/rename", {"name": "Savings"})
    office.night()

    assert active(company) == ["Main"]
    assert accounts_made(company, asked) == 0


# Closed.


def test_a_closed_account_gets_what_settled_before_and_then_nothing_is_asked_of_it_any_more(office: Office) -> None:
    company = office.connect(office.company(accounts=[{"name": "Main"}, {"name": "Old"}]), follow=True)
    office.turn()
    old = company.account_ids[1]
    company.moves(spends(100, account_id=old), spends(200))
    said = office.world.last_event()
    company.at_qonto(f"accounts/{old}/close")

    office.hear(said)
    office.turn()

    assert outcomes() == ["stopped"]
    assert company.states() == {"posted": 1}, "the other account waits for its night"
    in_xero = company.bank_accounts(name="Old")
    office.world.move_to(office.world.now + LATE)
    office.night()
    asked = office.world.last_request()
    office.night()
    assert listed(company, old, asked) == 0
    assert listed(company, company.account_id, asked) == 1
    assert company.bank_accounts(name="Old") == in_xero, "it is left as it is"
    assert company.states() == {"posted": 2}


def test_what_settles_after_its_account_was_read_for_good_is_read_the_next_night(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    [pending] = company.moves(receives(100, account_id=old, status="pending"))
    company.at_qonto(f"accounts/{old}/close")
    office.world.move_to(office.world.now + LATE)
    office.night()
    asked = office.world.last_request()
    office.night()
    assert listed(company, old, asked) == 0
    company.at_qonto(f"transactions/{pending}/settle", {})

    found = check_over(company.connection, office.workbench)

    assert found.wrong == []
    office.night()
    assert company.state(pending) == "posted"


def test_without_balances_the_check_names_what_turns_up_in_an_account_that_nobody_reads_any_more(
    office: Office,
) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    office.qonto_lists_accounts(lambda them: [one | {"balance": None, "balance_cents": None} for one in them])
    old = company.account_ids[1]
    company.at_qonto(f"accounts/{old}/close")
    office.world.move_to(office.world.now + LATE)
    office.night()
    [late] = company.moves(spends(100, account_id=old))

    found = check_over(company.connection, office.workbench)

    assert [(one.transaction_id, one.what) for one in found.wrong] == [(late, "lost")]
    read_again_from(old, office.world.now - LATE)
    office.night()
    assert company.state(late) == "posted"


def test_an_account_that_was_read_for_good_is_stopped_however_late_its_event_is_followed(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    said = office.world.last_event()
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")
    office.world.move_to(office.world.now + LATE)
    office.night()

    office.hear(said)
    office.turn()

    assert outcomes() == ["stopped"]
    assert company.runs()[-1].state == RunState.DONE


def test_a_closed_account_is_not_made_again_by_any_event_or_night(office: Office) -> None:
    company = office.connect(office.company(accounts=[{"name": "Main"}, {"name": "Old"}]), follow=True)
    office.turn()
    said = office.world.last_event()
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")
    [in_xero] = company.bank_accounts(name="Old")
    company.in_xero(f"accounts/{in_xero['id']}/archive")

    office.hear(said)
    company.at_qonto(f"accounts/{company.account_ids[1]}/emit", {"type": CREATED, "status": "active"})
    office.hear(said)
    office.turn()
    office.night()

    assert outcomes() == ["stopped", "stopped"]
    assert active(company) == ["Main"]


def test_an_account_that_is_in_xero_says_so_while_a_closed_ones_rows_are_uncertain(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    company.moves(spends(100, account_id=company.account_ids[1]))
    office.world.fault("drop", when="after")
    said = office.world.last_event()
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")
    company.opens_account("Taxes")

    office.hear(said)
    office.turn()

    assert outcomes() == ["", "in_xero"]
    office.run_until_quiet()
    assert (outcomes(), company.states()) == (["stopped", "in_xero"], {"posted": 1})


def test_closing_one_account_sends_nothing_of_another_that_waits_for_its_night(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    company.in_xero("lock-date", {"period_lock_date": office.world.now.date().isoformat()})
    [held] = company.moves(spends(100))
    office.night()
    assert company.state(held) == "held: lock_date"
    company.in_xero("lock-date", {"period_lock_date": None})
    said = office.world.last_event()
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")

    office.hear(said)
    office.run_until_quiet()
    assert (outcomes(), company.state(held)) == (["stopped"], "held: lock_date")

    office.night()
    assert company.state(held) == "posted"


def test_a_closed_account_is_read_again_until_its_balance_is_explained(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    [payment] = company.moves(spends(100, account_id=old))
    company.at_qonto(f"accounts/{old}/close")
    office.qonto_lists(lambda _: [])
    office.night()
    assert company.state(payment) == "unknown"
    office.restart()

    office.night()

    assert company.state(payment) == "posted"


def test_what_is_shown_late_of_a_closed_account_still_reaches_xero(office: Office) -> None:
    company = office.established()
    old = company.opens_account("Old")
    office.night()
    office.morning()
    office.world.settings(qonto_list_lag=30 * 60)
    company.moves(spends(100, account_id=old))
    said = office.world.last_event()
    company.at_qonto(f"accounts/{old}/close")
    office.hear(said)
    office.turn()
    assert company.states() == {}

    office.night()

    assert company.states() == {"posted": 1}


def test_closing_sends_a_long_history_in_turns(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.job.TURN_TRANSACTIONS", 2)
    monkeypatch.setattr("services.post_transactions.BATCH_ROWS", 1)
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    company.moves(*(spends(100 + n, account_id=old) for n in range(5)))
    said = office.world.last_event()
    company.at_qonto(f"accounts/{old}/close")

    office.hear(said)
    office.run_until_quiet()

    assert company.states() == {"posted": 5}
    assert outcomes() == ["stopped"]
    assert company.runs()[-1].turns >= 3


# Order, repetition, loss.


def test_events_say_look_and_qonto_says_what_is(office: Office) -> None:
    """Deactivated before created, all of it twice: the account's newest version counts, not the newest message."""
    company = office.established()
    said = office.world.last_event()
    opened = company.opens_account("Short-lived")
    office.world.wait(seconds=5)
    company.at_qonto(f"accounts/{opened}/close")

    received = office.hear(said, lambda events: [*reversed(events), *events])
    office.run_until_quiet()

    assert received == [Reception.STORED, Reception.STORED, Reception.KNOWN, Reception.KNOWN]
    assert outcomes() == ["stopped", "stopped"]
    assert active(company) == ["Main"]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_repetition_ends_in_the_newest_version_of_each_account(office: Office, seed: int) -> None:
    random = Random(seed)
    company = office.established()
    said, asked = office.world.last_event(), office.world.last_request()
    opened = [company.opens_account(f"Account {number}") for number in range(6)]
    office.world.wait(seconds=1)
    for account_id in opened[:3]:
        company.at_qonto(f"accounts/{account_id}/close")

    def shuffled(events: list[Any]) -> list[Any]:
        twice = [*events, *events]
        random.shuffle(twice)
        return twice

    office.hear(said, shuffled)
    office.run_until_quiet()

    assert active(company) == sorted(["Main", *(f"Account {number}" for number in (3, 4, 5))])
    assert accounts_made(company, asked) == 3
    assert set(outcomes()) == {"in_xero", "stopped"}
    assert len(outcomes()) == 9


def test_an_event_ahead_of_qontos_list_is_looked_at_again_until_the_list_has_caught_up(office: Office) -> None:
    company = office.established()
    office.world.settings(qonto_account_lag=20)
    said = office.world.last_event()
    company.opens_account("Taxes")

    office.hear(said)
    office.turn()
    assert (outcomes(), active(company)) == ([""], ["Main"])
    office.run_until_quiet()

    assert (outcomes(), active(company)) == (["in_xero"], ["Main", "Taxes"])
    assert company.runs()[-1].failures == 0


def test_an_older_version_that_qonto_shows_later_does_not_bring_a_closed_account_back(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    office.world.wait(hours=1)
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")
    office.night()
    [in_xero] = company.bank_accounts(name="Old")
    company.in_xero(f"accounts/{in_xero['id']}/delete")
    office.world.settings(qonto_account_lag=48 * 60 * 60)

    office.night()

    assert active(company) == ["Main"]


def test_an_account_that_qonto_never_shows_is_given_up_and_the_next_night_looks_again(office: Office) -> None:
    company = office.established()
    body = event(organisation_id=company.id, account_id="nobody's", version=office.world.now.isoformat())

    office.receive(body, **headers_of(body))
    began = office.world.now
    office.run_until_quiet()

    assert outcomes() == ["not_seen_in_qonto"]
    assert PATIENCE <= office.world.now - began < 2 * PATIENCE


def test_an_event_from_the_future_keeps_no_run_open_for_ever(office: Office) -> None:
    company = office.established()
    body = event(organisation_id=company.id, account_id=company.account_id, version="2999-01-01T00:00:00Z")

    office.receive(body, **headers_of(body))
    office.run_until_quiet()

    assert outcomes() == ["not_seen_in_qonto"]
    assert active(company) == ["Main"]


def test_a_lost_message_is_sent_again_after_five_minutes(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    lost = claim_unsent(OutboxMessage, "a broker that dies", office.world.now, 10)
    mark_sent(OutboxMessage, [message.id for message in lost], office.world.now)

    office.world.move_to(office.world.now + SILENCE - timedelta(seconds=1))
    office.turn()
    assert outcomes() == [""]
    office.world.wait(seconds=1)
    office.turn()

    assert outcomes() == ["in_xero"]


@pytest.mark.parametrize("what", ["opened", "closed"])
def test_the_night_repairs_an_event_that_never_came(office: Office, what: str) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    if what == "opened":
        company.opens_account("Taxes")
    else:
        company.moves(spends(100, account_id=company.account_ids[1]))
        company.at_qonto(f"accounts/{company.account_ids[1]}/close")

    office.night()
    office.night()
    asked = office.world.last_request()
    office.night()

    if what == "opened":
        assert active(company) == ["Main", "Old", "Taxes"]
    else:
        assert company.states() == {"posted": 1}
        assert listed(company, company.account_ids[1], asked) == 0


def test_a_message_that_comes_twice_at_once_does_its_work_once(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    [told] = InboxEvent.select()
    asked = office.world.last_request()

    with before("services.follow_accounts.provision_accounts", lambda: office.follow(told.id)):
        office.turn()
    office.run_until_quiet()

    assert accounts_made(company, asked) == 1
    assert outcomes() == ["in_xero"]


def test_an_event_that_comes_while_the_run_is_about_to_end_is_not_left_behind(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    said = office.world.last_event()

    def one_more() -> None:
        company.opens_account("Salaries")
        office.hear(said)
        office.turn()

    with before("services.sync_organisation._end", one_more):
        office.turn()

    assert outcomes() == ["in_xero", "in_xero"]
    assert active(company) == ["Main", "Salaries", "Taxes"]


# With a night, and with trouble.


def test_the_night_gives_way_to_an_account_and_goes_on_after_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.job.LOOK_ROUND", timedelta(0))
    monkeypatch.setattr("services.post_transactions.BATCH_ROWS", 1)
    company = office.established()
    company.moves(*(spends(100 + n) for n in range(6)))
    said = office.world.last_event()
    seen: list[int] = []

    def an_account_is_opened() -> None:
        company.opens_account("Taxes")
        office.hear(said)
        [told] = InboxEvent.select()
        office.follow(told.id)  # the lease is held, so it waits in line

    office.at_23()
    with before("services.post_transactions.freeze_batch", an_account_is_opened):
        office.turn()
    seen.append(len(company.postings_sent()))
    office.run_until_quiet()

    assert seen == [1], "what was under way is brought to its end"
    assert outcomes() == ["in_xero"]
    assert company.states() == {"posted": 6}
    [accounts, night] = [one for one in company.runs() if one.kind in {RunKind.ACCOUNTS, RunKind.NIGHTLY}][-2:]
    assert sorted([accounts.kind, night.kind]) == [RunKind.ACCOUNTS, RunKind.NIGHTLY]
    assert {accounts.state, night.state} == {RunState.DONE}


def test_an_account_closed_during_its_night_has_its_rows_once(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    company.moves(*(spends(100 + n, account_id=old) for n in range(3)))
    said = office.world.last_event()
    office.at_23()

    def it_is_closed() -> None:
        company.at_qonto(f"accounts/{old}/close")
        office.hear(said)

    with before("services.post_due.post_transactions", it_is_closed):
        office.turn()
    office.run_until_quiet()
    settled = office.world.last_request()
    office.night()
    office.night()

    assert company.states() == {"posted": 3}
    assert outcomes() == ["stopped"]
    assert company.postings_sent(settled) == []


@pytest.mark.parametrize("action", ["drop", "garbage", "status"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_creation_without_an_answer_is_found_again(office: Office, action: str, when: str) -> None:
    company = office.established()
    told: dict[str, Any] = {"status": 500} if action == "status" else {}
    office.world.fault(action, path="/Accounts$", when=when, **told)
    said = office.world.last_event()
    company.opens_account("Taxes")

    office.hear(said)
    office.run_until_quiet()

    assert active(company) == ["Main", "Taxes"]
    assert outcomes() == ["in_xero"]


def test_a_run_that_fails_for_good_says_so_in_each_event_and_the_night_repairs_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.verdict.BACKOFF", ())
    company = office.established()
    office.world.fault("drop", path="/Accounts$", when="before")
    said = office.world.last_event()
    company.opens_account("Taxes")

    office.hear(said)
    office.run_until_quiet()
    assert outcomes() == ["given_up"]
    assert company.runs()[-1].state == RunState.FAILED

    office.night()
    assert active(company) == ["Main", "Taxes"]


def test_a_run_that_kills_its_worker_is_given_up_with_its_events(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)

    for _ in range(sync_organisation.MOST_STARTS):
        with office.power_cut("services.follow_accounts.provision_accounts", when="before"):
            office.turn()
        office.world.move_to(max(office.world.now, office.next_wake()))
    office.run_until_quiet()

    assert outcomes() == ["given_up"]
    assert company.runs()[-1].state == RunState.FAILED


def test_xeros_limit_makes_an_account_wait_no_longer_than_xero_says(office: Office) -> None:
    company = office.established()
    office.world.fault(
        "status", method="GET", path="/Accounts$", when="before", status=429, problem="minute", retry_after=37
    )
    said = office.world.last_event()
    company.opens_account("Taxes")

    office.hear(said)
    office.turn()
    [wake_at] = [run.wake_at for run in office.open_runs()]
    office.run_until_quiet()

    assert timedelta(seconds=36) <= wake_at - company.runs()[-1].started_at <= timedelta(seconds=38)
    assert outcomes() == ["in_xero"]


def i15(office: Office, company: Company) -> list[str]:
    """What `check` finds wrong with how accounts follow Qonto."""
    lines = lines_of_database(company.connection, office.world.now)
    return next(line.violations for line in lines if line.name == "I15")


def test_the_check_names_an_event_that_nobody_follows(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    office.world.wait(minutes=15)
    assert i15(office, company) == []

    office.world.wait(seconds=1)

    [told] = InboxEvent.select()
    [violation] = i15(office, company)
    assert violation.startswith(f"event {told.id} has not been followed since")
    office.run_until_quiet()
    assert i15(office, company) == []


def test_the_check_names_an_account_that_is_older_here_than_what_was_told(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    office.turn()

    BankAccount.update(updated_at=office.world.now - timedelta(days=1)).where(BankAccount.name == "Taxes").execute()

    [violation] = i15(office, company)
    assert violation.endswith("told of a version of its account that is newer than ours")
    office.night()
    assert i15(office, company) == [], "the night reads it again"


# Who may speak, and what is kept.


def test_an_organisation_that_is_not_connected_wakes_nobody(office: Office) -> None:
    company = office.company()
    said = office.world.last_event()
    company.opens_account("Taxes")

    assert office.hear(said) == [Reception.STORED]

    assert outcomes() == ["not_connected"]
    assert OutboxMessage.select().count() == 0


def test_an_organisation_is_known_by_its_id_alone(office: Office) -> None:
    company = office.established()
    body = event(organisation_id=company.known["slug"], account_id=company.account_id)

    office.receive(body, **headers_of(body))

    assert outcomes() == ["not_connected"]


def test_a_message_that_finds_the_organisation_disconnected_does_nothing(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    company.opens_account("Taxes")
    office.hear(said)
    Connection.update(state=ConnectionState.NEEDS_RECONNECT).where(Connection.id == company.connection_id).execute()
    make_access_refusal(connection_id=company.connection_id, refused_at=office.world.now)
    asked = office.world.last_request()

    office.turn()

    assert outcomes() == ["not_connected"]
    assert company.requests(asked) == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda body, headers: (body + b" ", headers), "its signature is not that of its bytes"),
        (lambda body, _: (body, {}), "not signed"),
        (lambda body, headers: (body, headers | {"x-qonto-key-id": "stolen"}), "signed under a key"),
    ],
)
def test_what_nobody_we_trust_has_signed_is_kept_sealed_and_does_nothing(
    office: Office, spoil: Callable[[bytes, dict[str, str]], tuple[bytes, dict[str, str]]], reason: str
) -> None:
    company = office.established()
    iban = "FR7630006000011234567890189"
    body = event(organisation_id=company.id, account_id=company.account_id, iban=iban)
    spoilt, headers = spoil(body, headers_of(body))

    assert office.receive(spoilt, **headers) == Reception.QUARANTINED
    assert office.receive(spoilt, **headers) == Reception.QUARANTINED

    [kept] = Quarantine.select()
    assert reason in kept.reason
    assert iban.encode() not in bytes(kept.payload)
    assert InboxEvent.select().count() == OutboxMessage.select().where(OutboxMessage.lane == "interactive").count() == 0


def test_one_identity_with_other_bytes_is_not_believed(office: Office) -> None:
    company = office.established()
    first, other = (event(organisation_id=company.id, account_id=one) for one in (company.account_id, "another"))

    assert office.receive(first, **headers_of(first)) == Reception.STORED
    assert office.receive(other, **headers_of(other)) == Reception.QUARANTINED

    assert [one.bank_account_id for one in InboxEvent.select()] == [company.account_id]
    assert "with other bytes" in Quarantine.get().reason


def test_events_leave_no_trace_in_the_audit_and_no_iban_in_the_inbox(office: Office) -> None:
    company = office.established()
    entries = AuditEntry.select().count()
    said = office.world.last_event()
    company.opens_account("Taxes", iban="FR7630006000011234567890189")

    office.hear(said)
    office.turn()

    assert AuditEntry.select().count() == entries, "people decide, the core tells"
    assert "FR7630006000011234567890189" not in str([one.__data__ for one in InboxEvent.select()])
    assert [one["bank_account_number"] for one in company.bank_accounts(name="Taxes")] == [
        "FR7630006000011234567890189"
    ]


def test_a_run_of_accounts_is_asked_for_once_by_many_events(office: Office) -> None:
    company = office.established()
    said = office.world.last_event()
    for number in range(5):
        company.opens_account(f"Account {number}")
    office.hear(said)
    asked = office.world.last_request()

    office.run_until_quiet()

    assert SyncRun.select().where(SyncRun.kind == RunKind.ACCOUNTS).count() == 1
    reads = [one for one in company.requests(asked) if one.method == "GET" and one.path.endswith("/Accounts")]
    assert len(reads) == 1, "five events, one look"
    assert take_lease(company.id, "the next one", office.workbench.clock) is not None
