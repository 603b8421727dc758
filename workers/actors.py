"""The actors: load nothing, decide nothing, call one service. Their names on the wire outlive deploys."""

from __future__ import annotations

from threading import Event

import dramatiq

from clients.qonto.account_events import EventType
from failpoints import hit
from models.states import Lane
from services.sync_organisation import ACTOR, sync_organisation
from services.take_up_event import take_up_event
from services.workbench import Workbench


def declare_actors(broker: dramatiq.Broker, workbench: Workbench, stop: Event) -> None:
    """Make the actors known to `broker`. `stop` asks a running job to end between two of its steps."""

    def follow(event_id: int) -> None:
        run_id = take_up_event(event_id, workbench.clock())
        if run_id is not None:
            sync_organisation(run_id, workbench, stop.is_set)
        hit("preack")

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=Lane.NIGHTLY)
    def sync(run_id: int, **_: object) -> None:
        """One turn of one organisation's run. What a later version adds to the message is ignored."""
        sync_organisation(run_id, workbench, stop.is_set)
        hit("preack")

    @dramatiq.actor(broker=broker, actor_name=EventType.CREATED, queue_name=Lane.INTERACTIVE)
    def account_created(event_id: int, **_: object) -> None:
        """Qonto's core says that an account was opened: it should be in Xero within a minute."""
        follow(event_id)

    @dramatiq.actor(broker=broker, actor_name=EventType.DEACTIVATED, queue_name=Lane.INTERACTIVE)
    def account_deactivated(event_id: int, **_: object) -> None:
        """Qonto's core says that an account was closed: what settled before goes to Xero, and then no more."""
        follow(event_id)
