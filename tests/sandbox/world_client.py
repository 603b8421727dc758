"""How tests speak to the world: by URL only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

REPOSITORY = Path(__file__).resolve().parents[2]
READY = "sandbox ready on "
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class WorldProcess:
    """A world that runs."""

    url: str
    pid: int


@contextmanager
def running_world(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """A world in a process of its own, with this added to our environment; gives its URL."""
    with world_process(*arguments, environment=environment) as world:
        yield world.url


@contextmanager
def world_process(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[WorldProcess]:
    """The same for whoever asks about the process too."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    env = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=env) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(READY), line
            yield WorldProcess(line.removeprefix(READY).strip(), process.pid)
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


@dataclass
class Party:
    """One organisation as a client knows it."""

    world: WorldClient
    known: dict[str, Any]

    @property
    def id(self) -> str:
        """Qonto's organisation id."""
        return str(self.known["organisation_id"])

    @property
    def tenant(self) -> str:
        """Xero's tenant id."""
        return str(self.known["tenant_id"])

    @property
    def account_id(self) -> str:
        """Its first Qonto account."""
        return str(self.known["accounts"][0]["id"])

    def xero(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **options: Any
    ) -> requests.Response:
        """Call the Accounting API as the connected app."""
        headers = {
            "Authorization": f"Bearer {self.known['xero_tokens']['access_token']}",
            "xero-tenant-id": self.tenant,
            "Accept": "application/json",
            **({"Idempotency-Key": key} if key is not None else {}),
            **options.pop("headers", {}),
        }
        return self.world.call(method, f"/xero/api.xro/2.0/{path}", json=body, headers=headers, **options)

    def authorize(self) -> None:
        """A person lets us into the tenant anew; the tokens of it are known from then on."""
        code = self.world.control("POST", f"/xero/{self.tenant}/authorize", {})["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": ""}
        app = (self.known["xero_client_id"], self.known["xero_client_secret"])
        answer = self.world.call("POST", "/identity/connect/token", data=form, auth=app)
        assert answer.ok, answer.text
        self.known["xero_tokens"] = answer.json()

    def qonto(self, path: str, **query: Any) -> requests.Response:
        """Read from Qonto with the organisation's key."""
        headers = {"Authorization": f"{self.known['qonto_login']}:{self.known['qonto_secret']}"}
        return self.world.call("GET", f"/qonto/v2/{path}", headers=headers, params=query)

    def pay(self, *rows: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows happen at Qonto."""
        made = self.world.control("POST", f"/qonto/{self.id}/transactions", {"transactions": list(rows)})
        return list(made["transactions"])

    def listed(self, **query: Any) -> list[str]:
        """Ids of the first account's transactions as Qonto lists them."""
        answer = self.qonto("transactions", bank_account_id=self.account_id, **query)
        return [row["id"] for row in answer.json()["transactions"]]

    def bank_account(self, name: str = "Qonto Main", code: str = "QMAIN") -> str:
        """A Xero bank account made by API; gives its id."""
        body = {"Name": name, "Code": code, "Type": "BANK", "BankAccountNumber": "FR7612345"}
        answer = self.xero("PUT", "Accounts", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["Accounts"][0]["AccountID"])

    def ledger(self) -> dict[str, Any]:
        """The truth about the tenant."""
        return self.world.control("GET", f"/xero/{self.tenant}/ledger")


class WorldClient:
    """The control API and plain calls to the services."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request to the world."""
        return self.session.request(method, self.url + path, **{"timeout": TIMEOUT_S, **options})

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A control request that must succeed."""
        answer = self.call(method, f"/control{path}", json=body)
        assert answer.ok, answer.text
        return dict(answer.json())

    def organisation(self, **description: Any) -> Party:
        """One explicit organisation."""
        return Party(self, self.control("POST", "/organisations", {"name": "Farolillo SL", **description}))

    def settings(self, **changes: Any) -> None:
        """Change settings."""
        self.control("POST", "/settings", changes)

    def fault(self, action: str, **spec: Any) -> str:
        """Let a fault loose; gives its id."""
        return str(self.control("POST", "/faults", {"action": action, **spec})["id"])

    def wait_until_held(self, fault: str, count: int = 1) -> None:
        """Return when a hold fault holds so many requests."""
        self.wait_until(lambda: self.control("GET", f"/faults/{fault}")["holding"] >= count)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition holds, at the latest after the timeout, which is a failure."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, "the awaited condition never held"

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self.control("POST", "/clock", {"advance_seconds": seconds})

    def requests_made(self, query: str = "") -> list[dict[str, Any]]:
        """The request log."""
        return list(self.control("GET", f"/requests?{query}")["requests"])


def spend(account_id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A bank transaction that Xero accepts, with changes."""
    return {
        "Type": "SPEND",
        "Contact": {"Name": "Nube Hosting"},
        "LineItems": [{"Description": "Servers", "Quantity": 1, "UnitAmount": 12.5, "AccountCode": "429"}],
        "BankAccount": {"AccountID": account_id},
        "LineAmountTypes": "NoTax",
        "Date": "2026-11-19",
        "Reference": f"ref-{number}",
        "Url": f"https://app.qonto.com/transactions/{number}",
        **changes,
    }


def messages(answer: requests.Response) -> list[str]:
    """Every validation message of a 400."""
    assert answer.status_code == 400, answer.text
    return [error["Message"] for element in answer.json()["Elements"] for error in element["ValidationErrors"]]
