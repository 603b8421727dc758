"""What travels: bytes, queues and addresses."""

import json

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from messaging import NotAMessage, encode
from messaging.addresses import host_and_port, with_defaults
from messaging.messages import decode
from messaging.queues import queue_arguments


def test_bytes_are_those_an_actor_would_write(stub_broker: StubBroker) -> None:
    @dramatiq.actor(broker=stub_broker, actor_name="sync.organisation", queue_name="nightly")
    def actor(organisation_id: str) -> None: ...

    ours = json.loads(encode("sync.organisation", "nightly", {"organisation_id": "é"}))
    theirs = json.loads(actor.message(organisation_id="é").encode())

    unique = ("message_id", "message_timestamp")
    assert list(ours) == list(theirs)
    assert [ours[key] for key in ours if key not in unique] == [theirs[key] for key in theirs if key not in unique]
    assert [type(ours[key]) for key in unique] == [str, int]


def test_only_what_json_carries_is_encoded() -> None:
    with pytest.raises(TypeError):
        encode("work", "nightly", {"amount": object()})


@pytest.mark.parametrize(
    "changed",
    [{"kwargs": []}, {"options": None}, {"actor_name": 5}, {"args": 5}, {"unheard_of": 1}, {"queue_name": "other"}],
    ids=str,
)
def test_a_body_that_would_end_a_worker_thread_is_refused_without_quoting_it(changed: dict[str, object]) -> None:
    fields = json.loads(encode("work", "nightly", {"iban": "FR76"})) | changed

    with pytest.raises(NotAMessage) as raised:
        decode(json.dumps(fields).encode(), queue="nightly")

    assert "FR76" not in str(raised.value)


def test_how_deep_a_message_may_be_depends_on_no_python() -> None:
    body = encode("work", "nightly", {"job_id": "HERE"})
    deepest = body.replace(b'"HERE"', b"[" * 98 + b"]" * 98)  # within the message and its arguments

    assert decode(deepest).kwargs
    with pytest.raises(NotAMessage, match="more than 100 levels"):
        decode(body.replace(b'"HERE"', b"[" * 99 + b"]" * 99))


def test_a_delayed_message_belongs_to_its_lane() -> None:
    fields = json.loads(encode("work", "nightly", {})) | {"queue_name": "nightly.DQ"}

    assert decode(json.dumps(fields).encode(), queue="nightly").actor_name == "work"


def test_a_lane_counts_deliveries_and_nothing_is_ever_dropped() -> None:
    lane, delayed, dead = (queue_arguments(name) for name in ("nightly", "nightly.DQ", "nightly.XQ"))

    kept = {"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 1_000_000}
    dying = {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "nightly.XQ",
        "x-dead-letter-strategy": "at-least-once",
    }
    assert lane == {**kept, **dying, "x-delivery-limit": 4}
    assert delayed == {**kept, **dying, "x-delivery-limit": 1_000_000_000}
    assert dead == {**kept, "x-delivery-limit": 1_000_000_000}


def test_an_address_gets_the_defaults_it_does_not_set() -> None:
    url = with_defaults("amqp://u:p@host/v%2Fh?heartbeat=3")

    assert url.startswith("amqp://u:p@host/v%2Fh?heartbeat=3&blocked_connection_timeout=30&")


@pytest.mark.parametrize(
    ("url", "shown"),
    [("amqp://u:p@host/", "host:5672"), ("amqps://u:p@host/", "host:5671"), ("amqp://host:1/", "host:1")],
)
def test_an_address_is_shown_without_user_and_password(url: str, shown: str) -> None:
    assert host_and_port(url) == shown
