"""What Qonto's core tells of accounts: written down, signed, and delivered by a real RabbitMQ."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest

from tests.sandbox.conftest import NOON
from tests.sandbox.world_client import READY, REPOSITORY, TIMEOUT_S, Party, WorldClient, running_world
from tests.servers.processes import free_ports
from tests.servers.rabbitmq import RabbitmqServer
from tests.servers.tcp_proxy import TcpProxy

KEY = b"\x00\x01 a key of thirty-two bytes \xfe\xff"
KEY_TEXT = base64.b64encode(KEY).decode()
PASSWORD = "hush-hush"
LATER = "2026-11-20T12:00:01.500Z"


@pytest.fixture
def signing(world: WorldClient) -> None:
    """The core has a key."""
    world.control("POST", "/core", {"key_id": "k1", "key": KEY_TEXT})


@dataclass
class Listener:
    """A queue of its own behind the exchange; what came, in order."""

    channel: Any
    queue: str
    came: list[tuple[Any, Any, bytes]] = field(default_factory=list)

    def has_heard(self, count: int) -> bool:
        """Whether so many messages came."""
        method, properties, body = self.channel.basic_get(self.queue, auto_ack=True)
        if method is not None:
            self.came.append((method, properties, body))
        return len(self.came) >= count

    def names(self) -> list[str]:
        """The accounts' names, of every event that came."""
        return [json.loads(body)["data"]["name"] for _, _, body in self.came]


@pytest.fixture
def listener(rabbitmq_url: str) -> Iterator[Listener]:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        channel: Any = connection.channel()
        channel.exchange_declare("qonto.events", "topic", durable=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "qonto.events", "account.*")
        yield Listener(channel, queue)


@pytest.fixture
def proxy(rabbitmq_url: str) -> Iterator[TcpProxy]:
    address = urlsplit(rabbitmq_url)
    proxy = TcpProxy(str(address.hostname), int(address.port or 0))
    yield proxy
    proxy.close()


def through(proxy: TcpProxy, url: str) -> str:
    """The broker's address by way of the proxy."""
    address = urlsplit(url)
    return address._replace(netloc=f"{address.username}:{address.password}@{proxy.host}:{proxy.port}").geturl()


def act(party: Party, address: str, body: Any = None) -> dict[str, Any]:
    """Something happens to an account."""
    return party.world.control("POST", f"/qonto/{party.id}/accounts{address}", body)


def told(world: WorldClient, after: int = 0) -> list[dict[str, Any]]:
    """What the core emitted."""
    return list(world.control("GET", f"/core/events?after={after}")["events"])


def pending(world: WorldClient) -> int:
    """How many events the broker has not confirmed."""
    return int(world.control("GET", "/core")["pending"])


def test_an_opened_account_is_told_in_a_signed_cloud_event(party: Party, signing: None) -> None:
    account = act(party, "", {"name": "Taxes & café", "iban": "FR761"})
    (emission,) = told(party.world)
    content = json.loads(emission["body"])
    assert content == {
        "specversion": "1.0",
        "id": emission["id"],
        "source": "/qonto/core/bank-accounts",
        "type": "account.created",
        "time": NOON,
        "subject": account["id"],
        "datacontenttype": "application/json",
        "data": {
            "organization_id": party.id,
            "id": account["id"],
            "name": "Taxes & café",
            "slug": account["slug"],
            "iban": "FR761",
            "bic": "QNTOFRP1XXX",  # Qonto's BIC; XXX is its head office
            "currency": "EUR",
            "status": "active",
            "main": False,
            "is_external_account": False,
            "updated_at": NOON,
        },
    }
    digits = hmac.new(KEY, emission["body"].encode(), hashlib.sha256).hexdigest()
    assert emission["headers"] == {"x-qonto-key-id": "k1", "x-qonto-signature": digits}
    names = ("type", "account_id", "organisation_id", "published")
    assert [emission[name] for name in names] == ["account.created", account["id"], party.id, False]


