"""A big organisation takes turns, so that no small one waits behind it."""

from __future__ import annotations

import pytest

from domain.bank_transaction import BATCH_ROWS
from domain.call_limits import IN_PROGRESS
from models.lease import take_lease
from scheduler.tick import tick
from tests.acceptance.world import Office, before, read_log, spends

pytestmark = pytest.mark.acceptance


def test_twelve_hundred_transactions_take_turns_and_a_small_organisation_is_served_between(office: Office) -> None:
    big, small = office.connected("Big SL"), office.connected("Small SL")
    big.moves(*(spends(100 + number) for number in range(1_200)))
    small.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()

    office.turn()
    office.run_until_quiet()

    assert big.runs()[-1].turns == 3
    served = [request.body for request in read_log(office.world, asked) if request.is_posting]
    [place] = [number for number, body in enumerate(served) if small.row_ids()[0] in body]
    assert place == 10
    assert len(served) == 25
    assert len([request for request in big.requests(asked) if request.path.endswith("/Accounts")]) == 3


def test_a_worker_that_is_told_to_stop_ends_between_two_batches_and_the_next_goes_on(office: Office) -> None:
    company = office.established()
    company.moves(*(spends(100 + number) for number in range(450)))
    office.at_23()
    office.stopping = lambda: len(company.postings_sent()) >= 1
    tick(office.world.now)
    office.take_one_message()

    assert set(company.states()) == {"posted", "due"}
    assert company.states()["posted"] <= (1 + IN_PROGRESS) * BATCH_ROWS
    assert company.runs()[-1].state == "running"
    office.stopping = lambda: False
    office.run_until_quiet()
    assert company.states() == {"posted": 450}
    assert len(company.postings_sent()) == 9


def test_a_turn_whose_time_is_up_goes_on_reading_where_it_was(office: Office) -> None:
    company = office.connected()
    company.moves(*(spends(100 + number) for number in range(250)))
    office.at_23()
    lists = [0]

    def impatient() -> bool:
        lists[0] += 1
        return lists[0] == 1

    office.stopping = impatient
    office.run_until_quiet()

    assert company.states() == {"posted": 250}
    assert company.runs()[-1].turns == 2


def test_a_worker_that_is_overtaken_before_it_began_leaves_its_run_due_at_once(office: Office) -> None:
    company = office.connected()
    [ours] = company.moves(spends(100))
    office.at_23()
    tick(office.world.now)

    def overtake() -> None:
        office.world.wait(seconds=91)  # the worker stood still, and its lease has expired
        lease = take_lease(company.id, "another worker", office.workbench.clock)
        assert lease
        lease.release()

    with before("services.sync_organisation._begin", overtake):
        office.take_one_message()
    assert company.state(ours) == "unknown"

    office.turn()

    assert company.state(ours) == "posted"
