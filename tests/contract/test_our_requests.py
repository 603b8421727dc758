"""Our own requests, all of them, held against Xero's description; and what we wrote, read back by Xero's own SDK."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from xero_python.accounting import AccountingApi

from clients.http import Answer, Http
from clients.sandbox import Sandbox
from domain.call_limits import QONTO
from models.database import configure, connected
from models.migrate import migrate
from models.organisation import Connection
from models.outbox import OutboxMessage
from models.posting import Posting
from models.states import PostingState
from scheduler.tick import tick
from services.app_share import AppShare
from services.connect import Grant, Wishes, connect
from services.prove_balance import prove_balance
from services.sync_organisation import sync_organisation
from services.workbench import Workbench, make_workbench
from settings import Secret, read_settings
from tests.contract.sdk_description import violations
from tests.sandbox.world_client import Party

pytestmark = [
    pytest.mark.contract,
    # The SDK leaves the connection of an unread answer to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    @property
    def name(self) -> str:
        *_, resource, last = self.url.partition("?")[0].split("/")
        return f"{self.method} {f'one of {resource}' if GUID.fullmatch(last) else last}"


@dataclass
class RecordingHttp(Http):
    """The real client, which also writes down what it sends."""

    sent: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def call(self, method: str, url: str, **options: Any) -> Answer:
        query = f"?{urlencode(options['params'])}" if options.get("params") else ""
        self.sent.append(Request(method, url + query, dict(options.get("headers") or {}), options.get("body")))
        return super().call(method, url, **options)


@dataclass
class Office:
    """Our side of one party's world."""

    party: Party
    workbench: Workbench
    http: RecordingHttp

    def work_at(self, moment: str) -> None:
        """Scheduler and worker in turn from a moment on, for ten minutes of the world's time."""
        self.party.world.control("POST", "/clock", {"now": moment})
        done = max((message.id for message in OutboxMessage.select()), default=0)
        for _ in range(10):
            tick(self.workbench.clock())
            for message in list(OutboxMessage.select().where(OutboxMessage.id > done).order_by(OutboxMessage.id)):
                done = message.id
                sync_organisation(json.loads(message.arguments)["run_id"], self.workbench, lambda: False)
            self.party.world.advance(61)

    @property
    def to_xero(self) -> list[Request]:
        return [request for request in self.http.sent if "/api.xro/2.0/" in request.url]


@pytest.fixture
def office(party: Party, tmp_path: Path) -> Iterator[Office]:
    url, known = party.world.url, party.known
    settings = read_settings(
        {
            "QONTO_XERO_DATABASE_URL": f"sqlite:///{tmp_path / 'contract.sqlite3'}",
            "QONTO_XERO_ENCRYPTION_KEYS": "test:" + base64.b64encode(bytes(32)).decode(),
            "QONTO_XERO_XERO_API_URL": f"{url}/xero",
            "QONTO_XERO_XERO_IDENTITY_URL": f"{url}/identity",
            "QONTO_XERO_XERO_CLIENT_ID": known["xero_client_id"],
            "QONTO_XERO_XERO_CLIENT_SECRET": known["xero_client_secret"],
            "QONTO_XERO_QONTO_API_URL": f"{url}/qonto",
            "QONTO_XERO_QONTO_OAUTH_URL": f"{url}/qonto",
        }
    )
    http, sandbox = RecordingHttp(), Sandbox(Http(), url)
    configure(settings.database_url)
    with connected():
        migrate()

        def clock() -> datetime:
            return datetime.fromisoformat(sandbox.get("/clock")["now"])

        workbench = replace(
            make_workbench(settings),
            http=http,
            clock=clock,
            machine_clock=clock,
            app_share=AppShare(clock),
            qonto_share=AppShare(clock, service=QONTO),
        )
        grant = Grant(
            qonto_api_key=Secret(f"{known['qonto_login']}:{known['qonto_secret']}"),
            qonto_refresh_token=Secret(""),
            xero_refresh_token=Secret(known["xero_tokens"]["refresh_token"]),
        )
        connect(workbench, grant, Wishes(starts_at=workbench.clock() - timedelta(days=1)), who="test")
        yield Office(party, workbench, http)


