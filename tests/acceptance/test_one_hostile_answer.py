"""No final conclusion from one answer: whatever one call of a night is answered, once, the next night is whole.

The calls are those that a clean night makes. HOSTILE_ANSWERS=all gives every answer to each of them; else each kind of
call gets each answer, at one of its turns.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path

import pytest

from clients.http import Http
from domain.core_event import Told
from models.bank_account import AccountLink
from models.database import configure, connected
from models.quarantine import Quarantine
from models.states import ConnectionState, Lane, LinkState, RunKind, RunState
from services.prove_balance import prove_balance
from services.request_sync import request_sync
from tests.acceptance.hostile import HOSTILE, Call, Hostile, OneHostileAnswer
from tests.acceptance.world import NOON, Company, Office, World, receives, spends

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1800)]

IS_WHOLE = os.environ.get("HOSTILE_ANSWERS") == "all"
MANY = 70  # rows: more than one request to Xero holds
EVENING = time(18)
FEW = 3  # problems of a case say enough
UNKNOWN_TO_THE_WORLD = "I13"  # to the world each answer was read as it gave it, and no second exchange was needed
QONTO = "/qonto/v2/"
READ = "GET"  # which changes nothing, whether it arrives or not

Fresh = Callable[[], AbstractContextManager[Office]]


@dataclass
class Evening:
    """A customer, before the night that is to be disturbed."""

    office: Office
    company: Company
    deleted: str  # a person deletes it in Xero this evening
    last_event: int  # of Qonto's core, before an account was opened

    @property
    def starts_at(self) -> datetime:
        """From when on what settles is sent."""
        starts_at: datetime = self.company.connection.starts_at
        return starts_at


def evening(office: Office, *, by_oauth: bool = True) -> Evening:
    """Something of everything waits: new accounts, a lifted lock date, a deleted row, an answer lost minutes ago."""
    company = office.connect(office.company(accounts=[{"name": "Main"}, {"name": "Old"}]), qonto_by_oauth=by_oauth)
    main, old = company.account_ids
    [deleted] = company.moves(spends(300))
    office.sync_now(company)
    company.in_xero("lock-date", {"period_lock_date": office.world.now.date().isoformat()})
    company.moves(spends(100))
    office.night()
    office.morning()
    office.world.move_to(office.world.next(NOON))
    company.moves(spends(200))
    office.world.fault("drop", when="after")
    request_sync(company.connection, Lane.INTERACTIVE, "ada", office.world.now)
    office.turn()
    assert company.states() == {"posted": 1, "held: lock_date": 1, "uncertain": 1}
    office.world.wait(minutes=8)
    company.in_xero("lock-date", {"period_lock_date": None})
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")
    company.moves(*(spends(1_000 + n, account_id=main) for n in range(MANY)), receives(50, account_id=old))
    return Evening(office, company, deleted, office.world.last_event())


def night(at: Evening) -> None:
    """Qonto's core tells of an account; then the night, and the morning."""
    office, company = at.office, at.company
    announced = company.opens_account("Announced")
    company.moves(spends(75, account_id=announced))
    office.hear(at.last_event)
    office.run_until_quiet()
    office.world.move_to(office.world.next(EVENING))
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")
    unheard = company.opens_account("Unheard of", balance_cents=9_000)
    company.moves(
        receives(15, account_id=unheard, settled_at=(at.starts_at - timedelta(days=2)).isoformat()),
        receives(25, account_id=unheard),
    )
    office.night()
    office.morning()


def next_night(at: Evening) -> None:
    """A day later, with something new for each account that is open."""
    office, company = at.office, at.company
    office.world.move_to(office.world.next(NOON))
    ledger = office.world.sandbox.get(f"/qonto/{company.id}/ledger")
    company.moves(*(spends(10, account_id=one["id"]) for one in ledger["accounts"] if one["status"] == "active"))
    office.night()
    office.morning()


def what_is_wrong(at: Evening) -> list[str]:
    """What one answer must not have brought about."""
    company = at.company
    truth = company.truth()
    states = {key: company.state(key) for key in truth}
    expected = dict.fromkeys(truth, "posted") | {at.deleted: "deleted_in_xero"}
    links = AccountLink.select().where(AccountLink.tenant_id == company.tenant)
    made = [account["name"] for account in company.bank_accounts(made_by="api")]
    accounts = at.office.world.sandbox.get(f"/qonto/{company.id}/ledger")["accounts"]
    newest = [run for run in company.runs() if run.kind == RunKind.NIGHTLY][-1]
    wrong = Counter(f"{expected[key]} is {states[key]}" for key in expected if states[key] != expected[key])
    found = [f"{times} of what should be {words}" for words, times in wrong.items()]
    found += [f"link {link.name} is {link.state}" for link in links if link.state != LinkState.LIVE]
    found += [f"{len(made)} accounts in Xero: {sorted(made)}"] if len(made) != len(accounts) else []
    if company.connection.state != ConnectionState.LIVE:
        found.append(f"the connection is {company.connection.state}: {company.connection.reason}")
    if company.told(Told.BROKEN):
        found.append("Qonto's core was told that the connection is broken")
    if newest.state != RunState.DONE:
        found.append(f"the next night is {newest.state}: {newest.reason}")
    found += [f"quarantined: {one.reason}" for one in Quarantine.select()]
    proofs = prove_balance(company.connection, at.office.workbench)
    found += [f"{proof.name}: {proof.problem or proof.unexplained}" for proof in proofs if not proof.is_proved]
    problems = [problem for problem in company.problems() if not problem.startswith(UNKNOWN_TO_THE_WORLD)]
    return found + problems[:FEW]


