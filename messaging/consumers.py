"""Whether the consumers of this process read their queues."""

from __future__ import annotations

import dramatiq
from dramatiq.broker import Broker
from dramatiq.common import q_name
from dramatiq.worker import Worker


class Consumers(dramatiq.Middleware):
    """Knows every worker that starts on its broker."""

    def __init__(self) -> None:
        self._workers: list[Worker] = []

    def after_worker_boot(self, _broker: Broker, worker: Worker) -> None:
        self._workers.append(worker)

    def why_not_working(self) -> str:
        """Which lane is read by nobody, and why; empty when each is read. pika closes a channel without heartbeats."""
        if not self._workers:
            return "no consumer has started"
        for worker in self._workers:
            for queue, thread in list(worker.consumers.items()):
                if not thread.is_alive():
                    return f"the consumer of {queue} has ended"
                if not _is_open(thread.consumer):
                    wrong = getattr(worker.broker, "wrong_queues", {}).get(q_name(queue))
                    return wrong or f"the consumer of {queue} is not connected"
        return ""


def _is_open(consumer: object) -> bool:
    """Whether RabbitMQ delivers to it; a queue in this process always does."""
    return consumer is not None and bool(getattr(getattr(consumer, "channel", None), "is_open", True))
