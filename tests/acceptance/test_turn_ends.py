"""A turn ends: the next one of its run, or of another run of the organisation, begins without a wait."""

from __future__ import annotations

import pytest

from models.lease import LeaseRow, take_lease
from models.outbox import OutboxMessage
from models.states import RunState
from scheduler.tick import tick
from services import sync_organisation
from services.job import Job
from services.sync_organisation import Verdict
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
