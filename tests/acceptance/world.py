"""A world for whole journeys: a sandbox whose clock we move, our own side of it, and what no journey may end with."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from threading import Lock, RLock
from typing import Any, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from clients.http import Answer, Http
from clients.sandbox import Sandbox
from domain.call_limits import QONTO
from messaging.event_queues import KEY_ID as KEY_HEADER
from messaging.event_queues import SIGNATURE
from models.lease import Lease, LeaseRow
from models.organisation import Connection
from models.outbox import OutboxEvent, OutboxMessage, claim_unsent, mark_sent
from models.posting import Posting
from models.states import OPEN_RUN_STATES, Lane, RunKind
from models.sync_run import SyncRun
from scheduler.tick import tick
from services.app_share import AppShare
from services.connect import Grant, Wishes, connect
from services.disconnect import ask_to_disconnect
from services.receive_event import Delivery, Reception, receive_event
from services.request_sync import request_sync
from services.sync_organisation import ACTOR, sync_organisation
from services.take_up_event import take_up_event
from services.workbench import Workbench, make_workbench
from settings import Secret, read_settings
from tests.checker import Request as Request  # noqa: PLC0414 - journeys read it from here
from tests.checker import check_world, id_in, in_words, read_requests, reader
from tests.contract.events import CONTRACT, TO_CORE, event_validator
from tests.events import KEY, KEY_ID

Row = dict[str, Any]

PARIS = "Europe/Paris"
NIGHT = time(23)
MORNING = time(5)
NOON = time(12)
SAME_CLOCK = timedelta(days=10)  # no journey that counts hours meets a change of the clocks
TELLABLE = event_validator(json.loads((CONTRACT / TO_CORE).read_text()))
MOST_ROUNDS = 80  # of looking for work in one journey: what takes more does not end


class PowerCut(BaseException):
    """The process is gone at once: nothing of ours catches it, nothing is tidied up."""


def spends(cents: int, label: str = "Nube Hosting", **more: Any) -> Row:
    """Money out, as the sandbox wants it told."""
    return {"amount_cents": cents, "side": "debit", "label": label, **more}


def receives(cents: int, label: str = "Farolillo SL", **more: Any) -> Row:
    """Money in."""
    return {"amount_cents": cents, "side": "credit", "label": label, **more}


@dataclass
class World:
    """The sandbox. Its clock stands still until it is moved, and is only ever moved forward."""

    sandbox: Sandbox
    now: datetime
    default_settings: dict[str, Any]
    faults: list[str] = field(default_factory=list)
    _alone: Lock = field(default_factory=Lock)

    @classmethod
    def at(cls, url: str, http: Http) -> World:
        sandbox = Sandbox(http, url)
        now = datetime.fromisoformat(sandbox.get("/clock")["now"])
        return cls(sandbox, now, sandbox.get("/settings"))

    def move_to(self, moment: datetime) -> None:
        assert moment >= self.now, "the clock only goes forward"
        self.sandbox.post("/clock", {"now": moment.astimezone(UTC).isoformat()})
        self.now = moment

    def wait(self, **duration: float) -> None:
        with self._alone:  # requests of ours take time on threads of their own, and it never goes back
            self.move_to(self.now + timedelta(**duration))

    def next(self, at: time, zone: str = PARIS) -> datetime:
        """The next moment at which a clock in `zone` shows `at`."""
        local = self.now.astimezone(ZoneInfo(zone))
        today = datetime.combine(local.date(), at, ZoneInfo(zone)).astimezone(UTC)
        if today > self.now:
            return today
        return datetime.combine(local.date() + timedelta(days=1), at, ZoneInfo(zone)).astimezone(UTC)

    def before_a_day_of(self, hours: int) -> datetime:
        """Noon in Paris on the next day whose 23:00 is so many hours before that of the day after."""
        noon = self.next(NOON)
        while self._hours_to_the_night_after(noon) != hours:
            noon = datetime.combine(noon.date() + timedelta(days=1), NOON, ZoneInfo(PARIS)).astimezone(UTC)
        return noon

    def _hours_to_the_night_after(self, noon: datetime) -> float:
        nights = [datetime.combine(noon.date() + timedelta(days=days), NIGHT, ZoneInfo(PARIS)) for days in (0, 1)]
        return (nights[1].astimezone(UTC) - nights[0].astimezone(UTC)) / timedelta(hours=1)

    def new_day(self) -> None:
        """Noon in Paris, with ten days ahead that all have 24 hours there."""
        self.move_to(self.next(NOON))
        while _offset(self.now) != _offset(self.now + SAME_CLOCK):
            self.move_to(self.next(NOON))

    def fault(self, action: str, *, method: str = "PUT", path: str = "/BankTransactions$", **more: Any) -> str:
        """Misfortune for requests to Xero, unless `service` says otherwise. It must strike before the journey ends."""
        match = {"service": more.pop("service", "xero"), "method": method, "path": path}
        match |= {name: more.pop(name) for name in ("tenant", "body") if name in more}
        number = str(self.sandbox.post("/faults", {"action": action, "match": match, **more})["id"])
        self.faults.append(number)
        return number

    def end_faults(self) -> list[str]:
        """Remove them all; those that never struck as often as they were told to."""
        known = self.sandbox.get("/faults")["faults"]
        idle = [f"fault {f['id']} ({f['action']}) struck {f['hits']} times" for f in known if not _is_spent(f)]
        self.sandbox.delete("/faults")
        self.faults.clear()
        return idle

    def last_event(self) -> int:
        """The number of the newest event of Qonto's core, to tell later ones from it."""
        return int(self.sandbox.get("/core/events")["last"])

    def last_request(self) -> int:
        """The number of the newest request, to tell later ones from it."""
        return int(self.sandbox.get("/requests", limit="0")["last_id"])

    def settings(self, **changes: Any) -> None:
        self.sandbox.post("/settings", changes)

    def restore(self) -> None:
        self.sandbox.post("/settings", self.default_settings | {"log_bodies": True})


