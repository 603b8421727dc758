"""The checker: the world's own books and its request log against what we say, for any test, in process or not.

    report = check_world(world, database, customers, missing=..., doubtful=..., after=...)
    assert not report.problems, report

`world` is the `World` of tests/acceptance or the `WorldClient` of tests/sandbox. `database` is None where the peewee
tables are bound and connected, else the URL of the company's database. `customers` are any objects with an `id`
(Qonto's organisation) and a `tenant` (Xero's): `Company` and `Party` are. `missing` is what is meant not to be in Xero,
and what we say of each transaction (`held: lock_date`); left out, whatever has a reason is well said. `doubtful` is in
Xero, and we say otherwise. `after` is the number of the newest request before the customers' first one. `forgotten` is
from a backup to its restore: of rows made then we keep no batch, but a posting.

The end is meant to be quiet: a transaction that has not arrived and of which we do not say why is lost, unless a run of
its organisation is still open. Whoever wants the keys, the limits and the tokens judged by more than times and hashes
sets `log_bodies` in the world, and a `log_limit` that drops nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, unquote, urlencode
from zoneinfo import ZoneInfo

from playhouse.pool import PooledDatabase

from domain.account_choice import GENERATIONS_AHEAD
from domain.ledger_check import FINE, Class, Duty, Expected, Finding, InLedger, Said, compare, count
from domain.ledger_check_lines import Line, lines_of_books, merge
from domain.marks import account_mark
from models.awaited_transaction import AwaitedTransaction
from models.bank_account import AccountLink, Cursor
from models.database import configure, connected
from models.database import database as proxy
from models.organisation import Connection, Organisation
from models.posting import Posting
from models.posting_batch import PostingBatch, open_batches
from models.states import ConnectionState, LinkState, RunKind
from models.sync_run import SyncRun
from services.check_database import lines_of_database, open_runs_of
from tests.sandbox.world_client import WorldClient

Row = dict[str, Any]

KEY_LIFE = timedelta(minutes=5)  # how long we may send again under one Idempotency-Key
QUIET = timedelta(seconds=39)  # between two sends of one key: 45, less five from a decision to its bytes, and a moment
PROOF_AFTER = timedelta(minutes=7)  # when we may conclude from a look
MINUTE = timedelta(seconds=60)
OVERLAP = timedelta(hours=1)  # the next night reads so far back behind its cursor
CLAIM = timedelta(seconds=60)  # nobody else may refresh a token for so long, unless the first has failed
NIGHT_CALLS, ALL_CALLS, APP_CALLS, IN_PROGRESS = 55, 60, 9_800, 5  # in any 60 seconds; in progress at once
RETRY_AFTER = {"minute": 60, "day": 3600}  # seconds that the world sends when a fault names none
FEW = 4  # customers whose requests are asked for one by one
CLOCKS = timedelta(seconds=1)  # what began within it may not have seen the other's answer
BEHIND = timedelta(seconds=0.5)  # our clock may be so far behind the world's, which it asks over HTTP


class Customer(Protocol):
    """A Qonto organisation and its Xero organisation."""

    @property
    def id(self) -> str: ...
    @property
    def tenant(self) -> str: ...


@dataclass(frozen=True)
class Request:
    """One request as the sandbox saw it; `at` is when it began, `id` counts them as they end."""

    id: int
    at: datetime
    service: str
    method: str
    path: str
    query: str
    tenant: str
    key: str
    sha256: str
    status: int
    struck_by: str
    concurrent: int
    body: str

    @property
    def fault(self) -> bool:
        return bool(self.struck_by)

    @property
    def is_posting(self) -> bool:
        return self.method == "PUT" and self.path.endswith("/BankTransactions")

    @property
    def is_look(self) -> bool:
        return self.method == "GET" and self.path.endswith("/BankTransactions")

    @property
    def is_answered(self) -> bool:
        """Whether we got to read what Xero answered."""
        return self.status == 200 and not self.fault

    def elements(self) -> list[Row]:
        """What a posting asks Xero to create."""
        return cast("list[Row]", json.loads(self.body)["BankTransactions"])

    def urls(self) -> list[str]:
        return [str(element["Url"]) for element in self.elements()]


@dataclass
class Books:
    """Everything about one customer: both sides' books, what we say, and what was asked of them."""

    customer: Customer
    qonto: Row
    xero: Row
    connections: list[Connection]
    zone: str
    postings: dict[str, Posting]
    neighbours: set[str]  # transactions of other organisations that go to the same Xero organisation
    requests: list[Request]
    forgotten: tuple[datetime, datetime] | None = None

    @cached_property
    def starts_at(self) -> datetime | None:
        return min((connection.starts_at for connection in self.connections), default=None)

    @cached_property
    def eligible(self) -> dict[str, Row]:
        """Qonto's rows that Xero should have, by id."""
        external = {account["id"] for account in self.qonto["accounts"] if account["is_external"]}
        return {
            row["id"]: row
            for row in self.qonto["transactions"]
            if row["status"] == "completed"
            and row["amount_cents"]
            and row["account_id"] not in external
            and self.starts_at
            and datetime.fromisoformat(row["settled_at"]) >= self.starts_at
        }

    @cached_property
    def expected(self) -> list[Expected]:
        return [
            Expected(
                tenant_id=self.customer.tenant,
                transaction_id=row["id"],
                account=row["account_id"],
                side=row["side"],
                cents=row["amount_cents"],
                currency=row["currency"],
                date=datetime.fromisoformat(row["settled_at"]).astimezone(ZoneInfo(self.zone)).date(),
                duty=Duty.MUST,
            )
            for row in self.eligible.values()
        ]

    @cached_property
    def made(self) -> list[Row]:
        """The rows in Xero that we made for this customer, or that are nobody's."""
        rows = [row for row in self.xero["bank_transactions"] if row["made_by"] == "api"]
        return [row for row in rows if id_in(row["url"] or "") not in self.neighbours]

    def made_for(self, account: Row) -> list[Row]:
        """The accounts in Xero that we made for one of Qonto's: by its IBAN, or by our mark where Xero refused that."""
        marks = {account_mark(account["id"], generation) for generation in range(1, GENERATIONS_AHEAD)}
        made = [one for one in self.xero["accounts"] if _is_made(one)]
        return [one for one in made if one["bank_account_number"] == account["iban"] or one["code"] in marks]

    @cached_property
    def remembered(self) -> set[str]:
        """Xero's ids that our postings name."""
        return {posting.bank_transaction_id for posting in self.postings.values()}

    @cached_property
    def ledger(self) -> list[InLedger]:
        accounts = {
            in_xero["id"]: account["id"] for account in self.qonto["accounts"] for in_xero in self.made_for(account)
        }
        return [
            InLedger(
                tenant_id=self.customer.tenant,
                id=row["id"],
                transaction_id=id_in(row["url"] or ""),
                account=accounts.get(row["account_id"], ""),
                side="credit" if row["type"] == "RECEIVE" else "debit",
                cents=row["cents"],
                currency=row["currency"],
                date=date.fromisoformat(row["date"]),
                is_deleted=row["status"] in {"DELETED", "VOIDED"},
            )
            for row in self.made
        ]

    @cached_property
    def said(self) -> list[Said]:
        return [
            Said(p.tenant_id, p.transaction_id, str(p.state), p.reason, p.bank_transaction_id)
            for p in self.postings.values()
        ]

    def state(self, transaction_id: str) -> str:
        """`posted`, or `held: lock_date`; `unknown` while we have not read it."""
        posting = self.postings.get(transaction_id)
        return in_words(posting) if posting else "unknown"


