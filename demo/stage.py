"""What the demo plays on: a world in a process of its own, and our side of it in this one; both are gone at the end."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from clients.http import Http
from clients.sandbox import Sandbox
from messaging import InProcessPublisher, Lane, run_worker
from messaging.outbox_relay import lane_relay
from models.database import configure, connected
from models.migrate import migrate
from scheduler.loop import RelayLoop, Scheduler, running
from services.workbench import Workbench, make_workbench
from settings import IN_PROCESS, read_settings
from workers.process import worker_broker

FIRST_EVENING = "2026-11-18T20:00:00Z"  # 21:00 in Paris, two hours before the first night
THREADS = 4
CORE_KEY_ID = "core"


@contextmanager
def running_world() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own sandbox
        try:
            line = process.stdout.readline() if process.stdout else ""
            world = Sandbox(Http(), line.split()[-1])
            world.post("/clock", {"now": FIRST_EVENING})
            yield world
        finally:
            process.terminate()


def organisation_without_euro(world: Sandbox) -> dict[str, Any]:
    """A Xero organisation in pounds that has not added the euro: what it gets is held until it does."""
    made: dict[str, Any] = world.post(
        "/organisations",
        {
            "name": "Thames Tea",
            "accounts": [{"name": "Main"}],
            "xero": {"tenant_name": "Thames Tea", "base_currency": "GBP", "currencies": []},
        },
    )
    world.post(f"/qonto/{made['organisation_id']}/transactions", {"count": 12, "seed": 5, "settled_within_hours": 12})
    return made


@contextmanager
def company(world: Sandbox, someone: dict[str, Any], web_url: str) -> Iterator[Workbench]:
    """Our own side: a database file, a key, and clients pointed at the world; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="qonto-xero-demo-") as folder:
        key = base64.b64encode(os.urandom(32)).decode()
        world.post("/core", {"key_id": CORE_KEY_ID, "key": key})
        environment = {
            "DATABASE_URL": f"sqlite:///{Path(folder) / 'demo.sqlite3'}",
            "ENCRYPTION_KEYS": "demo:" + base64.b64encode(os.urandom(32)).decode(),
            "XERO_API_URL": f"{world.url}/xero",
            "XERO_IDENTITY_URL": f"{world.url}/identity",
            "XERO_CLIENT_ID": someone["xero_client_id"],
            "XERO_CLIENT_SECRET": someone["xero_client_secret"],
            "XERO_LOGIN_URL": f"{world.url}/identity",
            "QONTO_CLIENT_ID": someone["qonto_client_id"],
            "QONTO_CLIENT_SECRET": someone["qonto_client_secret"],
            "QONTO_API_URL": f"{world.url}/qonto",
            "QONTO_OAUTH_URL": f"{world.url}/qonto",
            "WEB_URL": web_url,
            "CLOCK_URL": world.url,
            "EVENT_KEYS": f"{CORE_KEY_ID}:{key}",
        }
        settings = read_settings({f"QONTO_XERO_{name}": value for name, value in environment.items()})
        configure(settings.database_url)
        with connected():
            migrate()
            yield make_workbench(settings)


@contextmanager
def workers(workbench: Workbench) -> Iterator[Scheduler]:
    """Worker threads in this process, fed by an in-process queue, and the scheduler that feeds it."""
    stop = Event()
    broker = worker_broker(IN_PROCESS, workbench, stop)
    threads = Thread(target=run_worker, args=(broker, list(Lane), THREADS, stop), name="workers")
    threads.start()
    relays = [RelayLoop(lane_relay(lane, InProcessPublisher(broker), workbench.clock)) for lane in Lane]
    try:
        with running(relays, stop):
            yield Scheduler(workbench.clock, tick_seconds=0.2)
    finally:
        threads.join()
