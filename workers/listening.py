"""What the listener stands on: the queue of Qonto's events, the database, and where events go."""

from __future__ import annotations

from clients.errors import RemoteError
from messaging import Database, EventConsumer, ReceivedEvent
from metrics import EVENTS_RECEIVED
from models.database import DATABASE_OUTAGE, close_connection, open_connection
from services.receive_event import Delivery, Reception, put_into_quarantine, receive_event
from services.workbench import Workbench


def event_listener(url: str, workbench: Workbench) -> EventConsumer:
    """A consumer that stores each event, and quarantines what is none and what RabbitMQ gave up on."""

    def receive(event: ReceivedEvent) -> None:
        delivery = Delivery(event.body, event.key_id, event.signature)
        if event.died_of:
            put_into_quarantine(delivery, event.died_of, workbench)
            reception = Reception.QUARANTINED
        else:
            reception = receive_event(delivery, workbench)
        EVENTS_RECEIVED.labels(reception).inc()

    database = Database(open=open_connection, close=close_connection)
    return EventConsumer(url, receive, database, outages=(*DATABASE_OUTAGE, RemoteError))