@dataclass
class Report:
    """`problems` is empty when everything holds. `lines()` has one line a class and one an invariant."""

    findings: list[Finding] = field(default_factory=list)
    invariants: list[Line] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    forgiven: set[tuple[Class, str]] = field(default_factory=set)

    @property
    def problems(self) -> list[str]:
        found = [
            str(f) for f in self.findings if f.what not in FINE and (f.what, f.transaction_id) not in self.forgiven
        ]
        broken = [f"{line.name}: {text}" for line in self.invariants for text in line.violations]
        return [*self.surprises, *found, *broken]

    def violated(self) -> list[str]:
        """The names of the invariants that do not hold."""
        return [line.name for line in self.invariants if not line.holds]

    def lines(self) -> list[str]:
        classes = [f"{what}: {number}" for what, number in count(self.findings).items()]
        return [*classes, *(str(line) for line in self.invariants), *self.surprises]

    def add(self, lines: Iterable[Line]) -> None:
        """More about invariants; the same one may be judged by several books."""
        self.invariants = merge([*self.invariants, *lines])

    def __str__(self) -> str:
        return "\n".join(self.lines())


def check_world(
    world: Any,
    database: str | None,
    customers: Sequence[Customer],
    *,
    missing: Mapping[str, str] | None = None,
    doubtful: Mapping[str, str] | None = None,
    after: int = 0,
    forgotten: tuple[datetime, datetime] | None = None,
) -> Report:
    """Compare everything with everything; see the module for what the arguments are."""
    read = reader(world)
    log = Log.read(read, after, customers)
    now = datetime.fromisoformat(read("/clock")["now"])
    with opened(database):
        all_books = [read_books(read, customer, log, forgotten) for customer in customers]
        report = Report()
        homes = {row["id"]: books.customer.tenant for books in all_books for row in books.qonto["transactions"]}
        for books in all_books:
            _check_books(report, books, homes, now, missing, doubtful or {})
        report.add(_lines_of_log(log, all_books))
    return report


