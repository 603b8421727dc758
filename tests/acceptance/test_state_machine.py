"""What people, time and misfortune do, in any order: each such life ends with everything in Xero once, or said why not.

LIVES and LIFE_STEPS ask for more and longer lives than a test run needs, LIFE_SEED for others than the usual ones. A
life that fails is printed as lines of Python, which is its replay.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clients.errors import RateLimited
from clients.http import Http
from models.chosen import runs_numbered
from models.database import configure, connected
from models.states import OPEN_RUN_STATES, ConnectionState, Lane
from models.sync_run import SyncRun
from services.prove_balance import prove_balance
from services.replay import Person, replay, runs_once_more
from services.request_sync import request_sync
from tests.acceptance.world import Office, Row, World, receives, spends

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]

LIVES = int(os.environ.get("LIVES", "30"))
STEPS = int(os.environ.get("LIFE_STEPS", "15"))
SEED = os.environ.get("LIFE_SEED")
SHRINKS = "LIFE_SHRINKS" in os.environ  # which takes minutes
LEFT_OUT = "excluded: account_closed_and_gone"  # a person took its account away in Xero, and it is closed at Qonto

SEND = "services.send_batches"
CUTS = (
    ("services.steps.provision_accounts", "after"),
    ("services.read_accounts.import_transactions", "after"),
    (f"{SEND}._store_sending", "before"),
    (f"{SEND}._store_sending", "after"),
    (f"{SEND}.put_bank_transactions", "after"),
    (f"{SEND}.store_outcome", "after"),
    ("services.post_due.post_transactions", "after"),
)
CALLS: tuple[Row, ...] = (
    {"service": "xero", "method": "PUT", "path": "/BankTransactions$"},
    {"service": "xero", "method": "GET", "path": "/BankTransactions$"},
    {"service": "xero", "method": "GET", "path": "/Accounts$"},
    {"service": "xero", "method": "PUT", "path": "/Accounts$"},
    {"service": "xero", "method": "GET", "path": "/Organisation$"},
    {"service": "identity", "method": "POST", "path": "/token$"},
    {"service": "qonto", "method": "POST", "path": "/token$"},
    {"service": "qonto", "method": "GET", "path": "/bank_accounts$"},
    {"service": "qonto", "method": "GET", "path": "/transactions$"},
)
FAULTS: tuple[Row, ...] = (
    {"action": "drop", "when": "after"},
    {"action": "drop", "when": "before"},
    {"action": "garbage", "when": "after"},
    {"action": "truncated", "when": "after"},
    {"action": "status", "when": "before", "status": 401},
    {"action": "status", "when": "before", "status": 403},
    {"action": "status", "when": "before", "status": 429, "problem": "minute", "retry_after": 30},
    {"action": "status", "when": "before", "status": 500},
    {"action": "status", "when": "after", "status": 500},
    {"action": "status", "when": "before", "status": 503},
)
REFUSALS = {401, 403}  # of which many in a row, and not one, end a connection
LAGS = ("xero_list_lag", "qonto_list_lag", "qonto_account_lag")
WAITS = (20, 50, 100, 250, 310, 370, 430, 3600)  # seconds

amounts = st.sampled_from((1, 100, 100, 4730, 250_000))
one_of_them = st.integers(0, 1_000)


class Life(RuleBasedStateMachine):
    """One customer. Each rule is something that a person, time or the world does."""

    new_office: Callable[[ExitStack], Office]

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.office = self.new_office(self._open)
        self.world = self.office.world
        self.pending: list[str] = []
        self.taken_away: set[str] = set()  # IBANs of accounts that a person archived or deleted in Xero
        self.heard = self.world.last_event()
        self._names = count(1)

    @initialize(accounts=st.integers(1, 3), by_oauth=st.booleans())
    def connect(self, accounts: int, by_oauth: bool) -> None:
        company = self.office.company(accounts=[{"name": f"Account {n}"} for n in range(accounts)])
        self.company = self.office.connect(company, qonto_by_oauth=by_oauth)

    # At Qonto.

    @rule(cents=amounts, twice=st.booleans(), number=one_of_them)
    def pay(self, cents: int, twice: bool, number: int) -> None:
        rows = [spends(cents, account_id=self._account(number))] * (2 if twice else 1)
        self.company.moves(*rows)

    @rule(cents=amounts, number=one_of_them)
    def is_owed(self, cents: int, number: int) -> None:
        self.pending += self.company.moves(receives(cents, account_id=self._account(number), status="pending"))

    @precondition(lambda self: self.pending)
    @rule(number=one_of_them, settles=st.booleans(), late=st.booleans())
    def settle(self, number: int, settles: bool, late: bool) -> None:
        """It settles, if late by a date that has passed, or is declined."""
        row = self.pending.pop(number % len(self.pending))
        if not settles:
            self.company.at_qonto(f"transactions/{row}/decline")
            return
        ledger = self._at_qonto()["transactions"]
        made_at = next(one["created_at"] for one in ledger if one["id"] == row)
        self.company.at_qonto(f"transactions/{row}/settle", {"settled_at": made_at} if late else {})

    @precondition(lambda self: self.company.truth())
    @rule(number=one_of_them, text=st.sampled_from(("edited", "<b>", "")))
    def edit(self, number: int, text: str) -> None:
        ids = list(self.company.truth())
        self.company.at_qonto(f"transactions/{ids[number % len(ids)]}", {"note": text, "label": text or "none"})

    @rule(currency=st.sampled_from(("EUR", "EUR", "USD")), is_external=st.sampled_from((False, False, True)))
    def open_account(self, currency: str, is_external: bool) -> None:
        self.company.opens_account(f"Opened {next(self._names)}", currency=currency, is_external=is_external)

    @precondition(lambda self: len(self._accounts()) > 1)
    @rule(number=one_of_them)
    def close_account(self, number: int) -> None:
        accounts = self._accounts()[1:]
        self.company.at_qonto(f"accounts/{accounts[number % len(accounts)]}/close")

    @rule(backwards=st.booleans())
    def hear(self, backwards: bool) -> None:
        """What Qonto's core has told of accounts arrives."""
        after, self.heard = self.heard, self.world.last_event()
        self.office.hear(after, lambda said: said[::-1] if backwards else said)
        self.office.turn()

    # In Xero.

    @precondition(lambda self: self._live_rows())
    @rule(number=one_of_them)
    def delete_row(self, number: int) -> None:
        rows = self._live_rows()
        self.company.in_xero(f"bank-transactions/{rows[number % len(rows)]}/delete")

    @precondition(lambda self: self._live_rows())
    @rule(number=one_of_them, what=st.sampled_from(("reference", "contact")))
    def edit_row(self, number: int, what: str) -> None:
        rows = self._live_rows()
        self.company.in_xero(f"bank-transactions/{rows[number % len(rows)]}/edit", {what: "by hand"})

    @precondition(lambda self: self._banks("ACTIVE"))
    @rule(number=one_of_them, how=st.sampled_from(("archive", "delete")))
    def take_account_away(self, number: int, how: str) -> None:
        banks = self._banks("ACTIVE")
        bank = banks[number % len(banks)]
        self.taken_away.add(bank["bank_account_number"])
        self.company.in_xero(f"accounts/{bank['id']}/{how}")

    @precondition(lambda self: self._banks("ARCHIVED"))
    @rule(number=one_of_them, instead=st.booleans())
    def restore_account(self, number: int, instead: bool) -> None:
        """An archived account is used again; if `instead`, the one that was made in its place is archived."""
        banks = self._banks("ARCHIVED")
        bank = banks[number % len(banks)]
        others = [one for one in self._banks("ACTIVE") if one["bank_account_number"] == bank["bank_account_number"]]
        if others and not instead:
            return  # two that are used are for a person to tidy up
        self.company.in_xero(f"accounts/{bank['id']}/unarchive")
        for other in others:
            self.company.in_xero(f"accounts/{other['id']}/archive")

    @rule(locks=st.booleans())
    def lock(self, locks: bool) -> None:
        self.company.in_xero("lock-date", {"period_lock_date": self.world.now.date().isoformat() if locks else None})

    # The connection.

    @precondition(lambda self: self.company.connection.state == ConnectionState.LIVE)
    @rule()
    def leave(self) -> None:
        self.office.disconnect(self.company)

    @precondition(lambda self: self.company.connection.state == ConnectionState.LIVE)
    @rule(how=st.sampled_from(("disconnect", "revoke")))
    def let_out(self, how: str) -> None:
        """A person ends it in Xero, and we find out."""
        self.company.in_xero(how)
        self.office.sync_now(self.company)

    @precondition(lambda self: self._is_broken())
    @rule()
    def come_back(self) -> None:
        self._end_misfortune()
        self._connect_again()

    # Time, and ourselves.

    @rule()
    def night(self) -> None:
        self.office.night()

    @rule()
    def morning(self) -> None:
        self.office.morning()

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds=seconds)
        self.office.turn()

    @precondition(lambda self: not self._is_broken())
    @rule()
    def sync(self) -> None:
        self.office.sync_now(self.company)

    @precondition(lambda self: not self._is_broken())
    @rule()
    def ask_without_waiting(self) -> None:
        self._ask()
        self.office.turn()

    @precondition(lambda self: self._ended_runs())
    @rule(number=one_of_them)
    def replay(self, number: int) -> None:
        ended = self._ended_runs()
        chosen = runs_once_more(runs_numbered([ended[number % len(ended)].id]))
        list(replay(chosen, Person("ada", "to see"), self.world.now))
        self.office.turn()

    @precondition(lambda self: not self._is_broken())
    @rule(cut=st.sampled_from(CUTS), cents=amounts)
    def die(self, cut: tuple[str, str], cents: int) -> None:
        """The power goes out at that place, if the turn comes there; the next process finds what was stored."""
        self.company.moves(spends(cents, account_id=self._account(0)))
        self._ask()
        place, when = cut
        with suppress(AssertionError), self.office.power_cut(place, when=when):
            self.office.turn()

    @precondition(lambda self: not self._is_broken())
    @rule(call=st.sampled_from(CALLS), fault=st.sampled_from(FAULTS), times=st.integers(1, 5), cents=amounts)
    def misfortune(self, call: Row, fault: Row, times: int, cents: int) -> None:
        """Qonto or Xero fails while something is on its way."""
        self.world.fault(**call, **fault, times=1 if fault.get("status") in REFUSALS else times)
        self.company.moves(spends(cents, account_id=self._account(0)))
        self._ask()
        self.office.turn()

    @rule(which=st.sampled_from(LAGS), seconds=st.sampled_from((0, 5, 90)))
    def lag(self, which: str, seconds: int) -> None:
        """From now on a list shows what has happened only later."""
        self.world.settings(**{which: seconds})

    @precondition(lambda self: self.company.states()["uncertain"])
    @rule(how=st.sampled_from(("delete", "nothing")), seconds=st.sampled_from(WAITS))
    def doubt(self, how: str, seconds: int) -> None:
        """We do not know, a person may act meanwhile, and then we look."""
        rows = self._live_rows()
        if how == "delete" and rows:
            self.company.in_xero(f"bank-transactions/{rows[-1]}/delete")
        self.world.wait(seconds=seconds)
        self.office.turn()

    # What holds at every moment, and at the end.

    @invariant()
    def nothing_is_there_twice(self) -> None:
        if hasattr(self, "company"):
            assert self.company.duplicates() == []

    def teardown(self) -> None:
        try:
            if hasattr(self, "company"):
                self._end()
        finally:
            self._open.close()

    def _end(self) -> None:
        """Nothing hinders us any more, and three days pass in which everything comes to rest."""
        self._end_misfortune()
        self.world.restore()
        self.company.in_xero("lock-date", {"period_lock_date": None})
        self.company.in_xero("currencies", {"add": ["USD"]})
        deleted = self._deleted()
        self.office.run_until_quiet()
        for _ in range(3):
            if self._is_broken():
                self._connect_again()
            self.office.night()
            self.office.morning()
        self._judge(deleted)

    def _connect_again(self) -> None:
        """A person who is asked to wait, because Qonto asked us to, tries again then."""
        try:
            self.office.reconnect(self.company)
        except RateLimited as limited:
            self.world.move_to(limited.until)
            self.office.reconnect(self.company)

    def _end_misfortune(self) -> None:
        for fault in self.world.sandbox.get("/faults")["faults"]:
            if fault["hits"] < fault["times"]:
                self.world.sandbox.delete(f"/faults/{fault['id']}")

    def _judge(self, deleted: set[str]) -> None:
        closed = {a["id"] for a in self._at_qonto()["accounts"] if a["status"] == "closed"}
        gone = {a["id"] for a in self._at_qonto()["accounts"] if a["iban"] in self.taken_away} & closed
        truth = self.company.truth()
        missing = {key: self.company.state(key) for key in self.company.lost() if truth[key]["account_id"] in gone}
        self.company.missing = {key: state for key, state in missing.items() if state == LEFT_OUT}
        self.office.check()
        assert deleted <= self._deleted(), "what a person deleted is there again"
        unproved = [
            proof for proof in prove_balance(self.company.connection, self.office.workbench) if not proof.is_proved
        ]
        assert not unproved

    def _ask(self) -> None:
        request_sync(self.company.connection, Lane.INTERACTIVE, "ada", self.world.now)

    def _is_broken(self) -> bool:
        broken = {ConnectionState.NEEDS_RECONNECT, ConnectionState.DISCONNECTED}
        return self.company.connection.state in broken

    def _at_qonto(self) -> Any:
        return self.world.sandbox.get(f"/qonto/{self.company.id}/ledger")

    def _accounts(self) -> list[str]:
        """Qonto's open accounts, the main one first."""
        return [account["id"] for account in self._at_qonto()["accounts"] if account["status"] == "active"]

    def _account(self, number: int) -> str:
        accounts = self._accounts()
        return accounts[number % len(accounts)]

    def _live_rows(self) -> list[str]:
        return [row["id"] for row in self.company.rows() if row["status"] != "DELETED"]

    def _deleted(self) -> set[str]:
        return {row["id"] for row in self.company.rows() if row["status"] == "DELETED"}

    def _banks(self, status: str) -> list[Row]:
        return self.company.bank_accounts(status=status, deleted=False, made_by="api")

    def _ended_runs(self) -> list[SyncRun]:
        return [run for run in self.company.runs() if run.state not in OPEN_RUN_STATES]


def test_whatever_people_and_misfortune_do_everything_arrives_once(
    shared_world: World, http: Http, sqlite_template: Path, tmp_path: Path
) -> None:
    numbers = count(1)

    def new_office(stack: ExitStack) -> Office:
        path = shutil.copy(sqlite_template, tmp_path / f"life-{next(numbers)}.sqlite3")
        shared_world.restore()
        shared_world.new_day()
        configure(f"sqlite:///{path}")
        stack.enter_context(connected())
        stack.callback(shared_world.end_faults)
        return Office(shared_world, f"sqlite:///{path}", http)

    life: Any = type("LifeHere", (Life,), {"new_office": staticmethod(new_office)})
    run_state_machine_as_test(
        seed(int(SEED))(life) if SEED else life,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=SEED is None,
            print_blob=True,
            phases=tuple(Phase) if SHRINKS else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
