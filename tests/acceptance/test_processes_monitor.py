"""What real processes show of themselves: to whom, when all is well, and when a server is away."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, PUTS, Company, Process, at, payments
from tests.sandbox.world_client import WorldClient
from tests.servers.processes import free_ports
from tests.servers.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company = processes.migrated, processes.company

LOOPBACK, LISTENING = "0100007F", "0A"
RELAYS = ("relay-interactive", "relay-nightly", "relay-backfill", "relay-events")
COMMANDS = ("scheduler", "worker", "listener", "web")
OWN = {
    "scheduler": {"broker", "scheduler", *RELAYS, "resender", "watcher"},
    "worker": {"broker", "worker"},
    "listener": {"broker", "listener"},
    "web": {"page"},
}


@pytest.fixture
def proxies(company: Company) -> Iterator[dict[str, TcpProxy]]:
    """Between the company and its servers, by the setting that names each."""
    with ExitStack() as stack:
        made = {}
        for setting in ("DATABASE_URL", "BROKER_URL"):
            parts = urlsplit(company.settings[setting])
            made[setting] = TcpProxy(parts.hostname or "", parts.port or 0)
            stack.callback(made[setting].close)
            there = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{made[setting].port}"
            company.settings[setting] = parts._replace(netloc=there).geturl()
        yield made


def checks(process: Process) -> dict[str, Any]:
    """What /readyz says of each check."""
    status, body = process.tells("/readyz")
    found: dict[str, Any] = json.loads(body)["checks"] if body else {}
    assert not found or (status == 200) == (set(found.values()) == {"ok"})
    return found


def until_ready(company: Company, process: Process) -> None:
    company.until(lambda: set(checks(process).values()) == {"ok"}, f"{process.output.parent.name} to be ready")


def listens_on(process: Process) -> list[str]:
    """The addresses, in hexadecimal, of the sockets on which a process takes connections."""
    inodes = set()
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            inodes.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                found.append(fields[1].partition(":")[0])
    return found


def test_every_process_tells_how_it_is_on_loopback_alone_and_names_what_is_away(
    company: Company, town: WorldClient, proxies: dict[str, TcpProxy]
) -> None:
    (port,) = free_ports(1)
    company.settings["WEB_URL"] = f"http://localhost:{port}"
    started = {name: company.start(name, *(("--port", str(port)) if name == "web" else ())) for name in COMMANDS}
    for name, process in started.items():
        until_ready(company, process)
        assert checks(process).keys() == {"database", "schema", "keys"} | OWN[name]
        assert listens_on(process) == [LOOPBACK] * (2 if name == "web" else 1)
        assert "qonto_xero_jobs_running" in process.tells("/metrics")[1]
    web, scheduler = started["web"], started["scheduler"]
    assert "qonto_xero_scheduler_last_success_timestamp_seconds 1.7" in scheduler.tells("/metrics")[1]

    with proxies["BROKER_URL"].outage():
        company.until(lambda: checks(started["worker"])["worker"] != "ok", "the worker to have lost its lanes")
        for name in ("scheduler", "worker", "listener"):
            assert checks(started[name])["broker"].startswith("cannot reach RabbitMQ at 127.0.0.1:")
        assert set(checks(web).values()) == {"ok"}

    with proxies["DATABASE_URL"].stall():
        found = checks(web)
        assert found["database"].startswith("no answer for")
        assert found["page"] == "ok"
        assert web.tells("/livez")[0] == 200
        assert web.tells("/slo")[0] == 503
    until_ready(company, web)


def test_a_worker_that_finishes_what_it_sends_lives_and_is_not_ready(company: Company, town: WorldClient) -> None:
    (port,) = free_ports(1)
    company.settings["MONITOR"] = str(port)
    party = town.organisation()
    party.pay(*payments(1))
    company.connect_at_once(party)
    held = town.fault("hold", match=PUTS, when="before")
    worker = company.start("worker")
    company.until(lambda: company.ask("ready").code == 0, "the worker to be ready")
    taken = company.run("scheduler")
    assert (taken.code, "QONTO_XERO_MONITOR: cannot listen on" in taken.err) == (3, True)

    company.settings["MONITOR"] = "off"
    scheduler = company.start("scheduler")
    at(town, NIGHT)
    town.wait_until_held(held)
    worker.signal(signal.SIGTERM)
    company.until(lambda: company.ask("ready", MONITOR=str(port)).code == 1, "the worker to drain")

    assert company.ask("ready", "--json", MONITOR=str(port)).json["checks"] == {"process": "draining"}
    assert company.ask("ready", "--live", MONITOR=str(port)).code == 0
    assert listens_on(scheduler) == []
    town.control("POST", f"/faults/{held}/release")
    company.until(lambda: worker.exit_code == 0, "the worker to end")
    ended = [json.loads(line) for line in worker.log().splitlines() if '"run ' in line]
    assert ended[-1].keys() >= {"message_id", "actor", "run_id", "organisation_id"}
    assert ended[-1]["organisation_id"] == party.id