def _check_books(
    report: Report,
    books: Books,
    elsewhere: Mapping[str, str],
    now: datetime,
    missing: Mapping[str, str] | None,
    doubtful: Mapping[str, str],
) -> None:
    at_work = any(open_runs_of(connection) for connection in books.connections)
    others = {key: tenant for key, tenant in elsewhere.items() if tenant != books.customer.tenant}
    findings = compare(books.expected, books.ledger, books.said, at_work=at_work and missing is None, elsewhere=others)
    report.surprises += _surprises(books, findings, missing, doubtful)
    declared = {(Class.LOST, key) for key in missing or {}} | {(Class.RECOVERED, key) for key in doubtful}
    report.forgiven |= declared
    report.findings += findings
    blamed = [f for f in findings if (f.what, f.transaction_id) not in declared]
    excused = [one for one in books.expected if one.transaction_id not in (missing or {})]
    report.add(lines_of_books(blamed, excused, books.ledger, books.said))
    report.add([Line("I4", list(_wrong_accounts(books))), Line("I11", list(_passed_over(books)))])
    for connection in books.connections[-1:]:
        report.add(lines_of_database(connection, now, awake_at=_last_opened(connection)))
        ended = connection.state == ConnectionState.DISCONNECTED
        undecided = [] if ended else open_batches(connection.id)
        report.add([Line("I7", [f"batch {batch.id} has no outcome: {batch.state}" for batch in undecided])])


def _surprises(
    books: Books, findings: list[Finding], missing: Mapping[str, str] | None, doubtful: Mapping[str, str]
) -> Iterator[str]:
    """Where what we say is not what the test declared. Without a declaration, only what is doubtful is compared."""
    there = {row.transaction_id for row in books.ledger}
    ours = {row["id"] for row in books.qonto["transactions"]} | books.postings.keys()
    if missing is not None:
        for key in sorted((books.eligible.keys() - there) ^ (missing.keys() & ours)):
            yield f"{key} is {'there' if key in there else 'lost'}, which was not expected; we say {books.state(key)}"
    for key, state in {**(missing or {}), **doubtful}.items():
        if key in ours and books.state(key) != state:
            yield f"{key} is {books.state(key)} and should be {state}"