def test_an_account_is_told_when_it_opens_becomes_active_and_closes(party: Party) -> None:
    account = act(party, "", {"name": "Taxes", "status": "pending"})["id"]
    party.world.advance(1.5)
    assert act(party, f"/{account}/activate")["status"] == "active"
    act(party, f"/{account}/rename", {"name": "VAT"})
    act(party, f"/{account}/close")
    contents = [json.loads(emission["body"]) for emission in told(party.world)]
    assert [(one["type"], one["time"], one["data"]["status"], one["data"]["updated_at"]) for one in contents] == [
        ("account.created", NOON, "pending", NOON),
        ("account.created", LATER, "active", LATER),
        ("account.deactivated", LATER, "closed", LATER),
    ]
    assert len({one["id"] for one in contents}) == 3
    again = party.world.call("POST", f"/control/qonto/{party.id}/accounts/{account}/activate")
    assert (again.status_code, len(told(party.world))) == (400, 3)


def test_a_core_told_to_be_silent_tells_only_what_it_is_told(party: Party) -> None:
    party.world.control("POST", "/core", {"emits": False})
    act(party, "", {"name": "Taxes"})
    act(party, f"/{party.account_id}/close")
    assert told(party.world) == []
    act(party, f"/{party.account_id}/emit")
    assert [emission["account_id"] for emission in told(party.world)] == [party.account_id]


def test_an_event_can_tell_what_is_not_so(party: Party, signing: None) -> None:
    lie: dict[str, Any] = {"type": "account.moved", "id": "e-1", "time": "2026-11-19T08:00:00+01:00"}
    lie |= {"version": LATER, "status": "frozen", "data": {"iban": None, "colour": "red"}, "signed": False}
    (emission,) = act(party, f"/{party.account_id}/emit", lie)["events"]
    content = json.loads(emission["body"])
    assert (content["id"], content["type"], content["time"]) == ("e-1", "account.moved", "2026-11-19T07:00:00.000Z")
    changed = {"updated_at": LATER, "status": "frozen", "iban": None, "colour": "red"}
    assert content["data"].items() >= {**changed, "name": "Main"}.items()
    assert emission["headers"] == {}
    assert party.qonto(f"bank_accounts/{party.account_id}").json()["bank_account"]["status"] == "active"


def test_a_duplicate_is_the_same_bytes_again(party: Party, signing: None) -> None:
    twins = act(party, f"/{party.account_id}/emit", {"times": 2})["events"]
    assert twins[1] == {**twins[0], "number": twins[0]["number"] + 1}
    assert told(party.world) == twins


@pytest.mark.parametrize("missing", ["key", "key_id"])
def test_without_a_key_and_its_name_nothing_is_signed(party: Party, signing: None, missing: str) -> None:
    party.world.control("POST", "/core", {missing: None})
    (emission,) = act(party, f"/{party.account_id}/emit")["events"]
    assert emission["headers"] == {}


def test_what_was_told_can_be_followed_and_survives_no_reset_unlike_the_key(party: Party, signing: None) -> None:
    first, second = act(party, f"/{party.account_id}/emit", {"times": 2})["events"]
    assert told(party.world, after=first["number"]) == [second]
    party.world.control("POST", "/reset")
    assert party.world.control("GET", "/core/events") == {"events": [], "last": second["number"]}
    assert party.world.control("GET", "/core") == {"broker": None, "key_id": "k1", "pending": 0}
    other = party.world.organisation()
    assert act(other, f"/{other.account_id}/emit")["events"][0]["number"] == second["number"] + 1


@pytest.mark.parametrize(
    "body",
    [
        {"broker_url": f"http://me:{PASSWORD}@127.0.0.1"},
        {"broker_url": f"amqp://me:{PASSWORD}@127.0.0.1:{PASSWORD}/"},
        {"broker_url": f"amqp://{PASSWORD}@127.0.0.1"},
        {"key": PASSWORD},
        {"key": ""},
        {"broker_url": f"amqp://me:{PASSWORD}@127.0.0.1", "emits": "perhaps"},
    ],
)
def test_a_wrong_configuration_is_refused_whole_and_not_repeated(party: Party, body: dict[str, Any]) -> None:
    answer = party.world.call("POST", "/control/core", json={"key_id": "k2", **body})
    assert answer.status_code == 400
    assert PASSWORD not in answer.text
    assert party.world.control("GET", "/core") == {"broker": None, "key_id": None, "pending": 0}


