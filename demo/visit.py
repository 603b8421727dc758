"""After the three nights the world goes on, with the page in front of it, until somebody has seen enough."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from clients.sandbox import Sandbox
from console import Screen
from demo.stage import workers
from services.workbench import Workbench
from web.server import Server
from web.site import Site

PORT = 8080
HOST = "127.0.0.1"
COMPANY = "Boulangerie Camille SARL"
PEOPLE = (
    {"first_name": "Camille", "last_name": "Owner", "role": "owner"},
    {"first_name": "Adam", "last_name": "Admin", "role": "admin"},
    {"first_name": "Rita", "last_name": "Accountant", "role": "reporting"},
    {"first_name": "Max", "last_name": "Manager", "role": "manager"},
    {"first_name": "Emil", "last_name": "Employee", "role": "employee"},
)
READY_SECONDS = 20


def free_port() -> int:
    """The page's own port, or another one if that is taken."""
    for port in (PORT, 0):
        with suppress(OSError), socket.create_server((HOST, port)) as server:
            return int(server.getsockname()[1])
    raise OSError("no port is free")


def go_on(screen: Screen, world: Sandbox, workbench: Workbench, web_url: str, stop: Event) -> None:
    """Serve the page and work on what it asks for until `stop` is set. Raises OSError when it cannot listen."""
    made = found_company(world)
    ready = Event()
    port = int(web_url.rpartition(":")[2])
    server = Server(Site(workbench, web_url))
    page = Thread(target=server.run, args=(HOST, port, stop, ready), name="page", daemon=True)
    page.start()
    if not ready.wait(READY_SECONDS):
        raise OSError(f"the page does not listen on {HOST}:{port}")
    with workers(workbench) as scheduler:
        _introduce(screen, world, web_url, made)
        while not stop.is_set():
            stop.wait(scheduler.turn())
    page.join()


def found_company(world: Sandbox) -> dict[str, Any]:
    """A company with a person of each role, and a Xero login that reaches three organisations."""
    xero = {"tenant_name": "Boulangerie Camille", "connected": False, "user": "Camille"}
    accounts = [{"name": "Compte courant"}, {"name": "Épargne"}, {"name": "Taxes"}]
    made: dict[str, Any] = world.post(
        "/organisations", {"name": COMPANY, "people": [*PEOPLE], "accounts": accounts, "xero": xero}
    )
    london = {"tenant_name": "Camille's London", "base_currency": "GBP", "currencies": []}
    locked = {"tenant_name": "Camille Immobilier", "period_lock_date": "2026-12-31"}
    others = [world.post("/tenants", one)["tenant_id"] for one in (london, locked)]
    world.post("/xero/users", {"name": "Camille", "tenants": [made["tenant_id"], *others]})
    return made


def _introduce(screen: Screen, world: Sandbox, web_url: str, made: dict[str, Any]) -> None:
    control = f"curl -s -X POST {world.url}/control"
    row = '{"transactions": [{"amount_cents": 1250, "label": "Moulin Dupont"}]}'
    pay = f"{control}/qonto/{made['organisation_id']}/transactions -d '{row}'"
    screen.say(f"The page is at {web_url}", style="bold")
    screen.say(f"Sign in at Qonto as somebody of {COMPANY}, at Xero as Camille. Then let something happen:")
    screen.say(f"  a payment settles:    {pay}")
    screen.say(f'  it becomes 23:00:     {control}/clock -d \'{{"now": "2026-11-20T22:00:00Z"}}\'')
    screen.say(f"  Xero lets us out:     {control}/xero/{made['tenant_id']}/disconnect -d '{{}}'")
    screen.say("Ctrl-C ends it.")