def _last_opened(connection: Connection) -> datetime:
    """When a scheduler last opened a night: what a test's clock has passed since, nobody was there to open."""
    nightly = (SyncRun.organisation_id == connection.organisation_id) & (SyncRun.kind == RunKind.NIGHTLY)
    opened = [run.created_at for run in SyncRun.select(SyncRun.created_at).where(nightly)]
    made: datetime = connection.created_at
    return max(opened, default=made)


# I4, I11: the accounts, and how far they were read.


def _wrong_accounts(books: Books) -> Iterator[str]:
    for account in books.qonto["accounts"]:
        if account["status"] != "active" or account["is_external"] or not books.connections:
            continue
        ours = books.made_for(account)
        active = [a for a in ours if a["status"] == "ACTIVE"]
        if len(active) > 1 and not _are_restored(active):
            yield f"account {account['id']} has {len(active)} accounts in Xero: {', '.join(a['code'] for a in active)}"
        elif not active and _should_be_there(books, account["id"], ours):
            yield f"account {account['id']} has no account in Xero"


def _are_restored(active: list[Row]) -> bool:
    """Whether a person restored all but the newest, after that was made in their place."""
    *older, newest = sorted(active, key=lambda account: str(account["created_at"]))
    return all(account["created_at"] < account["updated_at"] >= newest["created_at"] for account in older)


def _is_made(account: Row) -> bool:
    return bool(account["type"] == "BANK" and account["made_by"] == "api")


def _should_be_there(books: Books, account_id: str, ours: list[Row]) -> bool:
    """Since a run looked, unless Xero refuses it and we say why, or a person took it away after that run."""
    link = (
        AccountLink.select()
        .where((AccountLink.tenant_id == books.customer.tenant) & (AccountLink.bank_account_id == account_id))
        .order_by(AccountLink.generation.desc())
        .first()
    )
    if link is None:
        return bool(Cursor.select().where(Cursor.bank_account_id == account_id).exists())
    if link.state == LinkState.HELD and link.reason:
        return False
    changed = max((datetime.fromisoformat(a["updated_at"]) for a in ours), default=link.created_at)
    looked = (SyncRun.organisation_id == books.customer.id) & (SyncRun.prepared_at > changed)
    return bool(SyncRun.select().where(looked).exists())


def _passed_over(books: Books) -> Iterator[str]:
    connections = [connection.id for connection in books.connections]
    read = {
        cursor.bank_account_id: cursor.read_until
        for cursor in Cursor.select().where(Cursor.connection_id.in_(connections)).order_by(Cursor.read_until)
    }
    awaited = {row.transaction_id for row in AwaitedTransaction.select() if row.ended_at is None}
    for key, row in books.eligible.items():
        until = read.get(row["account_id"])
        if (
            until
            and key not in books.postings.keys() | awaited
            and datetime.fromisoformat(row["updated_at"]) < until - OVERLAP
        ):
            yield f"{key} is not stored, and its account was read until {until:%F %T}"


# The request log.


@dataclass(frozen=True)
class Log:
    """The requests since a number, oldest first, and what the world still knows of the faults that struck them."""

    requests: list[Request]
    faults: dict[str, Row]
    lost: int

    @classmethod
    def read(cls, read: Callable[..., Any], after: int, customers: Sequence[Customer]) -> Log:
        """All of it for many customers; for a few only what concerns them."""
        if len(customers) > FEW:
            found = read_requests(read, after)
        else:
            names = {name for customer in customers for name in (customer.tenant, customer.id)}
            found = [request for name in sorted(names) for request in read_requests(read, after, tenant=name)]
            found += read_requests(read, after, service="identity")
        dropped = int(read("/requests", limit="0")["dropped"])
        faults = {fault["id"]: fault for fault in read("/faults")["faults"]}
        return cls(sorted(found, key=lambda request: request.id), faults, max(0, dropped - after))

    def of(self, customer: Customer) -> list[Request]:
        return [request for request in self.requests if request.tenant in {customer.tenant, customer.id}]


