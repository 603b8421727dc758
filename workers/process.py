"""What a worker process stands on: a broker that knows the actors, the database, and where failures go."""

from __future__ import annotations

from threading import Event

import dramatiq

from messaging import Database, DeadLetter, in_process_broker, rabbitmq_broker
from models.database import close_connection, open_connection
from models.quarantine import quarantine
from services.workbench import Workbench
from settings import IN_PROCESS
from workers.actors import declare_actors


def worker_broker(broker_url: str, workbench: Workbench, stop: Event) -> dramatiq.Broker:
    """A broker that knows the actors, connects each message to the database, and quarantines what fails for good."""
    database = Database(open=open_connection, close=close_connection)

    def record(letter: DeadLetter) -> None:
        quarantine(f"lane {letter.queue}", letter.body, letter.reason, workbench.clock())

    broker: dramatiq.Broker
    if broker_url == IN_PROCESS:
        broker = in_process_broker(database=database, record=record)
    else:
        broker = rabbitmq_broker(broker_url, database=database, record=record)
    declare_actors(broker, workbench, stop)
    return broker
