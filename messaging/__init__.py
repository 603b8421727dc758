"""How messages go: the one door to RabbitMQ and Dramatiq."""

from messaging.broker import in_process_broker, rabbitmq_broker
from messaging.consumers import Consumers
from messaging.database import Database, DatabaseUnavailable
from messaging.event_consumer import EventConsumer, ReceivedEvent
from messaging.messages import NotAMessage, encode
from messaging.publisher import BrokerUnreachable, ConfirmingPublisher, InProcessPublisher, NobodyToTell, Publisher
from messaging.quarantine import DeadLetter
from messaging.worker import run_worker
from models.states import Lane

__all__ = [
    "BrokerUnreachable",
    "ConfirmingPublisher",
    "Consumers",
    "Database",
    "DatabaseUnavailable",
    "DeadLetter",
    "EventConsumer",
    "InProcessPublisher",
    "Lane",
    "NobodyToTell",
    "NotAMessage",
    "Publisher",
    "ReceivedEvent",
    "encode",
    "in_process_broker",
    "rabbitmq_broker",
    "run_worker",
]