def read_requests(read: Callable[..., Any], after: int, **like: str) -> list[Request]:
    """The sandbox's log of requests that ended."""
    return [
        Request(
            id=one["id"],
            at=datetime.fromisoformat(one["time"]),
            service=one["service"],
            method=one["method"],
            path=one["path"],
            query=one["query"],
            tenant=one["tenant"] or "",
            key=one["key"] or "",
            sha256=one["body_sha256"],
            status=one["status"],
            struck_by=one["fault"] or "",
            concurrent=one["concurrent"],
            body=one["body"] or "",
        )
        for one in read("/requests", after=str(after), **like)["requests"]
    ]


def _lines_of_log(log: Log, all_books: list[Books]) -> list[Line]:
    asked = [window for books in all_books for window in _people_waiting(books)]
    brought = {token for books in all_books for token in _brought(books.customer)}
    limits = [text for books in all_books for text in over_limits(books.requests, log.faults, asked)]
    return [
        Line("I5", [text for books in all_books for text in _strangers(books)]),
        Line("I8", [text for books in all_books for text in _unwritten(books)]),
        Line("I9", list(changed_keys(log.requests))),
        Line("I10", [text for books in all_books for text in forbidden_sends(books.requests, _first_tries(books))]),
        Line("I13", list(refreshed_twice(log.requests, brought))),
        Line("I14", [*limits, *_over_app_limit(log.requests), *_lost_entries(log)]),
    ]


def _lost_entries(log: Log) -> Iterator[str]:
    if log.lost:
        yield f"the log dropped {log.lost} requests, which nobody can judge: raise log_limit"


def _strangers(books: Books) -> Iterator[str]:
    """I5: what is asked of one organisation and concerns another."""
    transactions = {row["id"] for row in books.qonto["transactions"]} | books.postings.keys()
    accounts = {account["id"] for account in books.qonto["accounts"]}
    in_xero = {account["id"] for account in books.xero["accounts"]}
    for request in books.requests:
        if request.is_posting and request.body:
            for url in (url for url in request.urls() if id_in(url) not in transactions | books.neighbours):
                yield f"request {request.id} sent {url} to {request.tenant}"
            for named in {element["BankAccount"]["AccountID"] for element in request.elements()} - in_xero:
                yield f"request {request.id} names account {named} of another tenant"
        if request.service == "qonto":
            for named in set(parse_qs(request.query).get("bank_account_id", [])) - accounts:
                yield f"request {request.id} asked {request.tenant} for account {named}"


def _unwritten(books: Books) -> Iterator[str]:
    """I8: rows of ours in Xero that no batch of ours was stored for before."""
    mine = PostingBatch.tenant_id == books.customer.tenant
    batches = {batch.key: batch for batch in PostingBatch.select().where(mine)}
    for row in books.made:
        batch, made_at = batches.get(row["key"]), datetime.fromisoformat(row["created_at"])
        if id_in(row["url"] or "") not in books.postings and row["id"] not in books.remembered:
            yield f"{row['id']} ({row['url']}) has no posting"
        if books.forgotten and books.forgotten[0] <= made_at <= books.forgotten[1]:
            continue
        if batch is None:
            yield f"{row['id']} was created with a key that no batch has"
        elif batch.created_at > made_at + timedelta(seconds=1):
            yield f"{row['id']} was created before its batch {batch.id} was stored"


def changed_keys(requests: Iterable[Request]) -> Iterator[str]:
    """I9: one key, one request. The five minutes are for transactions: an account is known again by its Code."""
    by_key: defaultdict[str, list[Request]] = defaultdict(list)
    for request in requests:
        if request.key:
            by_key[request.key].append(request)
    for key, sends in by_key.items():
        if len({(send.method, send.path, send.query, send.tenant, send.sha256) for send in sends}) > 1:
            yield f"key {key[:12]} carried different requests: {', '.join(str(send.id) for send in sends)}"
        first, last = min(send.at for send in sends), max(send.at for send in sends)
        if sends[0].is_posting and last - first >= KEY_LIFE:
            yield f"key {key[:12]} was sent again {last - first} after the first time"


