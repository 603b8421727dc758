"""What docker-compose.yml starts, started: each command ready, and ended in order, with no more rights than it needs.

One deployment for the whole file, in the order of a day: everything comes up, a night passes, everything goes down.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pika
import psycopg
import pytest
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from commands.frame import BROKEN, SETTINGS
from deploy.make_secrets import key, scram_sha_256
from messaging.queues import declare_lane
from models.states import Lane
from tests.acceptance import processes
from tests.acceptance.deployment import ROLES, Deployment, deployed
from tests.acceptance.processes import EVENING, NIGHT, NIGHT_DATE, at, in_qonto, in_xero, payments
from tests.acceptance.test_processes_accounts import bank_accounts
from tests.compose import COMPOSE, going_on, read_compose
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

LOCKED = "2099-01-01"
# What a person may say on the morning after, in this order. ORG, POSTED and HELD stand for something.
LOOKING = (
    *("status", "runs", "runs ORG", "connections list", "connections show ORG", "accounts ORG", "plan ORG"),
    *("explain POSTED", "balance ORG", "check", "check ORG", "audit", "audit ORG", "keys list"),
    *("events list", "events show 1", "quarantine list"),
    *("replay organisation ORG --why trial --dry-run", "replay failed --reason lock_date --why trial --dry-run"),
)
EXITS = {"balance ORG": BROKEN}  # a payment is held
DOING = (
    *("replay transaction HELD POSTED --why trial", "replay organisation ORG --why trial", "replay run 1 --why trial"),
    *("events replay 1 --why trial", "keys rotate --why trial"),
)

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
def party(town: WorldClient) -> Party:
    """With an account and payments of this day; nobody has connected it yet."""
    party = town.organisation(accounts=[{"name": "Main"}])
    party.pay(*payments(60))
    return party


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
    deployment: Deployment, town: WorldClient, party: Party
) -> None:
    name, _, signing = deployment.secret("event_keys").partition(":")
    core = {"broker_url": deployment.secret("events_broker_url_core"), "key_id": name, "key": signing}
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


@pytest.fixture(scope="module")
def words(deployment: Deployment, town: WorldClient, party: Party) -> Mapping[str, str]:
    """What the words in capitals stand for; a person has just asked for a sync, which held one payment."""
    slug = str(party.known["slug"])
    town.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": LOCKED})
    (held,) = party.pay({"amount_cents": 7_77, "label": "Late"})
    asked = deployment.company("operator").run("sync", slug)
    assert asked.code == 0, asked.err
    town.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": None})
    return {"ORG": slug, "HELD": held["id"], "POSTED": min(in_qonto(party).keys() - {held["id"]})}


@pytest.mark.parametrize("command", [*LOOKING, *DOING])
def test_an_operator_may_say_each_command(command: str, deployment: Deployment, words: Mapping[str, str]) -> None:
    ran = deployment.company("operator").ask(*(words.get(word, word) for word in command.split()))

    assert ran.code == EXITS.get(command, 0), ran.out + ran.err


def test_an_operator_may_verify_the_books(deployment: Deployment, party: Party, words: Mapping[str, str]) -> None:
    operator = deployment.company("operator")
    operator.until(lambda: in_xero(party) == in_qonto(party), "what was held to be in Xero")
    under_way = "SELECT count(*) FROM sync_run WHERE state IN ('due', 'running', 'waiting')"
    operator.until(lambda: deployment.query(under_way) == [(0,)], "what was asked for to be done")

    ran = operator.run("verify", words["ORG"], "--why", "trial")

    assert ran.code == 0, ran.out + ran.err


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


@pytest.mark.parametrize(
    ("command", "code"),
    [("show 1", 0), ("show 1 --raw", 0), ("requeue 1 --why trial", BROKEN), ("discard 1 --why trial", 0)],
)
def test_an_operator_may_deal_with_what_is_in_quarantine(command: str, code: int, deployment: Deployment) -> None:
    ran = deployment.company("operator").ask("quarantine", *command.split())

    assert ran.code == code, ran.out + ran.err


def test_an_operator_may_end_a_connection(deployment: Deployment, words: Mapping[str, str]) -> None:
    ran = deployment.company("operator").run("connections", "disconnect", words["ORG"], "--yes", "--why", "trial")

    assert ran.code == 0, ran.out + ran.err
    assert deployment.query("SELECT count(*) FROM credential WHERE secret <> ''") == [(0,)]


def test_an_operator_may_say_that_the_database_was_restored(deployment: Deployment) -> None:
    ran = deployment.company("operator").ask("db", "restored", "--taken-at", "2026-11-20T20:00:00", "--why", "trial")

    assert ran.code == 0, ran.out + ran.err


@pytest.mark.parametrize(
    ("name", "changes"),
    [("worker", {}), ("scheduler", {"BROKER_URL_FILE": "", "BROKER_URL": "memory://"})],
    ids=["worker", "scheduler without a broker"],
)
def test_who_speaks_to_xero_does_not_start_without_our_app_s_id(
    name: str, changes: dict[str, str], deployment: Deployment
) -> None:
    ran = deployment.company(name).run(name, XERO_CLIENT_ID="", MONITOR="off", **changes)

    assert (ran.code, "QONTO_XERO_XERO_CLIENT_ID is not set" in ran.err) == (SETTINGS, True), ran.err


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_that_is_asked_to_end_ends_in_order(name: str, deployment: Deployment) -> None:
    code = deployment.stop(name)

    assert code == 0, deployment.started[name].log()