@dataclass(frozen=True)
class Case:
    """One call of the night, and what it is answered. `is_done`: it has its effect all the same."""

    call: Call
    answer: Hostile
    is_done: bool
    by_oauth: bool = True

    def __str__(self) -> str:
        done, key = "done and" if self.is_done else "not done,", "" if self.by_oauth else " (with an API key)"
        return f"{self.call}, {done} answered with {self.answer}{key}"


def cases(calls: Sequence[Call], answer: Hostile) -> list[Case]:
    """Every call of the night; or, of each kind of call, the one whose turn it is."""
    kinds: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in sorted(set(calls)):
        kinds[call.method, call.path].append(call)
    turn = HOSTILE.index(answer)
    chosen = [call for alike in kinds.values() for call in (alike if IS_WHOLE else [alike[turn % len(alike)]])]
    return [case for call in chosen for case in _cases_of(call, answer)]


def _cases_of(call: Call, answer: Hostile) -> Iterator[Case]:
    yield Case(call, answer, is_done=True)
    if call.method != READ and not answer.needs_truth:
        yield Case(call, answer, is_done=False)
    if call.path.startswith(QONTO) and (IS_WHOLE or answer.lets_nobody_in):
        yield Case(call, answer, is_done=True, by_oauth=False)


@pytest.fixture(scope="module")
def fresh(shared_world: World, http: Http, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Make a small world, and our own side of it, for as long as a block lasts."""
    folder, numbers = tmp_path_factory.mktemp("hostile"), count(1)

    @contextmanager
    def fresh() -> Iterator[Office]:
        path = Path(shutil.copy(sqlite_template, folder / f"{next(numbers)}.sqlite3"))
        shared_world.restore()
        shared_world.new_day()
        configure(f"sqlite:///{path}")
        with connected():
            yield Office(shared_world, f"sqlite:///{path}", http)
        path.unlink()

    return fresh


@pytest.fixture(scope="module")
def calls(fresh: Fresh, http: Http) -> list[Call]:
    """What a clean night asks."""
    with fresh() as office:
        at = evening(office)
        listening = OneHostileAnswer(http)
        office.workbench = replace(office.workbench, http=listening)
        night(at)
        office.restart()
        next_night(at)
        assert what_is_wrong(at) == []
    return listening.calls


def came_of(case: Case, fresh: Fresh, http: Http) -> list[str]:
    """What is wrong after the night with that answer, and the next one."""
    with fresh() as office:
        at = evening(office, by_oauth=case.by_oauth)
        hostile = OneHostileAnswer(http, case.call, case.answer, is_done=case.is_done)
        office.workbench = replace(office.workbench, http=hostile)
        try:
            night(at)
            assert case.call in hostile.calls, "the call was never made"
            office.restart()
            next_night(at)
        except AssertionError as error:
            return [str(error)]
        return what_is_wrong(at)


def test_a_clean_night_calls_everything_that_a_night_may_call(calls: list[Call]) -> None:
    assert {f"{call.method} {call.path}" for call in calls} == {
        "GET /qonto/v2/bank_accounts",
        "GET /qonto/v2/transactions",
        "GET /xero/api.xro/2.0/Accounts",
        "GET /xero/api.xro/2.0/BankTransactions",
        "GET /xero/api.xro/2.0/Organisation",
        "POST /identity/connect/token",
        "POST /qonto/oauth2/token",
        "PUT /xero/api.xro/2.0/Accounts",
        "PUT /xero/api.xro/2.0/BankTransactions",
    }


@pytest.mark.parametrize("answer", HOSTILE, ids=str)
def test_after_one_hostile_answer_the_next_night_is_whole_and_nothing_is_final(
    answer: Hostile, calls: list[Call], fresh: Fresh, http: Http
) -> None:
    wrong = [f"{case}: {found}" for case in cases(calls, answer) for found in came_of(case, fresh, http)]

    assert not wrong, "\n".join(wrong)