def refreshed_twice(requests: Iterable[Request], brought: set[str]) -> Iterator[str]:
    """I13: a token that was exchanged well and again while its claim lasted, so by two at once. Needs `log_bodies`.

    `brought` are tokens that people brought: connecting uses them, as often as a person tries.
    """
    uses: defaultdict[str, list[Request]] = defaultdict(list)
    for request in requests:
        form = parse_qs(request.body) if request.method == "POST" and request.path.endswith("/token") else {}
        for token in form.get("refresh_token", []):
            if token not in brought:
                uses[token].append(request)
    for sends in uses.values():
        for earlier, later in pairwise(sends):
            if earlier.is_answered and later.at - earlier.at < CLAIM:
                yield f"a token was exchanged by request {earlier.id} and {later.at - earlier.at} later by {later.id}"


def over_limits(
    requests: Iterable[Request], faults: Mapping[str, Row], asked: Sequence[tuple[datetime, datetime]]
) -> Iterator[str]:
    """I14 for one tenant. `asked`: when a person waited, and more than a night's share might be used."""
    calls = sorted((request for request in requests if request.service == "xero"), key=lambda request: request.at)
    for first, last, number in _fullest_minutes(calls, NIGHT_CALLS):
        waited = any(since <= last.at and first.at <= until for since, until in asked)
        if number > ALL_CALLS or not waited:
            yield f"{number} calls to {first.tenant} in a minute, requests {first.id} to {last.id}"
            break
    for call in calls:
        if call.concurrent > IN_PROGRESS:
            yield f"request {call.id} was one of {call.concurrent} in progress"
    for refused in (call for call in calls if call.status == 429):
        until = refused.at + timedelta(seconds=_retry_after(faults.get(refused.struck_by)))
        early = [call for call in calls if call.id > refused.id and refused.at + CLOCKS < call.at < until - BEHIND]
        if early:
            yield f"request {early[0].id} came at {early[0].at:%T}; {refused.id} was told to wait until {until:%T}"


def _retry_after(fault: Row | None) -> int:
    """What the world told, as far as it still knows."""
    if fault is None:
        return 1
    told = fault["retry_after"]
    return int(RETRY_AFTER.get(fault["problem"] or "minute", 0) if told is None else told)


def _over_app_limit(requests: Iterable[Request]) -> Iterator[str]:
    calls = sorted((request for request in requests if request.service == "xero"), key=lambda request: request.at)
    for first, last, number in _fullest_minutes(calls, APP_CALLS):
        yield f"{number} calls to Xero in a minute, requests {first.id} to {last.id}"
        return


def _fullest_minutes(calls: Sequence[Request], most: int) -> Iterator[tuple[Request, Request, int]]:
    """Each run of calls within a minute that is longer than `most`: its first, its last, its length."""
    start = 0
    for end, call in enumerate(calls):
        while call.at - calls[start].at >= MINUTE:
            start += 1
        if end - start + 1 > most:
            yield calls[start], call, end - start + 1


def _first_tries(books: Books) -> dict[str, datetime]:
    """When each key was first marked as being sent: earlier than its first arrival if the process died in between."""
    mine = PostingBatch.tenant_id == books.customer.tenant
    batches = PostingBatch.select(PostingBatch.key, PostingBatch.first_sent_at).where(mine)
    return {batch.key: batch.first_sent_at for batch in batches if batch.first_sent_at}


