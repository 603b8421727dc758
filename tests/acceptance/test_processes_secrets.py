"""Secrets and full IBANs: after a night full of faults, none is in any output, log, message or table."""

from __future__ import annotations

import base64
import signal
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, PUTS, Broker, Company, at, in_qonto, in_xero, payments
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company, broker = processes.migrated, processes.company, processes.broker

BROKER_PASSWORD = "canary-broker-password"
DATABASE_PASSWORD = "canary-database-password"
IBAN = "FR7610096000501234567890189"
COUNTERPARTY = "Canary Counterparty"
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "drop", "match": PUTS, "when": "after"},
    {"action": "status", "match": PUTS, "status": 500, "skip": 1},
    {"action": "status", "match": {"service": "identity"}, "status": 500},
    {"action": "status", "match": {"service": "xero", "path": "/Accounts$"}, "status": 401},
    {"action": "garbage", "match": {"service": "qonto"}, "when": "after", "skip": 1},
)


@pytest.fixture
def guarded(company: Company, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str) -> Iterator[Company]:
    """The company with recognisable passwords for its servers."""
    rabbitmq_server.ctl("add_user", "canary", BROKER_PASSWORD)
    rabbitmq_server.ctl("set_permissions", "--vhost", rabbitmq_vhost, "canary", ".*", ".*", ".*")
    for name, password in (("BROKER_URL", BROKER_PASSWORD), ("DATABASE_URL", DATABASE_PASSWORD)):
        scheme, _, rest = company.settings[name].partition("://")
        user = "canary" if name == "BROKER_URL" else rest.partition(":")[0]
        company.settings[name] = f"{scheme}://{user}:{password}@{rest.partition('@')[2]}"
    yield company
    rabbitmq_server.ctl("delete_user", "canary")


def secrets_of(company: Company, party: Party) -> dict[str, str]:
    """Every text that must never be seen, by what it is."""
    client = f"{party.known['xero_client_id']}:{party.known['xero_client_secret']}"
    return {
        "the broker's password": BROKER_PASSWORD,
        "the database's password": DATABASE_PASSWORD,
        "the encryption key": company.settings["ENCRYPTION_KEYS"].partition(":")[2],
        "Qonto's secret": party.known["qonto_secret"],
        "Xero's first refresh token": party.known["xero_tokens"]["refresh_token"],
        "Xero's client secret": party.known["xero_client_secret"],
        "Xero's client secret in a header": base64.b64encode(client.encode()).decode(),
        "the IBAN": IBAN,
        "the IBAN in groups": " ".join(IBAN[i : i + 4] for i in range(0, len(IBAN), 4)),
    }


def as_text(value: object) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


def test_no_secret_is_seen_anywhere_after_a_night_of_faults(
    guarded: Company, town: WorldClient, broker: Broker
) -> None:
    company = guarded
    party = town.organisation(accounts=[{"name": "Main", "iban": IBAN}])
    party.pay(*({**row, "clean_counterparty_name": COUNTERPARTY} for row in payments(120)))
    secrets = secrets_of(company, party)
    slug = party.known["slug"]
    assert company.connect(party).code == 0
    for fault in FAULTS:
        town.control("POST", "/faults", fault)
    company.start("scheduler")
    at(town, NIGHT)
    announced = "SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL"
    company.until(lambda: company.query(announced) == [(1,)], "the run to be announced")
    messages = broker.take("nightly")
    broker.publish("nightly", [*messages, b"not a message"])
    worker = company.start("worker")
    until_done_moving_the_clock(company, town)
    worker.end(signal.SIGTERM)
    for command in ("runs", "connections show", "balance --json", "plan --json"):
        company.run(*command.split(), slug)
    company.run("plan", slug, ENCRYPTION_KEYS="test:" + base64.b64encode(b"w" * 32).decode())
    company.run("worker", BROKER_URL=f"amqp://canary:{BROKER_PASSWORD}@127.0.0.1:1/")
    company.run("runs", DATABASE_URL=f"postgresql://canary:{DATABASE_PASSWORD}@127.0.0.1:1/books")

    stored = {
        f"table {name}": "\n".join(as_text(cell) for row in company.query(f'SELECT * FROM "{name}"') for cell in row)
        for (name,) in company.query(TABLES)
    }
    logs = {process.output.parent.name: process.log() for process in company.processes}
    sent = {"messages": as_text(b"\n".join(messages))}
    seen = {**stored, **logs, **sent, "output": "\n".join(company.told)}
    assert [(what, where) for where, text in seen.items() for what, secret in secrets.items() if secret in text] == []
    assert [where for where in (*logs, "messages", "table outbox_message") if COUNTERPARTY in seen[where]] == []
    assert COUNTERPARTY in stored["table posting"]
    assert IBAN[-4:] in stored["table bank_account"]
    assert in_xero(party) == in_qonto(party)
    assert all(fault["hits"] for fault in town.control("GET", "/faults")["faults"])


def until_done_moving_the_clock(company: Company, town: WorldClient) -> None:
    """Let a night end in which faults make the run wait: each time, until the moment it waits for."""

    def done_or_moved() -> bool:
        ((state, wake_at),) = company.query("SELECT state, wake_at FROM sync_run WHERE kind = 'nightly'")
        if state == "waiting" and wake_at > datetime.fromisoformat(town.control("GET", "/clock")["now"]):
            at(town, wake_at.isoformat())
        return bool(state == "done")

    company.until(done_or_moved, "the night to end")
