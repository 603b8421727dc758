"""A turn ends: the next one of its run, or of another run of the organisation, begins without a wait."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from models.lease import LEASE, LeaseRow, take_lease
from models.outbox import OutboxMessage
from models.states import RunState
from models.sync_run import SyncRun
from scheduler.tick import resend, tick, wake
from services import sync_organisation
from services.job import Job
from services.verdict import Verdict
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance


def test_the_lease_is_free_in_the_commit_that_announces_the_next_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    company.moves(*(spends(100) for _ in range(3)))
    seen: list[str] = []
    end = sync_organisation._end

    def watched(job: Job, verdict: Verdict) -> None:
        before = OutboxMessage.select().count()
        end(job, verdict)
        if OutboxMessage.select().count() > before:
            seen.append(LeaseRow.get_by_id(job.organisation.id).owner)

    monkeypatch.setattr(sync_organisation, "_end", watched)
    monkeypatch.setattr("services.job.TURN_TRANSACTIONS", 1)
    monkeypatch.setattr("services.post_transactions.BATCH_ROWS", 1)
    office.at_23()
    office.run_until_quiet()

    assert seen
    assert set(seen) == {""}


def test_a_run_whose_next_turn_waits_in_the_queue_gets_no_second_message(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    company.moves(*(spends(100) for _ in range(3)))
    monkeypatch.setattr("services.job.TURN_TRANSACTIONS", 1)
    monkeypatch.setattr("services.post_transactions.BATCH_ROWS", 1)
    office.at_23()
    tick(office.world.now)
    office.take_one_message()
    assert company.runs()[-1].state == RunState.RUNNING

    office.world.wait(hours=1)

    assert wake(office.world.now) == 0
    assert resend(office.world.now, lambda _: 0) == 0, "its message is in the outbox"
    office.run_until_quiet()


def test_a_run_that_met_another_of_its_organisation_goes_on_as_soon_as_that_has_ended(office: Office) -> None:
    company = office.established()
    office.at_23()
    tick(office.world.now)
    held = take_lease(company.id, "the worker of another run", office.workbench.clock)
    assert held is not None
    office.turn()
    assert company.runs()[-1].state == RunState.WAITING

    held.release()
    office.turn()

    assert company.runs()[-1].state == RunState.DONE


def test_a_run_that_is_still_a_dead_workers_goes_on_as_soon_as_the_lease_has_run_out(office: Office) -> None:
    company = office.established()
    office.at_23()
    tick(office.world.now)
    (message,) = OutboxMessage.select().where(OutboxMessage.sent_at.is_null())
    run_id = json.loads(message.arguments)["run_id"]
    take_lease(company.id, "a worker that dies", office.workbench.clock)
    SyncRun.update(state=RunState.RUNNING).where(SyncRun.id == run_id).execute()
    office.turn()

    office.world.wait(seconds=LEASE.total_seconds())
    office.turn()

    assert SyncRun.get_by_id(run_id).state == RunState.DONE


def test_the_runs_of_a_dead_worker_come_back_apart(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    companies = [office.established(name) for name in ("Farolillo SL", "Bombilla SL")]
    office.at_23()
    tick(office.world.now)

    with monkeypatch.context() as patch:
        patch.setattr(sync_organisation, "_turn", power_cut)
        for run in (company.runs()[-1] for company in companies):
            with pytest.raises(KeyboardInterrupt):
                office.work(run.id)

    first, second = (company.runs()[-1].wake_at for company in companies)
    assert abs(second - first) >= timedelta(seconds=2)


def power_cut(job: Job) -> Verdict:
    """A worker dies."""
    raise KeyboardInterrupt
