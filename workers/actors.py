"""The actors: load nothing, decide nothing, call one service. Their names on the wire outlive deploys."""

from __future__ import annotations

from threading import Event

import dramatiq

from failpoints import hit
from messaging.lanes import Lane
from services.sync_organisation import ACTOR, sync_organisation
from services.workbench import Workbench


def declare_actors(broker: dramatiq.Broker, workbench: Workbench, stop: Event) -> None:
    """Make the actors known to `broker`. `stop` asks a running job to end between two of its steps."""

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=Lane.NIGHTLY)
    def sync(run_id: int, **_: object) -> None:
        """One turn of one organisation's run. What a later version adds to the message is ignored."""
        sync_organisation(run_id, workbench, stop.is_set)
        hit("preack")
