"""Qonto's events as a person wants to see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.reasons import sentence
from models.bank_account import BankAccount
from models.inbox import InboxEvent
from models.organisation import Organisation


@dataclass(frozen=True)
class EventView:
    """`organisation` and `account` are names where we know them, else ids. `outcome` is one word, `why` a sentence."""

    event: int
    type: str
    organisation: str
    account: str
    version: datetime
    happened_at: datetime
    received_at: datetime
    handled_at: datetime | None
    outcome: str
    why: str
    source: str
    event_id: str
    organisation_id: str
    bank_account_id: str
    digest: str


def view_events(events: Iterable[InboxEvent]) -> list[EventView]:
    """The same events in the same order."""
    found = list(events)
    organisations = Organisation.select().where(Organisation.id.in_({e.organisation_id for e in found} or {""}))
    accounts = BankAccount.select().where(BankAccount.id.in_({e.bank_account_id for e in found} or {""}))
    slugs = {one.id: one.slug for one in organisations}
    names = {one.id: one.name for one in accounts}
    return [
        EventView(
            event=event.id,
            type=event.type,
            organisation=slugs.get(event.organisation_id, event.organisation_id),
            account=names.get(event.bank_account_id, event.bank_account_id),
            version=event.version,
            happened_at=event.happened_at,
            received_at=event.received_at,
            handled_at=event.handled_at,
            outcome=event.outcome if event.handled_at else "waiting",
            why=sentence(event.outcome) if event.handled_at else "",
            source=event.source,
            event_id=event.event_id,
            organisation_id=event.organisation_id,
            bank_account_id=event.bank_account_id,
            digest=event.digest,
        )
        for event in found
    ]
