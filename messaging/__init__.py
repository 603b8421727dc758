"""How messages go: the one door to RabbitMQ and Dramatiq."""

from messaging.broker import in_process_broker, rabbitmq_broker
from messaging.database import Database, DatabaseUnavailableError
from messaging.lanes import Lane
from messaging.log_context import LogContextFilter, log_context, logging_with
from messaging.messages import NotAMessageError, encode
from messaging.publisher import BrokerUnreachableError, ConfirmingPublisher, InProcessPublisher, Publisher
from messaging.quarantine import DeadLetter
from messaging.worker import run_worker

__all__ = [
    "BrokerUnreachableError",
    "ConfirmingPublisher",
    "Database",
    "DatabaseUnavailableError",
    "DeadLetter",
    "InProcessPublisher",
    "Lane",
    "LogContextFilter",
    "NotAMessageError",
    "Publisher",
    "encode",
    "in_process_broker",
    "log_context",
    "logging_with",
    "rabbitmq_broker",
    "run_worker",
]