def _offset(moment: datetime) -> timedelta | None:
    return moment.astimezone(ZoneInfo(PARIS)).utcoffset()


def _is_spent(fault: Row) -> bool:
    return int(fault["hits"]) >= (1 if fault["times"] is None else int(fault["times"]))


@dataclass
class Company:
    """A customer: its Qonto and Xero in the world, and what a journey expects to end otherwise than posted."""

    world: World
    known: Row
    zone: str = PARIS
    starts_at: datetime | None = None
    connection_id: str = ""
    missing: dict[str, str] = field(default_factory=dict)  # transactions not in Xero, and what we say of each
    doubtful: dict[str, str] = field(default_factory=dict)  # in Xero, but we do not say that they are
    first_request: int = field(init=False)  # the number of the newest request before this company's first

    def __post_init__(self) -> None:
        self.first_request = self.world.last_request()

    @property
    def id(self) -> str:
        return str(self.known["organisation_id"])

    @property
    def tenant(self) -> str:
        return str(self.known["tenant_id"])

    @property
    def account_id(self) -> str:
        """Its first Qonto account."""
        return str(self.known["accounts"][0]["id"])

    @property
    def account_ids(self) -> list[str]:
        return [str(account["id"]) for account in self.known["accounts"]]

    @property
    def connection(self) -> Connection:
        found: Connection = Connection.get_by_id(self.connection_id)
        return found

    # What happens at Qonto.

    def moves(self, *rows: Row) -> list[str]:
        """Rows happen one second after another; their ids. A row that settles now is dated by its own second."""
        told = []
        for number, row in enumerate(rows):
            at = (self.world.now + timedelta(seconds=number)).isoformat()
            settled = {} if row.get("status", "completed") != "completed" else {"settled_at": at}
            told.append({"updated_at": at, "created_at": at, "emitted_at": at} | settled | row)
        made = self.world.sandbox.post(f"/qonto/{self.id}/transactions", {"transactions": told})["transactions"]
        self.world.wait(seconds=len(rows))
        return [str(row["id"]) for row in made]

    def at_qonto(self, what: str, body: Row | None = None) -> Any:
        return self.world.sandbox.post(f"/qonto/{self.id}/{what}", body)

    def opens_account(self, name: str, **more: Any) -> str:
        return str(self.at_qonto("accounts", {"name": name, **more})["id"])

    # What people do in Xero.

    def in_xero(self, what: str, body: Row | None = None) -> Any:
        return self.world.sandbox.post(f"/xero/{self.tenant}/{what}", body)

    def ledger(self) -> Row:
        """Every account and row in Xero that there ever was."""
        return cast("Row", self.world.sandbox.get(f"/xero/{self.tenant}/ledger"))

    def rows(self, transaction_id: str | None = None) -> list[Row]:
        """Xero's bank transactions that we made: all, or those of one Qonto transaction."""
        ours = [row for row in self.ledger()["bank_transactions"] if row["made_by"] == "api"]
        return [row for row in ours if transaction_id in {None, id_in(row["url"])}]

    def row_ids(self) -> list[str]:
        """The Qonto ids of what is in Xero."""
        return [id_in(row["url"]) for row in self.rows()]

    def row(self, transaction_id: str) -> Row:
        [row] = self.rows(transaction_id)
        return row

    def bank_accounts(self, **like: Any) -> list[Row]:
        """Xero's bank accounts, archived and deleted ones too, that have these values."""
        accounts = [account for account in self.ledger()["accounts"] if account["type"] == "BANK"]
        return [account for account in accounts if all(account[key] == value for key, value in like.items())]

    def account_with_code(self, code: str) -> Row:
        """The account that lines are coded to by this code."""
        return next(account for account in self.ledger()["accounts"] if account["code"] == code)

    def coding_account(self) -> Row:
        """The account that we made for lines that nobody has coded yet."""
        [account] = [a for a in self.ledger()["accounts"] if a["type"] != "BANK" and a["made_by"] == "api"]
        return cast("Row", account)

    def requests(self, after: int = 0) -> list[Request]:
        """What we asked this company's Xero and Qonto, oldest first."""
        found = [*read_log(self.world, after, tenant=self.tenant), *read_log(self.world, after, tenant=self.id)]
        return sorted(found, key=lambda request: request.id)

    def postings_sent(self, after: int = 0) -> list[Request]:
        """The requests that create transactions in Xero."""
        return [request for request in self.requests(after) if request.is_posting]

    # What we say.

    def posting(self, transaction_id: str) -> Posting:
        found: Posting = Posting.get((Posting.tenant_id == self.tenant) & (Posting.transaction_id == transaction_id))
        return found

    def state(self, transaction_id: str) -> str:
        """`posted`, or `held: lock_date`; `unknown` while we have not read it."""
        posting = Posting.get_or_none((Posting.tenant_id == self.tenant) & (Posting.transaction_id == transaction_id))
        return in_words(posting) if posting else "unknown"

    def states(self) -> Counter[str]:
        return Counter(in_words(posting) for posting in Posting.select().where(Posting.tenant_id == self.tenant))

    def runs(self) -> list[SyncRun]:
        return list(SyncRun.select().where(SyncRun.organisation_id == self.id).order_by(SyncRun.id))

    def told(self, type_: str = "") -> list[Row]:
        """What Qonto's core is told of it, oldest first: each event, or those of one type."""
        ours = [event for event in all_told() if event["data"]["organization_id"] == self.id]
        return [event for event in ours if type_ in {"", event["type"]}]

    def told_types(self) -> list[str]:
        return [event["type"] for event in self.told()]

    # The truth, from the sandbox's own books.

    def truth(self) -> dict[str, Row]:
        """What Xero should have, by Qonto's id."""
        ledger = self.world.sandbox.get(f"/qonto/{self.id}/ledger")
        external = {account["id"] for account in ledger["accounts"] if account["is_external"]}
        return {
            row["id"]: row
            for row in ledger["transactions"]
            if row["status"] == "completed"
            and row["amount_cents"]
            and row["account_id"] not in external
            and self.starts_at
            and datetime.fromisoformat(row["settled_at"]) >= self.starts_at
        }

    def lost(self) -> set[str]:
        return self.truth().keys() - {id_in(row["url"]) for row in self.rows()}

    def duplicates(self) -> list[str]:
        """Transactions that we made more than once, deleted rows counted."""
        return sorted(key for key, times in Counter(id_in(row["url"]) for row in self.rows()).items() if times > 1)

    def problems(self) -> list[str]:
        """Everything that the product promised otherwise."""
        report = check_world(
            self.world, None, [self], missing=self.missing, doubtful=self.doubtful, after=self.first_request
        )
        return report.problems


