"""The process ends at the worst moment: another one takes over, and nothing is lost or made twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clients.xero import bank_transactions
from models.lease import LeaseRow
from models.posting import PostingEvent
from models.posting_batch import PostingBatch
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance

POST = "services.send_batches"
MOMENTS = {
    "before the accounts are read": ("services.steps.provision_accounts", "before"),
    "after the rows are stored and the cursor has moved": ("services.read_accounts.import_transactions", "after"),
    "after the intent, before it is sent": (f"{POST}._store_sending", "before"),
    "after it is marked as sending, before it is sent": (f"{POST}.put_bank_transactions", "before"),
    "after it is sent, before its outcome": (f"{POST}.put_bank_transactions", "after"),
    "after the outcome, before the end of the run": ("services.post_due.post_transactions", "after"),
}


@pytest.mark.parametrize("message", ["lost", "delivered again"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_another_worker_takes_over_once_the_lease_has_ended(office: Office, moment: str, message: str) -> None:
    company = office.established()
    company.moves(spends(100), spends(100), spends(300))
    office.at_23()
    place, when = MOMENTS[moment]

    with office.power_cut(place, when=when):
        office.turn()

    fence = LeaseRow.get_by_id(company.id).fence
    asked = office.world.last_request()
    if message == "delivered again":
        office.work(company.runs()[-1].id)
    office.turn()
    assert company.requests(asked) == []
    office.world.move_to(office.next_wake())
    office.turn()
    assert LeaseRow.get_by_id(company.id).fence == fence + 1
    office.run_until_quiet()
    assert company.states() == {"posted": 3}
    assert [run.state for run in company.runs()] == ["done"] * len(company.runs())


def test_a_sending_batch_of_a_dead_worker_is_sent_again_under_its_key_by_the_next(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    with office.power_cut(f"{POST}.put_bank_transactions", when="after"):
        office.turn()

    office.world.wait(seconds=91)
    office.work(company.runs()[-1].id)
    office.run_until_quiet()

    first, second = company.postings_sent()
    assert (first.key, first.sha256) == (second.key, second.sha256)
    assert second.at - first.at == timedelta(seconds=91)


def test_an_account_whose_creator_died_before_reading_the_answer_is_found_by_its_code(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.at_23()
    with office.power_cut("services.create_account.create_bank_account", when="after"):
        office.turn()

    office.run_until_quiet()

    assert len(company.bank_accounts()) == 1
    assert company.states() == {"posted": 1}


def test_a_worker_that_outlived_its_lease_writes_nothing_more(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    real = bank_transactions.put_bank_transactions
    with pytest.MonkeyPatch.context() as slow:

        def while_the_lease_ends(*args: Any) -> Any:
            slow.undo()
            answer = real(*args)
            office.world.wait(seconds=91)
            office.work(company.runs()[-1].id)
            return answer

        slow.setattr(f"{POST}.put_bank_transactions", while_the_lease_ends)
        office.turn()

    assert company.states() == {"posted": 1}
    assert PostingBatch.get().fence == LeaseRow.get_by_id(company.id).fence
    assert [event.state for event in PostingEvent.select().order_by(PostingEvent.id)] == [
        "sending",
        "uncertain",
        "posted",
    ]
