"""What dramatiq 2.2.1 gets wrong with RabbitMQ, mended: two ways to lose a message and one to run it twice.

Each mend reaches into private parts, so the version is pinned; tests/messaging/test_mends.py shows each fault with
the stock broker. Remove a mend when its fault is gone from dramatiq, not when its test is in the way.
"""

import logging
from collections.abc import Iterator
from typing import Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy
from dramatiq.brokers.rabbitmq import _RabbitmqConsumer
from dramatiq.middleware import Retries, SkipMessage

from messaging.messages import NotAMessage, decode, drop_foreign_options
from messaging.quarantine import is_recorded, reason_of

MENDED_VERSION = "2.2.1"
if dramatiq.__version__ != MENDED_VERSION:
    raise ImportError(
        f"messaging mends dramatiq {MENDED_VERSION} from inside, but {dramatiq.__version__} is installed: "
        "read messaging/mends.py against it, run tests/messaging/test_mends.py, then change MENDED_VERSION"
    )

logger = logging.getLogger(__name__)


class OwnConsumer(_RabbitmqConsumer):
    """Answers only for messages it delivered itself, on a channel that is still open.

    Delivery tags start again at 1 on every channel, so the stock consumer acks another message than the one that
    was finished when the connection broke in between, and that one is lost. RabbitMQ delivers the finished one again.
    """

    def __init__(self, broker: Broker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self.iterator = self._decodable(self.iterator)

    def __next__(self) -> MessageProxy | None:
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        if message is not None:
            vars(message)["consumer"] = self
            drop_foreign_options(message)
        return message

    def ack(self, message: MessageProxy) -> None:
        if self._answers_for(message):
            super().ack(message)  # type: ignore[no-untyped-call]

    def nack(self, message: MessageProxy) -> None:
        if is_recorded(message):
            self.ack(message)
        elif self._answers_for(message):
            super().nack(message)  # type: ignore[no-untyped-call]

    def _answers_for(self, message: MessageProxy) -> bool:
        ours = consumer_of(message) is self and bool(self.channel.is_open)
        if not ours:
            logger.warning("Message %s outlived its connection and comes again", message.message_id)
        return ours

    def _decodable(self, deliveries: Iterator[Any]) -> Iterator[Any]:
        """The deliveries that are messages; the others go to the dead-letter queue with no word of them logged."""
        for method, properties, body in deliveries:
            if method is not None:
                try:
                    decode(body, queue=self.queue_name)
                except NotAMessage as error:
                    logger.error("A body on %s is a dead letter: %s", self.queue_name, reason_of(error))  # noqa: TRY400
                    self.channel.basic_nack(method.delivery_tag, requeue=False)
                    yield None, None, None
                    continue
            yield method, properties, body


def consumer_of(message: MessageProxy) -> OwnConsumer | None:
    """The consumer that delivered `message`, or None when it did not come from RabbitMQ."""
    return vars(message).get("consumer")


class SafeRetries(Retries):
    """Fails the message when its retry cannot be enqueued, where the stock middleware lets it be acked and lost."""

    def after_process_message(self, broker: Broker, message: MessageProxy, **outcome: Any) -> None:
        try:
            super().after_process_message(broker, message, **outcome)  # type: ignore[no-untyped-call]
        except Exception:
            message.fail()
            logger.exception("The retry of message %s could not be enqueued", message.message_id)

    def before_enqueue(self, _broker: Broker, message: dramatiq.Message[Any], _delay: int) -> None:
        # Tracebacks may quote data, and queues are no place for data.
        message.options.pop("traceback", None)


class SkipStale(dramatiq.Middleware):
    """Skips a message that waited in memory while its connection broke: RabbitMQ delivers it again, once is enough."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        consumer = consumer_of(message)
        if consumer is not None and not consumer.channel.is_open:
            raise SkipMessage(f"message {message.message_id} outlived its connection and comes again")
