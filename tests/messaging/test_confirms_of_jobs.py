"""What a job publishes, it knows to be safe, or it fails."""

from __future__ import annotations

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import ConnectionClosed

from messaging.messages import decode, encode
from tests.servers.processes import wait_until
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = pytest.mark.integration


def test_a_job_that_a_full_queue_refuses_is_not_taken_for_published(
    broker: RabbitmqBroker, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str
) -> None:
    message = decode(encode("work", "nightly", {"job_id": 1}))
    broker.enqueue(message)
    broker.enqueue(message)
    rabbitmq_server.ctl("set_policy", "-p", rabbitmq_vhost, "full", "^nightly$", '{"max-length": 1}')

    def is_refused() -> bool:
        try:
            broker.enqueue(message)
        except ConnectionClosed as error:
            return "NACKed" in str(error)
        return False

    wait_until(is_refused, seconds=10, what="a refusal")
