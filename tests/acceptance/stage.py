"""A company on one machine whose scheduler and worker take turns in this process, when a test wants them to."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from models.outbox import OutboxEvent, OutboxMessage, claim_unsent, mark_sent
from scheduler.tick import tick
from services.check_fleet import check_fleet, sample_if_due
from services.sync_organisation import ACTOR, sync_organisation
from services.take_up_event import take_up_event
from services.workbench import Workbench
from tests.acceptance.processes import MORNING, Company, Ran, at, payments
from tests.acceptance.test_cli_events import at_desk
from tests.sandbox.world_client import Party, WorldClient

MOST_ROUNDS = 60  # of looking for work: what takes more does not end
NEXT_WAKE = "SELECT MIN(wake_at) FROM sync_run WHERE state IN ('due', 'running', 'waiting')"


class Stage:
    """The company and its world."""

    def __init__(self, company: Company, town: WorldClient) -> None:
        self.company = company
        self.town = town

    def customer(self, payments_made: int = 2, since: str = MORNING) -> Party:
        """A connected organisation with payments that have not been sent."""
        party = self.town.organisation()
        party.pay(*payments(payments_made))
        self.company.connect_at_once(party, since=since)
        return party

    @property
    def now(self) -> datetime:
        """What the world's clock shows."""
        return datetime.fromisoformat(self.town.control("GET", "/clock")["now"])

    def in_xero(self, party: Party, what: str, body: dict[str, object] | None = None) -> dict[str, object]:
        """A person does something in a customer's Xero."""
        return self.town.control("POST", f"/xero/{party.tenant}/{what}", body or {})

    def opens_what_is_due(self) -> None:
        """The scheduler ticks, and no worker is there."""
        with at_desk(self.company) as workbench:
            tick(workbench.clock())

    def works(self) -> None:
        """The scheduler ticks, and workers take what it tells them, until nothing more can be done now."""
        with at_desk(self.company) as workbench:
            for _ in range(MOST_ROUNDS):
                tick(workbench.clock())
                if not _take_messages(workbench):
                    return
        raise AssertionError("it does not end")

    def until_quiet(self) -> None:
        """The same, and when all that is left waits, the clock moves on to where the first of it goes on."""
        for _ in range(MOST_ROUNDS):
            self.works()
            ((wake_at,),) = self.company.query_file(NEXT_WAKE)
            if wake_at is None:
                return
            at(self.town, max(self.now, datetime.fromisoformat(wake_at)).isoformat())
        raise AssertionError("it does not end")

    def looks_at_itself(self) -> None:
        """The scheduler looks after invariants, and workers compare tonight's sample with Xero."""
        with at_desk(self.company) as workbench:
            check_fleet(workbench.clock())
            sample_if_due(workbench.clock())
        self.works()

    def copy_of_database(self) -> Path:
        """A backup, taken now."""
        copy = self.company.folder / "backup.sqlite3"
        self.company.execute(f"VACUUM INTO '{copy}'")
        return copy

    def say(self, *words: str) -> Ran:
        """A person types a command."""
        return self.company.ask(*words)


def _take_messages(workbench: Workbench) -> bool:
    """Whether there were any. What Qonto's core is told leaves as well."""
    now = workbench.clock()
    claimed = claim_unsent(OutboxMessage, "stage", now, 100)
    mark_sent(OutboxMessage, [message.id for message in claimed], now)
    mark_sent(OutboxEvent, [event.id for event in claim_unsent(OutboxEvent, "stage", now, 100)], now)
    for message in claimed:
        told = json.loads(message.arguments)
        run_id = told["run_id"] if message.actor == ACTOR else take_up_event(told["event_id"], now)
        if run_id is not None:
            sync_organisation(run_id, workbench, lambda: False)
    return bool(claimed)