def forbidden_sends(requests: list[Request], tried: Mapping[str, datetime] | None = None) -> Iterator[str]:
    """What was sent a second time and must not have been: the rules of the Idempotency-Key, for each transaction.

    `tried` says when we first meant to send under a key; the seven minutes until a proof count from then.
    """
    looks = [request for request in requests if request.is_look and request.is_answered]
    sent: defaultdict[str, list[Request]] = defaultdict(list)
    for request in requests:
        if request.is_posting and request.body:
            for url in request.urls():
                sent[url].append(request)
    for url, sends in sent.items():
        for earlier, later in pairwise(sends):
            first = next(send for send in sends if send.key == earlier.key)
            proof_from = min(first.at, (tried or {}).get(first.key, first.at)) + PROOF_AFTER - BEHIND
            proofs = [look for look in looks if earlier.id < look.id < later.id and look.at >= proof_from]
            why = _why_forbidden(first, earlier, later, proofs)
            if why:
                yield f"{url}: {why}, {later.at - first.at} after the first time"


def _why_forbidden(first: Request, earlier: Request, later: Request, proofs: list[Request]) -> str:
    if later.key == earlier.key:
        if later.sha256 != earlier.sha256:
            return "sent with other bytes under one key"
        if later.at - earlier.at < QUIET:
            return f"sent again under one key {later.at - earlier.at} after the last time"
        return "sent again under one key" if later.at - first.at >= KEY_LIFE else ""
    if earlier.is_answered:
        return ""
    return "" if proofs else "sent under a new key without a proof of absence"


def _people_waiting(books: Books) -> Iterator[tuple[datetime, datetime]]:
    """When a person connected or asked for a sync, and until when it was done."""
    for connection in books.connections:
        yield connection.created_at - MINUTE, connection.created_at + MINUTE
    manual = (SyncRun.organisation_id == books.customer.id) & (SyncRun.kind == RunKind.MANUAL)
    for run in SyncRun.select().where(manual):
        yield run.created_at - MINUTE, (run.finished_at or datetime.max.replace(tzinfo=UTC) - MINUTE) + MINUTE


def _brought(customer: Customer) -> set[str]:
    known: Row = getattr(customer, "known", {})
    return {known[name]["refresh_token"] for name in ("xero_tokens", "qonto_tokens") if known.get(name)}


# Reading.


def read_books(
    read: Callable[..., Any], customer: Customer, log: Log, forgotten: tuple[datetime, datetime] | None = None
) -> Books:
    """Both ledgers of a customer and what we say. Call it with a database open."""
    ours = (Connection.organisation_id == customer.id) & (Connection.tenant_id == customer.tenant)
    organisation = Organisation.get_or_none(Organisation.id == customer.id)
    in_tenant = Posting.tenant_id == customer.tenant
    mine, others = (
        in_tenant & (Posting.organisation_id == customer.id),
        in_tenant & (Posting.organisation_id != customer.id),
    )
    return Books(
        customer=customer,
        qonto=read(f"/qonto/{customer.id}/ledger"),
        xero=read(f"/xero/{customer.tenant}/ledger"),
        connections=list(Connection.select().where(ours).order_by(Connection.created_at)),
        zone=organisation.time_zone if organisation else "UTC",
        postings={posting.transaction_id: posting for posting in Posting.select().where(mine)},
        neighbours={posting.transaction_id for posting in Posting.select(Posting.transaction_id).where(others)},
        requests=log.of(customer),
        forgotten=forgotten,
    )


def reader(world: Any) -> Callable[..., Any]:
    """How to read the control API of either kind of world: a path below /control, and a query."""

    def read(path: str, **query: str) -> Any:
        if isinstance(world, WorldClient):
            return world.control("GET", f"{path}?{urlencode(query)}" if query else path)
        return world.sandbox.get(path, **query)

    return read


@contextmanager
def opened(database: str | None) -> Iterator[None]:
    """The company's database, for as long as it is read; nothing to do where it is open."""
    if database is None:
        yield
        return
    configure(database)
    try:
        with connected():
            yield
    finally:
        if isinstance(proxy.obj, PooledDatabase):
            proxy.obj.close_all()


def id_in(url: str) -> str:
    """The transaction that a link of ours leads to."""
    return unquote(url.rsplit("/", 1)[-1])


def in_words(posting: Posting) -> str:
    return f"{posting.state}: {posting.reason}" if posting.reason else str(posting.state)