@pytest.mark.parametrize(
    "body",
    [{"times": 0}, {"times": 1001}, {"time": "soon"}, {"version": "soon"}, {"id": "e" * 256}, {"type": "é" * 128}],
)
def test_an_event_that_cannot_be_told_is_refused(party: Party, body: dict[str, Any]) -> None:
    path = f"/control/qonto/{party.id}/accounts/{party.account_id}/emit"
    assert party.world.call("POST", path, json=body).status_code == 400
    assert told(party.world) == []


def test_lagging_accounts_are_shown_as_they_were(party: Party) -> None:
    def shown() -> list[tuple[str, str, str]]:
        listed = party.qonto("bank_accounts").json()["bank_accounts"]
        singles = [party.qonto(f"bank_accounts/{one}").json() for one in (party.account_id, young["id"])]
        assert [single["bank_account"] for single in singles if "bank_account" in single] == listed
        return [(one["name"], one["status"], one["updated_at"]) for one in listed]

    young = {"id": "nobody"}
    party.world.advance(10)
    party.world.settings(qonto_account_lag=10)
    young = act(party, "", {"name": "Taxes", "status": "pending"})
    act(party, f"/{party.account_id}/rename", {"name": "First"})
    party.world.advance(9.999)
    act(party, f"/{young['id']}/activate")
    assert shown() == [("Main", "active", NOON)]
    party.world.advance(0.001)
    assert shown() == [
        ("First", "active", "2026-11-20T12:00:10.000Z"),
        ("Taxes", "pending", "2026-11-20T12:00:10.000Z"),
    ]
    party.world.settings(qonto_account_lag=0)
    assert shown()[1] == ("Taxes", "active", "2026-11-20T12:00:19.999Z")


def test_the_environment_says_where_and_under_which_key_to_publish() -> None:
    url = f"amqp://me:{PASSWORD}@127.0.0.1:{free_ports(1)[0]}/%2F"
    names = ("SANDBOX_EVENTS_BROKER", "SANDBOX_EVENTS_KEY_ID", "SANDBOX_EVENTS_KEY")
    with running_world(environment=dict(zip(names, (url, "k1", KEY_TEXT), strict=True))) as address:
        world = WorldClient(address)
        party = world.organisation()
        (emission,) = act(party, f"/{party.account_id}/emit")["events"]
        digits = hmac.new(KEY, emission["body"].encode(), hashlib.sha256).hexdigest()
        assert emission["headers"]["x-qonto-signature"] == digits
        broker = f"127.0.0.1:{urlsplit(url).port}"
        assert world.control("GET", "/core") == {"broker": broker, "key_id": "k1", "pending": 1}
        world.session.close()


@pytest.mark.parametrize("name", ["SANDBOX_EVENTS_BROKER", "SANDBOX_EVENTS_KEY"])
def test_a_wrong_environment_is_a_mistake_that_is_not_repeated(name: str) -> None:
    command = [sys.executable, "-m", "sandbox"]
    done = subprocess.run(
        command, env={name: PASSWORD}, capture_output=True, text=True, cwd=REPOSITORY, timeout=TIMEOUT_S, check=False
    )
    assert (done.returncode, done.stdout, PASSWORD in done.stderr) == (2, "", False)
    assert "not " in done.stderr.splitlines()[-1]