def read_log(world: World, after: int = 0, **like: str) -> list[Request]:
    """The sandbox's log of requests, oldest first."""
    return read_requests(reader(world), after, **like)


class Misquoted(Http):
    """Passes everything on, and changes the rows in answers from one path on their way back."""

    def __init__(self, http: Http, path: str, change: Callable[[list[Row]], list[Row]]) -> None:
        self._http, self._path, self._change = http, path, change

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,
    ) -> Answer:
        answer = self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)
        if not url.endswith(self._path) or answer.status != 200:
            return answer
        content = json.loads(answer.body)
        rows = next(name for name in content if name.lower().startswith(self._path.rpartition("/")[2].lower()))
        content[rows] = self._change(content[rows])
        return replace(answer, body=json.dumps(content).encode())


class Slow(Http):
    """Passes everything on; each call to Xero takes a second of the world's clock."""

    def __init__(self, http: Http, world: World) -> None:
        self._http, self._world = http, world

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,
    ) -> Answer:
        if "/xero/" in url:
            self._world.wait(seconds=1)
        return self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)


@contextmanager
def before(place: str, what: Callable[[], Any]) -> Iterator[None]:
    """Just before `place` (module.function) is called for the first time, something happens."""
    module, _, name = place.rpartition(".")
    real = getattr(import_module(module), name)
    alone, waits = RLock(), [what]

    def interrupted(*args: Any, **options: Any) -> Any:
        with alone:  # other threads come to it at the same moment, and wait until it has happened
            while waits:
                waits.pop()()
        return real(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, interrupted)
        yield


