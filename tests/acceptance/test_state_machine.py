"""What people and misfortune do, in any order: after each such journey everything is there once, or we say why not.

NIGHTS_EXAMPLES and NIGHTS_STEPS ask for more and longer journeys than a test run needs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clients.http import Http
from models.chosen import runs_numbered
from models.database import configure, connected
from models.states import OPEN_RUN_STATES, Lane
from models.sync_run import SyncRun
from services.replay import Person, replay, runs_once_more
from services.request_sync import request_sync
from tests.acceptance.world import Office, Row, World, receives, spends

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]

EXAMPLES = int(os.environ.get("NIGHTS_EXAMPLES", "30"))
IS_LONG = "NIGHTS_EXAMPLES" in os.environ
STEPS = int(os.environ.get("NIGHTS_STEPS", "15"))
MAY_BE_MISSING = {"held: account_not_in_xero", "excluded: account_closed_and_gone"}  # closed at Qonto, gone in Xero

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
FAULTS: tuple[Row, ...] = (
    {"action": "drop", "when": "after"},
    {"action": "drop", "when": "before"},
    {"action": "garbage", "when": "after"},
    {"action": "status", "when": "before", "status": 500},
    {"action": "status", "when": "after", "status": 500},
    {"action": "status", "when": "before", "status": 503},
    {"action": "status", "when": "before", "status": 429, "problem": "minute", "retry_after": 30},
    {"action": "drop", "when": "after", "path": "/Accounts$"},
    {"action": "drop", "when": "before", "method": "GET", "path": "/BankTransactions$"},
)
WAITS = (20, 50, 100, 250, 310, 370, 430, 3600)  # seconds

amounts = st.sampled_from((1, 100, 100, 4730, 250_000))
one_of_them = st.integers(0, 1_000)


class Nights(RuleBasedStateMachine):
    """One customer. Each rule is something that a person, or the night itself, does."""

    new_office: Callable[[ExitStack], Office]

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.office = self.new_office(self._open)
        self.world = self.office.world
        self._names = count(1)

    @initialize(accounts=st.integers(1, 3))
    def connect(self, accounts: int) -> None:
        self.company = self.office.connected(accounts=[{"name": f"Account {n}"} for n in range(accounts)])

    # At Qonto.

    @rule(cents=amounts, twice=st.booleans(), number=one_of_them)
    def pay(self, cents: int, twice: bool, number: int) -> None:
        rows = [spends(cents, account_id=self._account(number))] * (2 if twice else 1)
        self.company.moves(*rows)

    @rule(cents=amounts, number=one_of_them, settles=st.booleans())
    def receive_later(self, cents: int, number: int, settles: bool) -> None:
        [pending] = self.company.moves(receives(cents, account_id=self._account(number), status="pending"))
        self.world.wait(minutes=1)
        self.company.at_qonto(f"transactions/{pending}/{'settle' if settles else 'decline'}", {} if settles else None)

    @precondition(lambda self: self.company.truth())
    @rule(number=one_of_them, text=st.sampled_from(("edited", "<b>", "")))
    def edit(self, number: int, text: str) -> None:
        ids = sorted(self.company.truth())
        self.company.at_qonto(f"transactions/{ids[number % len(ids)]}", {"note": text, "label": text or "none"})

    @rule()
    def open_account(self) -> None:
        self.company.opens_account(f"Opened {next(self._names)}")

    @precondition(lambda self: len(self._accounts()) > 1)
    @rule(number=one_of_them)
    def close_account(self, number: int) -> None:
        accounts = self._accounts()[1:]
        self.company.at_qonto(f"accounts/{accounts[number % len(accounts)]}/close")

    # In Xero.

    @precondition(lambda self: self._live_rows())
    @rule(number=one_of_them)
    def delete_row(self, number: int) -> None:
        rows = self._live_rows()
        self.company.in_xero(f"bank-transactions/{rows[number % len(rows)]}/delete")

    @precondition(lambda self: self._banks())
    @rule(number=one_of_them, how=st.sampled_from(("archive", "delete")))
    def take_account_away(self, number: int, how: str) -> None:
        banks = self._banks()
        self.company.in_xero(f"accounts/{banks[number % len(banks)]}/{how}")

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

    @rule()
    def sync(self) -> None:
        self.office.sync_now(self.company)

    @rule()
    def ask_without_waiting(self) -> None:
        request_sync(self.company.connection, Lane.INTERACTIVE, "ada", self.world.now)
        self.office.turn()

    @precondition(lambda self: self._ended_runs())
    @rule(number=one_of_them)
    def replay(self, number: int) -> None:
        ended = self._ended_runs()
        list(
            replay(
                runs_once_more(runs_numbered([ended[number % len(ended)].id])), Person("ada", "to see"), self.world.now
            )
        )
        self.office.turn()

    @rule(cut=st.sampled_from(CUTS), cents=amounts)
    def die(self, cut: tuple[str, str], cents: int) -> None:
        """The power goes out at that place, if the turn comes there; the next process finds what was stored."""
        self.company.moves(spends(cents, account_id=self._account(0)))
        request_sync(self.company.connection, Lane.INTERACTIVE, "ada", self.world.now)
        place, when = cut
        with suppress(AssertionError), self.office.power_cut(place, when=when):
            self.office.turn()

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 5), cents=amounts)
    def misfortune(self, fault: Row, times: int, cents: int) -> None:
        """Xero fails while something is on its way there."""
        self.world.fault(**fault, times=times)
        self.company.moves(spends(cents, account_id=self._account(0)))
        request_sync(self.company.connection, Lane.INTERACTIVE, "ada", self.world.now)
        self.office.turn()

    @precondition(lambda self: self.company.states()["uncertain"])
    @rule(how=st.sampled_from(("delete", "leave")), seconds=st.sampled_from(WAITS))
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
        """Faults off, and a night and a morning in which everything comes to rest."""
        for fault in self.world.sandbox.get("/faults")["faults"]:
            if fault["hits"] < fault["times"]:
                self.world.sandbox.delete(f"/faults/{fault['id']}")
        self.office.run_until_quiet()
        self.office.night()
        self.office.morning()
        missing = {key: self.company.state(key) for key in self.company.lost()}
        self.company.missing = {key: state for key, state in missing.items() if state in MAY_BE_MISSING}
        self.office.check()

    def _accounts(self) -> list[str]:
        """Qonto's open accounts, the main one first."""
        accounts = self.world.sandbox.get(f"/qonto/{self.company.id}/ledger")["accounts"]
        return [account["id"] for account in accounts if account["status"] == "active"]

    def _account(self, number: int) -> str:
        accounts = self._accounts()
        return accounts[number % len(accounts)]

    def _live_rows(self) -> list[str]:
        return [row["id"] for row in self.company.rows() if row["status"] != "DELETED"]

    def _banks(self) -> list[str]:
        return [account["id"] for account in self.company.bank_accounts(status="ACTIVE", deleted=False)]

    def _ended_runs(self) -> list[SyncRun]:
        return [run for run in self.company.runs() if run.state not in OPEN_RUN_STATES]


@pytest.mark.timeout(3600)
def test_whatever_people_and_misfortune_do_everything_arrives_once(
    shared_world: World, http: Http, sqlite_template: Path, tmp_path: Path
) -> None:
    numbers = count(1)

    def new_office(stack: ExitStack) -> Office:
        path = shutil.copy(sqlite_template, tmp_path / f"nights-{next(numbers)}.sqlite3")
        shared_world.restore()
        shared_world.new_day()
        configure(f"sqlite:///{path}")
        stack.enter_context(connected())
        stack.callback(shared_world.end_faults)
        return Office(shared_world, f"sqlite:///{path}", http)

    run_state_machine_as_test(
        type("NightsHere", (Nights,), {"new_office": staticmethod(new_office)}),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not IS_LONG,
            phases=tuple(Phase) if IS_LONG else (Phase.generate,),  # a shorter journey takes minutes to find
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
