"""What docker-compose.yml starts, started: each command ready, and ended in order, with no more rights than it needs.

One deployment for the whole file, in the order of a day: everything comes up, a night passes, everything goes down.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pika
import psycopg
import pytest
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from commands.frame import SETTINGS
from deploy.make_secrets import key, scram_sha_256
from messaging.queues import declare_lane
from models.states import Lane
from tests.acceptance import processes
from tests.acceptance.deployment import ROLES, Deployment, deployed
from tests.acceptance.processes import EVENING, NIGHT, NIGHT_DATE, at, in_qonto, in_xero, payments
from tests.acceptance.test_processes_accounts import bank_accounts
from tests.compose import COMPOSE, going_on, grace, read_compose
from tests.sandbox.world_client import WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

SERVICES = sorted(going_on(read_compose(COMPOSE)))

town_url = processes.town_url


@pytest.fixture(scope="module")
def town(town_url: str) -> Iterator[WorldClient]:
    """The world, empty, in the evening."""
    client = WorldClient(town_url)
    client.control("POST", "/reset")
    at(client, EVENING)
    with client.session:
        yield client


@pytest.fixture(scope="module")
def deployment(
    town: WorldClient,
    postgres_server: PostgresServer,
    rabbitmq_server: RabbitmqServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """Migrated by its own command, and everything that goes on has begun."""
    folder = tmp_path_factory.mktemp("deployment")
    with deployed(folder, postgres_server, rabbitmq_server, town.url) as made:
        done = made.company("migrate").run(*made.command("migrate"))
        assert done.code == 0, done.err
        for name in SERVICES:
            made.start(name)
        yield made


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_comes_up_and_its_health_check_says_so(name: str, deployment: Deployment) -> None:
    deployment.until_ready(name)


def test_a_night_and_an_event_need_no_more_rights_than_each_process_has(
    deployment: Deployment, town: WorldClient
) -> None:
    name, _, signing = deployment.secret("event_keys").partition(":")
    core = {"broker_url": deployment.secret("events_broker_url_core"), "key_id": name, "key": signing}
    party = town.organisation(accounts=[{"name": "Main"}])
    party.pay(*payments(60))
    connected = deployment.company("operator").connect(party, follow=True)
    assert connected.code == 0, connected.err
    operator = deployment.company("operator")
    operator.until(lambda: len(bank_accounts(party)) == 1, "its account to be in Xero")

    town.control("POST", "/core", core)
    town.control("POST", f"/qonto/{party.id}/accounts", {"name": "Travel"})
    operator.until(lambda: len(bank_accounts(party)) == 2, "an account that an event told of to be in Xero")
    town.control("POST", "/core", {"broker_url": None})
    at(town, NIGHT)
    runs = f"SELECT state FROM sync_run WHERE kind = 'nightly' AND local_date = '{NIGHT_DATE}'"
    operator.until(lambda: deployment.query(runs) == [("done",)], "the night to be done")

    untold = "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL"
    operator.until(lambda: deployment.query(untold) == [(0,)], "the core to be told of it")

    assert in_xero(party) == in_qonto(party)
    assert deployment.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert deployment.look("web").status_code == 200
    shown = deployment.look("operations", auth=("anna", deployment.secret("operations_password")))
    assert shown.status_code == 200, shown.text
    for name in SERVICES:
        log = deployment.started[name].log()
        assert not [word for word in ("permission denied", "ACCESS_REFUSED", "unexpectedly") if word in log], log


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("operations", "SELECT secret FROM credential"),
        ("operations", "SELECT label FROM posting"),
        ("operations", "UPDATE sync_run SET state = 'due'"),
        *((role, "UPDATE audit_entry SET who = 'nobody'") for role in ROLES if role != "migrate"),
        *((role, "DELETE FROM audit_entry") for role in ROLES if role != "migrate"),
        *((role, "CREATE TABLE another (id INTEGER)") for role in ROLES if role != "migrate"),
        ("scheduler", "UPDATE credential SET secret = ''"),
        ("scheduler", "UPDATE posting SET state = 'due'"),
        ("scheduler", "SELECT payload FROM quarantine"),
        ("worker", "DELETE FROM posting"),
        ("worker", "SELECT * FROM web_session"),
        ("listener", "SELECT secret FROM credential"),
        ("listener", "SELECT label FROM posting"),
        ("listener", "UPDATE quarantine SET payload = ''"),
        ("web", "UPDATE posting SET state = 'due'"),
        ("web", "SELECT payload FROM quarantine"),
        ("operator", "DELETE FROM posting"),
        ("operator", "UPDATE posting_event SET state = 'due'"),
    ],
)
def test_the_database_refuses_what_a_role_has_no_business_with(
    role: str, statement: str, deployment: Deployment
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        deployment.query(statement, role)


def test_no_table_is_forgotten(deployment: Deployment) -> None:
    forgotten = """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND NOT has_table_privilege('operator', oid, 'SELECT')
    """

    assert deployment.query(forgotten) == [], "say in deploy/postgres/grants.sql who may do what with it"


@pytest.mark.parametrize(
    ("url", "attempt"),
    [
        ("broker_url_scheduler", lambda channel: channel.basic_get("nightly")),
        ("broker_url_scheduler", lambda channel: channel.basic_consume("interactive", print)),
        ("broker_url_scheduler", lambda channel: channel.queue_purge("nightly.XQ")),
        ("broker_url_scheduler", lambda channel: channel.queue_delete("nightly")),
        ("broker_url_worker", lambda channel: channel.queue_declare("somewhere.else")),
        ("events_broker_url_scheduler", lambda channel: channel.basic_get("xero-sync.account-events")),
        ("events_broker_url_scheduler", lambda channel: channel.basic_publish("qonto.events", "account.created", b"")),
        ("events_broker_url_listener", lambda channel: channel.basic_publish("qonto.events", "account.created", b"")),
        ("events_broker_url_listener", lambda channel: channel.basic_publish("", "core.anything", b"")),
        ("events_broker_url_core", lambda channel: channel.basic_get("xero-sync.account-events")),
        ("events_broker_url_core", lambda channel: channel.basic_publish("xero_sync.events", "sync.completed", b"")),
    ],
)
def test_rabbitmq_refuses_what_a_user_has_no_business_with(
    url: str, attempt: Callable[[Any], object], deployment: Deployment
) -> None:
    with pika.BlockingConnection(pika.URLParameters(deployment.secret(url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            attempt(channel)


def test_a_lane_that_somebody_deleted_is_made_again_by_a_worker_s_user(
    deployment: Deployment, rabbitmq_server: RabbitmqServer
) -> None:
    rabbitmq_server.delete_queue(Lane.BACKFILL, vhost="qonto-xero")

    with pika.BlockingConnection(pika.URLParameters(deployment.secret("broker_url_worker"))) as connection:
        declare_lane(connection.channel(), Lane.BACKFILL)


@pytest.mark.parametrize(
    ("url", "vhost"),
    [
        ("broker_url_worker", "qonto-events"),
        ("events_broker_url_listener", "qonto-xero"),
        ("events_broker_url_core", "qonto-xero"),
    ],
)
def test_nobody_comes_into_a_vhost_that_is_not_theirs(url: str, vhost: str, deployment: Deployment) -> None:
    parameters = pika.URLParameters(deployment.secret(url))
    pika.BlockingConnection(parameters).close()  # the password is right

    parameters.virtual_host = vhost
    with pytest.raises(AMQPConnectionError) as refused:
        pika.BlockingConnection(parameters)
    assert "NOT_ALLOWED" in repr(refused.value) + repr(refused.value.__cause__)


def test_a_wrong_password_lets_nobody_in(deployment: Deployment) -> None:
    parameters = pika.URLParameters(deployment.secret("broker_url_worker"))
    parameters.credentials = pika.PlainCredentials("worker", "guest")

    with pytest.raises(AMQPConnectionError) as refused:
        pika.BlockingConnection(parameters)
    assert "ACCESS_REFUSED" in repr(refused.value) + repr(refused.value.__cause__)


def test_postgresql_keeps_of_a_password_what_our_script_makes_of_it(deployment: Deployment) -> None:
    deployment.query("ALTER ROLE migrate PASSWORD 'correct horse'")

    ((kept,),) = deployment.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'migrate'")
    rounds, salt = str(kept).split("$")[1].split(":")
    assert scram_sha_256("correct horse", base64.b64decode(salt), int(rounds)) == kept


def test_a_listener_whose_keys_do_not_open_what_it_sealed_does_not_start(deployment: Deployment) -> None:
    with pika.BlockingConnection(pika.URLParameters(deployment.secret("events_broker_url_core"))) as connection:
        connection.channel().basic_publish("qonto.events", "account.created", b"not an event")
    listener = deployment.company("listener")
    listener.until(lambda: deployment.query("SELECT is_sealed FROM quarantine") == [(True,)], "quarantine to have it")

    ran = listener.run("listener", ENCRYPTION_KEYS_FILE="", ENCRYPTION_KEYS=f"k1:{key()}")

    assert ran.code == SETTINGS, ran.err


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_ends_in_order_within_its_grace_period(name: str, deployment: Deployment) -> None:
    code, seconds = deployment.stop(name)

    assert code == 0, deployment.started[name].log()
    assert seconds < grace(deployment.services[name])