class Office:
    """Our own side, in one process: a scheduler's tick, and a worker that takes its messages one by one."""

    def __init__(self, world: World, database_url: str, http: Http) -> None:
        self.world = world
        self.companies: list[Company] = []
        self.stopping: Callable[[], bool] = lambda: False
        self._http = http
        sandbox = world.sandbox.url
        environment = {
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEYS": "test:" + base64.b64encode(bytes(32)).decode(),
            "XERO_API_URL": f"{sandbox}/xero",
            "XERO_IDENTITY_URL": f"{sandbox}/identity",
            "XERO_LOGIN_URL": f"{sandbox}/identity",
            "XERO_CLIENT_ID": "sandbox-xero-client",
            "XERO_CLIENT_SECRET": "sandbox-xero-secret",
            "QONTO_API_URL": f"{sandbox}/qonto",
            "QONTO_OAUTH_URL": f"{sandbox}/qonto",
            "QONTO_CLIENT_ID": "sandbox-qonto-client",
            "QONTO_CLIENT_SECRET": "sandbox-qonto-secret",
            "EVENT_KEYS": f"{KEY_ID}:{base64.b64encode(KEY).decode()}",
        }
        world.sandbox.post("/core", {"key_id": KEY_ID, "key": base64.b64encode(KEY).decode()})
        self._settings = read_settings({f"QONTO_XERO_{name}": value for name, value in environment.items()})
        self.workbench = self._new_workbench()

    def _new_workbench(self) -> Workbench:
        clock = lambda: self.world.now  # noqa: E731
        return replace(
            make_workbench(self._settings),
            http=self._http,
            clock=clock,
            machine_clock=clock,
            app_share=AppShare(clock),
            qonto_share=AppShare(clock, service=QONTO),
        )

    def restart(self) -> None:
        """A new process: it knows only what the database knows."""
        self.workbench = self._new_workbench()

    def company(self, name: str = "Farolillo SL", **description: Any) -> Company:
        """A customer with one Qonto account and a Xero, not connected yet."""
        description.setdefault("accounts", [{"name": "Main"}])
        return Company(self.world, self.world.sandbox.post("/organisations", {"name": name, **description}))

    def connect(
        self,
        company: Company,
        *,
        zone: str = PARIS,
        starts_at: datetime | None = None,
        qonto_by_oauth: bool = False,
        follow: bool = False,
        **codes: str,
    ) -> Company:
        """A person connects; transactions settled from `starts_at`, default now, on are to be sent.

        Unless `follow`, the accounts run that connecting asks for is lost, so that the night makes the accounts.
        """
        wishes = Wishes(tenant=company.tenant, time_zone=zone, starts_at=starts_at)
        connection = connect(self.workbench, self._grant(company, by_oauth=qonto_by_oauth), wishes, who="ada")
        if not follow:
            lose_accounts_run(connection.id)
        company.connection_id = connection.id
        company.zone, company.starts_at = zone, connection.starts_at
        if codes:
            self.choose(company, **codes)
        self.companies.append(company)
        return company

    def disconnect(self, company: Company) -> None:
        """A person ends the connection, and it is over."""
        ask_to_disconnect(company.connection, "ada", "we moved", self.world.now)
        self.run_until_quiet()

    def reconnect(self, company: Company, *, follow: bool = False) -> None:
        """A person lets us in again, with a new consent in Xero."""
        company.known["xero_tokens"] = self._redeem(company.in_xero("authorize")["code"])
        connection = connect(self.workbench, self._grant(company, by_oauth=False), Wishes(), who="ada")
        if not follow:
            lose_accounts_run(connection.id)
        company.connection_id = connection.id

    def _grant(self, company: Company, *, by_oauth: bool) -> Grant:
        known = company.known
        return Grant(
            qonto_api_key=Secret("" if by_oauth else f"{known['qonto_login']}:{known['qonto_secret']}"),
            qonto_refresh_token=Secret(known["qonto_tokens"]["refresh_token"]),
            xero_refresh_token=Secret(known["xero_tokens"]["refresh_token"]),
        )

    def _redeem(self, code: str) -> Row:
        """The tokens behind a consent, which the page will fetch once there is one."""
        app = self.workbench.xero_app
        pair = f"{app.client_id}:{app.client_secret.reveal()}".encode()
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = f"grant_type=authorization_code&code={code}&redirect_uri=".encode()
        return cast("Row", json.loads(self._http.call("POST", app.token_url, headers=headers, body=form).body))

    def choose(self, company: Company, **codes: str) -> None:
        """The customer chooses other accounts to code to."""
        Connection.update(**codes).where(Connection.id == company.connection_id).execute()

    def contacts(self, company: Company, name: str) -> list[str]:
        """The ids of Xero's contacts of this name."""
        answer = json.loads(self.workbench.xero(company.connection).call("GET", "/Contacts").body)
        return [contact["ContactID"] for contact in answer["Contacts"] if contact["Name"] == name]

    def qonto_says(self, change: Callable[[Row], Row]) -> None:
        """Until we restart, Qonto's transactions read otherwise: what it never documented, and sends one day."""
        self.qonto_lists(lambda rows: [change(row) for row in rows])

    def qonto_lists(self, change: Callable[[list[Row]], list[Row]]) -> None:
        """Until we restart, each page of Qonto's transactions reads otherwise."""
        self.workbench = replace(self.workbench, http=Misquoted(self._http, "/v2/transactions", change))

    def qonto_lists_accounts(self, change: Callable[[list[Row]], list[Row]]) -> None:
        """Until we restart, Qonto's bank accounts read otherwise."""
        self.workbench = replace(self.workbench, http=Misquoted(self._http, "/v2/bank_accounts", change))

    def xero_says_of_itself(self, change: Callable[[list[Row]], list[Row]]) -> None:
        """Until we restart, Xero's organisation reads otherwise."""
        self.workbench = replace(self.workbench, http=Misquoted(self._http, "/Organisation", change))

    def xero_answers(self, change: Callable[[list[Row]], list[Row]]) -> None:
        """Until we restart, Xero's bank transactions read otherwise."""
        self.workbench = replace(self.workbench, http=Misquoted(self._http, "/BankTransactions", change))

    def xero_lists_accounts(self, change: Callable[[list[Row]], list[Row]], times: int = 1) -> None:
        """Until we restart, so many of Xero's next lists of accounts read otherwise."""
        left = iter(range(times))
        once = lambda rows: rows if next(left, None) is None else change(rows)  # noqa: E731
        self.workbench = replace(self.workbench, http=Misquoted(self._http, "/Accounts", once))

    def xero_takes_time(self) -> None:
        """Until we restart, each call to Xero takes a second."""
        self.workbench = replace(self.workbench, http=Slow(self._http, self.world))

    def connected(self, name: str = "Farolillo SL", **description: Any) -> Company:
        """A customer who has just connected."""
        return self.connect(self.company(name, **description))

    def established(self, name: str = "Farolillo SL", **description: Any) -> Company:
        """A customer whose first night is over: the accounts are there, the next afternoon has come."""
        company = self.connected(name, **description)
        self.night()
        self.morning()
        self.world.move_to(self.world.next(NOON))
        return company

    def sync_now(self, company: Company) -> None:
        """A person asks for a sync, and it is done."""
        request_sync(company.connection, Lane.INTERACTIVE, "ada", self.world.now)
        self.run_until_quiet()

    # A night.

    def night(self, zone: str = PARIS) -> None:
        """It strikes 23:00, and everything is done that is to be done."""
        self.at_23(zone)
        self.run_until_quiet()

    def at_23(self, zone: str = PARIS) -> None:
        """It is 23:00, and nothing has happened yet. The morning between is lived through."""
        night, morning = self.world.next(NIGHT, zone), self.world.next(MORNING, zone)
        if morning < night and self.companies:
            self.world.move_to(morning)
            self.run_until_quiet()
        self.world.move_to(max(night, self.world.now))

    def morning(self, zone: str = PARIS) -> None:
        """It strikes 05:00, when we look at what people changed in Xero."""
        self.world.move_to(self.world.next(MORNING, zone))
        self.run_until_quiet()

    def turn(self) -> None:
        """One tick of the scheduler, and every message that is there."""
        tick(self.world.now)
        while self.take_one_message():
            pass

    def take_one_message(self) -> bool:
        """A worker takes the oldest message, if there is one. It is gone then, also when the worker dies."""
        claimed = claim_unsent(OutboxMessage, "office", self.world.now, 1)
        mark_sent(OutboxMessage, [message.id for message in claimed], self.world.now)
        for message in claimed:
            told = json.loads(message.arguments)
            if message.actor == ACTOR:
                self.work(told["run_id"])
            else:
                self.follow(told["event_id"])
        return bool(claimed)

    def hear(self, after: int, arrange: Callable[[list[Row]], list[Row]] = list) -> list[Reception]:
        """What Qonto's core has said since the event of that number is delivered, in the order of `arrange`."""
        said = self.world.sandbox.get("/core/events", after=str(after))["events"]
        return [self.receive(one["body"].encode(), **one["headers"]) for one in arrange(said)]

    def receive(self, body: bytes, **headers: str) -> Reception:
        """A message arrives from Qonto's core."""
        return receive_event(Delivery(body, headers.get(KEY_HEADER, ""), headers.get(SIGNATURE, "")), self.workbench)

    def follow(self, event_id: int) -> None:
        """A worker gets the message of an event, as the actors of account events do."""
        run_id = take_up_event(event_id, self.world.now)
        if run_id is not None:
            self.work(run_id)

    def work(self, run_id: int) -> None:
        """A worker gets this message."""
        sync_organisation(run_id, self.workbench, self.stopping)

    def run_until_quiet(self) -> None:
        """Let everything happen; when all that is left waits, move the clock to where the first of it goes on."""
        for _ in range(MOST_ROUNDS):
            self.turn()
            if not self.open_runs():
                return
            self.world.move_to(max(self.world.now, self.next_wake()))
        raise AssertionError(f"it does not end: {[(run.state, run.reason) for run in self.open_runs()]}")

    def open_runs(self) -> list[SyncRun]:
        return list(SyncRun.select().where(SyncRun.state.in_(OPEN_RUN_STATES)))

    def next_wake(self) -> datetime:
        """When the first open run goes on: not while a worker, dead or alive, holds its organisation's lease."""
        busy = {lease.organisation_id: lease.expires_at for lease in LeaseRow.select().where(LeaseRow.owner != "")}
        moments: list[datetime] = [
            max(run.wake_at, busy.get(run.organisation_id, run.wake_at)) for run in self.open_runs()
        ]
        return min(moments)

    # Misfortune of our own.

    @contextmanager
    def power_cut(self, place: str, *, when: str) -> Iterator[None]:
        """The first time that `place` (module.function) is called, the process ends `before` or `after` it."""
        module, _, name = place.rpartition(".")
        real = getattr(import_module(module), name)

        def cut(*args: Any, **options: Any) -> Any:
            if when == "after":
                real(*args, **options)
            raise PowerCut(place)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{module}.{name}", cut)
            patch.setattr(Lease, "release", lambda _: None)
            try:
                yield
            except PowerCut:
                self.restart()
            else:
                raise AssertionError(f"{place} was never called")

    # The end.

    def check(self) -> None:
        """What holds at the end of every journey, whatever happened in it."""
        problems = [
            f"{company.known['name']}: {problem}" for company in self.companies for problem in company.problems()
        ]
        problems += self.world.end_faults()
        problems += [error.message for event in all_told() for error in TELLABLE.iter_errors(event)]
        assert not problems, "\n".join(problems)


def all_told() -> list[Row]:
    """Everything that Qonto's core is told, of whomever."""
    return [json.loads(row.body) for row in OutboxEvent.select().order_by(OutboxEvent.id)]


def lose_accounts_run(connection_id: str) -> None:
    """The run that connecting asked for, gone without a trace."""
    SyncRun.delete().where((SyncRun.connection_id == connection_id) & (SyncRun.kind == RunKind.ACCOUNTS)).execute()


def deep_link(transaction_id: str) -> str:
    """What a customer clicks in Xero to go to Qonto."""
    return f"https://app.qonto.com/transactions/{quote(transaction_id, safe='')}"
