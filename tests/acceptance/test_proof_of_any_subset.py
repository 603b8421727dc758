"""Whatever part of an account Qonto does not show whole: the balance is not called equal, and the check does not hold.

PROOF_EXAMPLES asks for more such accounts than a test run needs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clients.http import Http
from models.database import configure, connected
from services.check import check_over
from services.prove_balance import prove_balance
from tests.acceptance.world import Company, Office, Row, World, receives, spends

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]

EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "40"))
IS_LONG = "PROOF_EXAMPLES" in os.environ

Damage = Callable[[Row], Row | None]
WHOLE: Damage = lambda row: row  # noqa: E731
DAMAGES: dict[str, Damage] = {
    "whole": WHOLE,
    "hidden": lambda _: None,
    "unsettled": lambda row: row | {"settled_at": None, "settled_balance": None, "settled_balance_cents": None},
    "of no direction": lambda row: row | {"side": "sideways"},
    "of no place": lambda row: row | {"updated_at": None},
    "of no name": lambda row: row | {"id": None},
    "of no amount": lambda row: row | {"amount_cents": "much"},
}

HOURS = st.sampled_from((0, 0, 2))
accounts = st.lists(st.sampled_from(sorted(DAMAGES)), min_size=1, max_size=6).filter(
    lambda them: set(them) != {"whole"}
)


@pytest.mark.timeout(3600)
def test_no_subset_of_an_account_that_is_not_shown_whole_passes_for_proved(
    shared_world: World, http: Http, sqlite_template: Path, tmp_path: Path
) -> None:
    numbers = count(1)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not IS_LONG,
        phases=tuple(Phase) if IS_LONG else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(damages=accounts, opening=st.sampled_from((0, 100_000, -5)), is_established=st.booleans(), apart=HOURS)
    def lives(damages: list[str], opening: int, is_established: bool, apart: int) -> None:
        with ExitStack() as stack:
            path = shutil.copy(sqlite_template, tmp_path / f"proof-{next(numbers)}.sqlite3")
            shared_world.restore()
            shared_world.new_day()
            configure(f"sqlite:///{path}")
            stack.enter_context(connected())
            office = Office(shared_world, f"sqlite:///{path}", http)
            live(office, damages, opening, is_established=is_established, apart=apart)

    lives()


def live(office: Office, damages: list[str], opening: int, *, is_established: bool, apart: int) -> None:
    """One account, of which each row is shown as its damage says, for two nights; then Qonto shows all of it.

    Rows that settle hours apart are out of reach of a night that only reads on from its cursor.
    """
    begin = office.established if is_established else office.connected
    company = begin(accounts=[{"name": "Main", "balance_cents": opening}])
    rows = [
        (receives if number % 2 else spends)(100 * 2**number)  # no part of these sums is that of another
        for number in range(len(damages))
    ]
    damaged: dict[str, str] = {}
    for row, damage in zip(rows, damages, strict=True):
        damaged |= dict.fromkeys(company.moves(row), damage)
        office.world.wait(hours=apart)
    office.qonto_lists(lambda shown: [row for row in map(damage_by(damaged), shown) if row])
    assert_not_green(office, company)
    office.night()
    assert_not_green(office, company)
    office.night()
    assert_not_green(office, company)

    office.restart()
    office.night()
    office.night()

    [proof] = prove_balance(company.connection, office.workbench)
    assert (proof.is_equal, proof.problem, proof.opening) == (True, "", opening)
    checked = check_over(company.connection, office.workbench)
    assert checked.holds, checked
    office.check()


def damage_by(damaged: dict[str, str]) -> Damage:
    return lambda row: DAMAGES[damaged.get(row["id"], "whole")](row)


def assert_not_green(office: Office, company: Company) -> None:
    proofs = prove_balance(company.connection, office.workbench)
    assert not all(proof.is_equal for proof in proofs)
    assert not check_over(company.connection, office.workbench).holds