@pytest.fixture
def eventful_night(office: Office, tokens: dict[str, Any]) -> Office:
    """Lose answers for longer than Xero remembers, lock a date for a night, and archive the account for lines."""
    world, party = office.party.world, office.party
    world.control("POST", f"/qonto/{party.id}/transactions", {"count": 120, "seed": 3, "settled_within_hours": 9})
    party.pay({"amount_cents": 4730, "label": "Nube <Hosting>", "reference": "INV 17", "side": "debit"})
    world.fault("drop", match={"method": "PUT", "path": "/BankTransactions$"}, when="after", times=5)
    office.work_at("2026-11-20T22:00:00Z")
    world.control("DELETE", "/faults")
    office.work_at("2026-11-21T04:00:01Z")
    party.pay({"amount_cents": 100, "side": "credit"})
    world.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": "2026-11-21"})
    office.work_at("2026-11-21T22:00:01Z")
    accounts = world.control("GET", f"/xero/{party.tenant}/ledger")["accounts"]
    [coding] = [one["id"] for one in accounts if one["made_by"] == "api" and one["type"] != "BANK"]
    world.control("POST", f"/xero/{party.tenant}/accounts/{coding}/archive")
    office.work_at("2026-11-22T22:00:01Z")
    tokens["access_token"] = office.workbench.xero(Connection.get()).tokens.current().reveal()
    return office


def test_every_request_of_ours_is_one_that_xeros_description_allows(eventful_night: Office) -> None:
    found = {
        (request.name, violation)
        for request in eventful_night.to_xero
        for violation in violations(request.method, request.url, request.headers, request.body)
    }

    assert found == set()


def test_the_night_makes_every_kind_of_request_that_we_know(eventful_night: Office) -> None:
    assert {request.name for request in eventful_night.to_xero} == {
        "GET Accounts",
        "GET one of Accounts",
        "PUT Accounts",
        "PUT BankTransactions",
        "GET BankTransactions",
        "GET Organisation",
    }


def test_amounts_travel_as_json_numbers_with_exactly_two_decimals(eventful_night: Office) -> None:
    bodies = [request.body for request in eventful_night.to_xero if request.name == "PUT BankTransactions"]
    amounts = [
        line["UnitAmount"]
        for body in bodies
        if body
        for element in json.loads(body, parse_float=lambda text: text)["BankTransactions"]
        for line in element["LineItems"]
    ]

    assert "47.30" in amounts
    assert all(isinstance(amount, str) and len(amount.partition(".")[2]) == 2 for amount in amounts)


def test_the_sdk_reads_back_what_we_wrote(eventful_night: Office, accounting: AccountingApi) -> None:
    tenant = eventful_night.party.tenant
    read = accounting.get_bank_transactions(tenant, page=1, page_size=1000).bank_transactions
    posted = {p.bank_transaction_id: p for p in Posting.select().where(Posting.state == PostingState.POSTED)}

    assert {row.bank_transaction_id for row in read} == posted.keys()
    for row in read:
        posting = posted[row.bank_transaction_id]
        assert row.type == ("RECEIVE" if posting.side == "credit" else "SPEND")
        assert Decimal(str(row.total)) * 100 == posting.amount_cents
        assert row.date == posting.date
        assert row.url.endswith(posting.transaction_id)
        assert row.bank_account.account_id == posting.xero_account_id
        assert row.is_reconciled is False
    nube = next(row for row in read if row.reference == "INV 17")
    assert nube.contact.name == "Nube Hosting"


def test_the_sdk_sees_one_bank_account_of_ours_with_its_mark_and_iban(
    eventful_night: Office, accounting: AccountingApi
) -> None:
    (account,) = accounting.get_accounts(eventful_night.party.tenant, where='Type=="BANK"').accounts

    assert account.code.startswith("Q")
    assert len(account.code) == 10
    assert account.bank_account_number == eventful_night.party.known["accounts"][0]["iban"]
    assert account.currency_code.value == "EUR"


def test_an_eventful_night_is_proved(eventful_night: Office) -> None:
    proofs = prove_balance(Connection.get(), eventful_night.workbench)

    assert [proof.unexplained for proof in proofs] == [0]
