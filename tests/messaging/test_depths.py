"""How many messages wait for a lane: what a worker has not fetched, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name

from messaging import BrokerUnreachable, ConfirmingPublisher, InProcessPublisher, Lane, encode
from messaging.depths import in_process_depth, rabbitmq_depth
from tests.servers.processes import free_ports
from tests.servers.rabbitmq import RabbitmqServer


def message(queue: str) -> tuple[str, bytes]:
    return queue, encode("organisation.sync", Lane.NIGHTLY, {"run_id": 1})


@pytest.mark.integration
def test_what_waits_in_a_lane_is_counted_with_what_is_delayed_there(
    publisher: ConfirmingPublisher, rabbitmq_url: str
) -> None:
    assert rabbitmq_depth(rabbitmq_url, Lane.NIGHTLY) == 0, "before its queue exists"
    publisher.publish([message(Lane.NIGHTLY), message(Lane.NIGHTLY), message(Lane.INTERACTIVE)])
    publisher.publish([message(dq_name(Lane.NIGHTLY))])

    assert rabbitmq_depth(rabbitmq_url, Lane.NIGHTLY) == 3
    assert rabbitmq_depth(rabbitmq_url, Lane.INTERACTIVE) == 1


@pytest.mark.integration
def test_who_may_only_publish_may_count(
    publisher: ConfirmingPublisher, rabbitmq_url: str, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str
) -> None:
    """As the scheduler of deploy/rabbitmq/definitions.json."""
    publisher.publish([message(Lane.NIGHTLY)])
    rabbitmq_server.ctl("add_user", "scheduler", "sesame")
    rabbitmq_server.ctl("set_permissions", "-p", rabbitmq_vhost, "scheduler", "^$", r"^amq\.default$", "^$")
    try:
        there = urlsplit(rabbitmq_url)
        url = there._replace(netloc=f"scheduler:sesame@{there.netloc.rpartition('@')[2]}").geturl()
        assert rabbitmq_depth(url, Lane.NIGHTLY) == 1
    finally:
        rabbitmq_server.ctl("delete_user", "scheduler")


def test_the_same_in_this_process(stub_broker: StubBroker) -> None:
    assert in_process_depth(stub_broker, Lane.NIGHTLY) == 0, "before its queue exists"

    InProcessPublisher(stub_broker).publish([message(Lane.NIGHTLY), message(Lane.NIGHTLY)])

    assert in_process_depth(stub_broker, Lane.NIGHTLY) == 2


def test_a_broker_that_is_away_is_named_without_its_password() -> None:
    (port,) = free_ports(1)

    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{port}") as caught:
        rabbitmq_depth(f"amqp://guest:canary@127.0.0.1:{port}", Lane.NIGHTLY)
    assert "canary" not in str(caught.value)