@pytest.fixture
def mute_port() -> Iterator[int]:
    """Where somebody listens and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(params=["closed", "mute"])
def lost_url(request: pytest.FixtureRequest, mute_port: int) -> str:
    """A broker that cannot be reached."""
    port = mute_port if request.param == "mute" else free_ports(1)[0]
    return f"amqp://me:{PASSWORD}@127.0.0.1:{port}/"


def end_with_something_pending(broker_url: str) -> None:
    """Emit, end with SIGTERM, and see that this is quick, clean and quiet."""
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        world = WorldClient(process.stdout.readline().removeprefix(READY).strip())
        world.control("POST", "/core", {"broker_url": broker_url})
        party = world.organisation()
        act(party, "", {"name": "Taxes"})
        assert pending(world) == 1
        world.session.close()
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=TIMEOUT_S)
        assert (process.returncode, rest, errors) == (0, "", "")


def test_a_broker_that_cannot_be_reached_delays_nothing_and_is_no_news(lost_url: str) -> None:
    end_with_something_pending(lost_url)


@pytest.mark.integration
def test_a_broker_that_blocks_publishers_delays_nothing_either(
    rabbitmq_server: RabbitmqServer, rabbitmq_url: str
) -> None:
    rabbitmq_server.set_disk_alarm(True)
    try:
        end_with_something_pending(rabbitmq_url)
    finally:
        rabbitmq_server.set_disk_alarm(False)


@pytest.mark.integration
def test_both_types_arrive_as_they_were_written_down(
    party: Party, signing: None, listener: Listener, rabbitmq_url: str
) -> None:
    party.world.control("POST", "/core", {"broker_url": rabbitmq_url})
    account = act(party, "", {"name": "Taxes"})["id"]
    act(party, f"/{account}/close")
    party.world.wait_until(lambda: listener.has_heard(2))
    party.world.wait_until(lambda: pending(party.world) == 0)
    emissions = told(party.world)
    assert [method.routing_key for method, _, _ in listener.came] == ["account.created", "account.deactivated"]
    assert [body.decode() for _, _, body in listener.came] == [emission["body"] for emission in emissions]
    for emission, (_, properties, _) in zip(emissions, listener.came, strict=True):
        assert (properties.headers, properties.message_id) == (emission["headers"], emission["id"])
        assert properties.content_type == "application/cloudevents+json; charset=utf-8"
        assert properties.delivery_mode == 2
        assert emission["published"]


@pytest.mark.integration
def test_what_was_told_to_a_wrong_address_arrives_in_order_when_it_is_put_right(
    party: Party, listener: Listener, rabbitmq_url: str
) -> None:
    world, names = party.world, [f"Account {number}" for number in range(20)]
    world.control("POST", "/core", {"broker_url": f"amqp://127.0.0.1:{free_ports(1)[0]}/"})
    for name in names:
        act(party, "", {"name": name})
    assert pending(world) == 20
    world.control("POST", "/core", {"broker_url": rabbitmq_url})
    world.wait_until(lambda: listener.has_heard(20))
    assert listener.names() == names


@pytest.mark.integration
def test_an_outage_of_the_broker_loses_nothing(
    party: Party, listener: Listener, rabbitmq_url: str, proxy: TcpProxy
) -> None:
    world = party.world
    world.control("POST", "/core", {"broker_url": through(proxy, rabbitmq_url)})
    act(party, "", {"name": "before"})
    world.wait_until(lambda: pending(world) == 0)
    with proxy.outage():
        act(party, "", {"name": "during"})
        act(party, "", {"name": "and again"})
        assert pending(world) == 2
    world.wait_until(lambda: listener.has_heard(3))
    assert listener.names() == ["before", "during", "and again"]


@pytest.mark.integration
def test_what_is_dropped_with_the_broker_or_by_a_reset_never_arrives(
    party: Party, listener: Listener, rabbitmq_url: str
) -> None:
    world, lost = party.world, f"amqp://127.0.0.1:{free_ports(1)[0]}/"
    world.control("POST", "/core", {"broker_url": lost})
    act(party, "", {"name": "dropped with the broker"})
    assert world.control("POST", "/core", {"broker_url": None}) == {"broker": None, "key_id": None, "pending": 0}
    act(party, "", {"name": "without a broker"})
    world.control("POST", "/core", {"broker_url": lost})
    act(party, "", {"name": "forgotten by the reset"})
    world.control("POST", "/reset")
    world.control("POST", "/core", {"broker_url": rabbitmq_url})
    act(world.organisation(), "", {"name": "heard"})
    world.wait_until(lambda: listener.has_heard(1))
    assert listener.names() == ["heard"]
