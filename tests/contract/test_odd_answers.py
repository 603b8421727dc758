"""Every field of every answer that we read is in turn something else: at most its own row is lost, and nothing raises.

The answers are the sandbox's own, taken as the product asks for them, and damaged place by place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from clients.decoding import MOST_TEXT, Rows
from clients.errors import Permanent, RemoteError, Unreadable
from clients.http import Answer, Http
from clients.oauth import OAuthApp, refresh
from clients.qonto.bank_accounts import list_bank_accounts
from clients.qonto.client import Qonto
from clients.qonto.membership import read_membership
from clients.qonto.organisation import read_organisation as read_qonto_organisation
from clients.qonto.transactions import list_transactions
from clients.words import MOST_MESSAGES
from clients.xero.accounts import create_bank_account, create_coding_account, list_accounts, read_account
from clients.xero.bank_transactions import (
    UnreadableBankTransaction,
    freeze,
    list_bank_transactions,
    put_bank_transactions,
    read_created,
)
from clients.xero.client import Xero
from clients.xero.connections import list_connections
from clients.xero.currencies import list_currencies
from clients.xero.organisation import read_organisation
from settings import Secret
from tests.sandbox.world_client import Party, WorldClient
from tests.unit.fakes import FakeBudget

pytestmark = pytest.mark.contract

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
MARK = "a damaged place"
REMOVED = b""
DAMAGES = {
    "null": b"null",
    "a number": b"7",
    "a fraction": b"0.125",
    "a number beyond any column": b"9" * 40,
    "a text": b'"seven"',
    "a list": b"[7]",
    "an object": b'{"seven": 7}',
    "true": b"true",
    "half a surrogate pair": b'"half \\ud83d"',
    "ten megabytes": b'"' + b"x" * (10 * 1024 * 1024) + b'"',
    "a well": b"[" * 999 + b"]" * 999,
    "removed": REMOVED,
}

Path = tuple[str | int, ...]
Read = Callable[[Http], Any]


@dataclass
class KnownToken:
    """A token that is good and stays so."""

    secret: Secret
    is_accepted: bool = True

    def current(self) -> Secret:
        return self.secret

    def renew(self, refused: Secret) -> Secret:
        raise AssertionError(refused)

    def revoke(self) -> None: ...


@dataclass
class Recording(Http):
    """The real client, which keeps the last answer."""

    def __post_init__(self) -> None:
        super().__init__()
        self.last = Answer(0, {}, b"")

    def call(self, method: str, url: str, **options: Any) -> Answer:
        self.last = super().call(method, url, **options)
        return self.last


class Playing(Http):
    """Gives one answer, and empty pages after it."""

    def __init__(self, first: Answer) -> None:
        self._answers: Iterator[Answer] = iter([first])

    def call(
        self,
        method: str,  # noqa: ARG002
        url: str,
        *,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002
        params: Mapping[str, str] | None = None,  # noqa: ARG002
        body: bytes | None = None,  # noqa: ARG002
        not_after: float = math.inf,  # noqa: ARG002
    ) -> Answer:
        key = {"bank_accounts": "bank_accounts", "BankTransactions": "BankTransactions"}.get(url.rpartition("/")[2], "")
        return next(self._answers, Answer(200, {}, json.dumps({key: []}).encode()))


@dataclass(frozen=True)
class Endpoint:
    """`read` gives what was read, rows or one thing. The loss of a field that is `needed` may cost it. `key` names the
    list; it is empty where the body is the list, and `None` for one thing, which stands `within` a field.
    """

    name: str
    read: Read
    needed: frozenset[str]
    key: str | None = None
    within: str = ""


@dataclass(frozen=True)
class Clients:
    """What the product's clients are made of, over any HTTP."""

    party: Party
    qonto_token: str
    made: dict[str, str] = field(default_factory=dict)

    def qonto(self, http: Http) -> Qonto:
        url = f"{self.party.world.url}/qonto"
        return Qonto(http, url, KnownToken(Secret(self.qonto_token)), FakeBudget(), lambda: NOW, "Bearer ")

    def xero(self, http: Http) -> Xero:
        tokens = KnownToken(Secret(self.party.known["xero_tokens"]["access_token"]))
        return Xero(http, f"{self.party.world.url}/xero", self.party.tenant, tokens, FakeBudget(), lambda: NOW)

    def app(self, name: str) -> OAuthApp:
        known, url = self.party.known, self.party.world.url
        is_xero = name == "Xero"
        return OAuthApp(
            name=name,
            authorise_url="",
            token_url=f"{url}/identity/connect/token" if is_xero else f"{url}/qonto/oauth2/token",
            revoke_url="",
            client_id=known["xero_client_id"] if is_xero else "sandbox-qonto-client",
            client_secret=Secret(known["xero_client_secret"] if is_xero else "sandbox-qonto-secret"),
            client_in_body=not is_xero,
            scope="",
            redirect_uri="",
        )


def _transactions(clients: Clients, http: Http) -> Any:
    page = list_transactions(clients.qonto(http), clients.party.account_id, datetime(2026, 1, 1, tzinfo=UTC), 1)
    return Rows(page.rows, page.unreadable)


def _bank_transactions(clients: Clients, http: Http) -> Any:
    unreadable: list[UnreadableBankTransaction] = []
    return Rows(list(list_bank_transactions(clients.xero(http), report=unreadable.append)), unreadable)


def _answered(clients: Clients, http: Http) -> Any:
    xero = clients.xero(http)
    good = {
        "Type": "SPEND",
        "Contact": {"Name": "Nube"},
        "LineItems": [{"Description": "d", "Quantity": 1, "UnitAmount": 1, "AccountCode": clients.made["code"]}],
        "BankAccount": {"AccountID": clients.made["account"]},
        "Date": "2026-11-20",
    }
    body = freeze(
        [good | {"Url": "https://a.example/1"}, good | {"Contact": {}}, good | {"Url": "https://a.example/3"}]
    )
    token = xero.tokens.current()
    return read_created(xero, lambda: put_bank_transactions(xero, token, body, f"key-{id(http)}", math.inf))


def _organisation(clients: Clients, http: Http) -> Any:
    organisation = read_organisation(clients.xero(http))
    with suppress(Unreadable):
        organisation.locked_until()
    return organisation


def _created(clients: Clients, http: Http) -> Any:
    return create_coding_account(clients.xero(http), code="QC2", name="Coding 2", key="c2")


def _refused(clients: Clients, http: Http) -> Any:
    with pytest.raises(Permanent) as refusal:
        create_bank_account(clients.xero(http), code="QX", name="Qonto Main", number="1", currency="EUR", key="k")
    return refusal.value


def _refused_by_qonto(clients: Clients, http: Http) -> Any:
    with pytest.raises(Permanent) as refusal:
        list_transactions(clients.qonto(http), "no account", NOW, 1)
    return refusal.value


def endpoints(clients: Clients) -> list[Endpoint]:
    row = {"BankTransactionID", "Type", "Total", "Status", "Url", "BankAccount"}
    account = frozenset({"AccountID", "Status", "Code"})
    money = {"id", "amount", "amount_cents", "currency", "side", "status", "updated_at", "settled_at"}
    also = {"settled_balance_cents", "operation_type", "is_external_transaction"}
    token = frozenset({"access_token", "refresh_token"})
    xero_token, qonto_token = clients.party.known["xero_tokens"], clients.party.known["qonto_tokens"]
    url, tokens = f"{clients.party.world.url}/xero", KnownToken(Secret(xero_token["access_token"]))
    return [
        Endpoint("transactions", partial(_transactions, clients), frozenset(money | also), "transactions"),
        Endpoint(
            "bank accounts",
            lambda http: list_bank_accounts(clients.qonto(http)),
            frozenset({"id", "status", "currency", "is_external_account"}),
            "bank_accounts",
        ),
        Endpoint(
            "Qonto's organisation",
            lambda http: read_qonto_organisation(clients.qonto(http)),
            frozenset({"id", "slug"}),
            within="organization",
        ),
        Endpoint(
            "membership",
            lambda http: read_membership(clients.qonto(http)),
            frozenset({"id", "role", "status"}),
            within="membership",
        ),
        Endpoint("refusals of Qonto's", partial(_refused_by_qonto, clients), frozenset()),
        Endpoint("chart of accounts", lambda http: list_accounts(clients.xero(http)), account, "Accounts"),
        Endpoint(
            "one account",
            lambda http: read_account(clients.xero(http), clients.made["account"]),
            account,
            within="Accounts",
        ),
        Endpoint("a new account", partial(_created, clients), account, within="Accounts"),
        Endpoint("refusals of Xero's", partial(_refused, clients), frozenset()),
        Endpoint("answered transactions", partial(_answered, clients), frozenset(row | ELEMENT), "BankTransactions"),
        Endpoint("listed transactions", partial(_bank_transactions, clients), frozenset(row), "BankTransactions"),
        Endpoint(
            "currencies", lambda http: list_currencies(clients.xero(http)), frozenset({"Code"}), within="Currencies"
        ),
        Endpoint("Xero's organisation", partial(_organisation, clients), frozenset(), within="Organisations"),
        Endpoint(
            "connections",
            lambda http: list_connections(http, url, tokens),
            frozenset({"id", "tenantId", "tenantType"}),
            "",
        ),
        Endpoint(
            "tokens of Xero's",
            lambda http: refresh(http, clients.app("Xero"), Secret(xero_token["refresh_token"]), lambda: NOW),
            token,
        ),
        Endpoint(
            "tokens of Qonto's",
            lambda http: refresh(http, clients.app("Qonto"), Secret(qonto_token["refresh_token"]), lambda: NOW),
            token,
        ),
    ]


ELEMENT = {"StatusAttributeString"}
NAMES = (
    *("transactions", "bank accounts", "Qonto's organisation", "membership", "refusals of Qonto's"),
    *("chart of accounts", "one account", "a new account", "refusals of Xero's", "answered transactions"),
    *(
        "listed transactions",
        "currencies",
        "Xero's organisation",
        "connections",
        "tokens of Xero's",
        "tokens of Qonto's",
    ),
)


@dataclass(frozen=True)
class Recorded:
    """An endpoint and the answer that it gave."""

    endpoint: Endpoint
    answer: Answer

    @property
    def tree(self) -> Any:
        return json.loads(self.answer.body)

    def read(self, body: bytes) -> Any:
        return self.endpoint.read(Playing(Answer(self.answer.status, self.answer.headers, body)))


@pytest.fixture(scope="module")
def recorded(sdk_world_url: str) -> Mapping[str, Recorded]:
    """Each endpoint's answer in a world with something of everything."""
    world = WorldClient(sdk_world_url)
    world.control("POST", "/reset")
    with world.session:
        accounts = [{"name": "Main"}, {"name": "Taxes"}, {"name": "Elsewhere", "is_external": True}]
        party = world.organisation(accounts=accounts, xero={"tenant_name": "Books", "currencies": ["USD"]})
        world.control("POST", f"/qonto/{party.id}/transactions", {"count": 40, "seed": 3, "settled_within_hours": 9})
        world.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": "2026-01-31"})
        clients = Clients(party, party.known["qonto_tokens"]["access_token"])
        clients.made["account"] = party.bank_account()
        clients.made["code"] = "QC"
        create_coding_account(clients.xero(Http()), code="QC", name="Coding", key="c")
        found = {}
        for endpoint in endpoints(clients):
            http = Recording()
            endpoint.read(http)
            found[endpoint.name] = Recorded(endpoint, _short(http.last, endpoint.key))
        return found


def _short(answer: Answer, key: str | None) -> Answer:
    """The same with three rows at most."""
    if key is None:
        return answer
    tree = json.loads(answer.body)
    rows = tree[key] if key else tree
    del rows[3:]
    rows.extend(rows[-1:] * (3 - len(rows)))
    return Answer(answer.status, answer.headers, json.dumps(tree).encode())


def paths(tree: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in a tree, the root left out; of several rows the second only."""
    places: list[str | int] = []
    if isinstance(tree, dict):
        places = list(tree)
    elif isinstance(tree, list):
        places = [1] if len(tree) == 3 else list(range(len(tree)))
    for place in places:
        yield (*at, place)
        yield from paths(tree[place], (*at, place))


def damaged(tree: Any, path: Path, literal: bytes) -> bytes:
    """The tree as JSON with something else, or nothing, in one place."""
    copy = json.loads(json.dumps(tree))
    parent = copy
    for place in path[:-1]:
        parent = parent[place]
    if literal == REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = MARK
    return json.dumps(copy).encode().replace(json.dumps(MARK).encode(), literal)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", NAMES)
def test_an_odd_field_costs_at_most_its_own_row(recorded: Mapping[str, Recorded], name: str, damage: str) -> None:
    one = recorded[name]
    tree, whole = one.tree, one.read(one.answer.body)
    wrong = [
        f"{path}: {problem}"
        for path in paths(tree)
        for problem in problems(one, whole, path, damaged(tree, path, DAMAGES[damage]))
    ]

    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_a_null_reads_like_an_absent_field(recorded: Mapping[str, Recorded], name: str) -> None:
    one = recorded[name]
    tree = one.tree

    for path in paths(tree):
        if isinstance(path[-1], str) and "ValidationErrors" not in path:  # which are kept as they come
            null, absent = (_outcome(one, damaged(tree, path, literal)) for literal in (b"null", REMOVED))
            assert null == absent, path


def _outcome(one: Recorded, body: bytes) -> object:
    """What was read and how much was not, or which error was raised."""
    try:
        found = one.read(body)
    except RemoteError as error:
        return type(error)
    if isinstance(found, Permanent):
        return found.messages
    return found, len(found.unreadable) if isinstance(found, Rows) else 0


def test_some_thousands_of_cases_are_tried(recorded: Mapping[str, Recorded]) -> None:
    assert set(recorded) == set(NAMES)
    assert sum(len(list(paths(one.tree))) for one in recorded.values()) * len(DAMAGES) > 2_000


def problems(one: Recorded, whole: Any, path: Path, body: bytes) -> Iterator[str]:
    """What is not as it should be when this body is read, and `whole` was read of the undamaged one."""
    try:
        found = one.read(body)
    except RemoteError as error:
        if not _may_refuse(one.endpoint, path):
            yield f"raised {error!r}"
        return
    except Exception as error:
        yield f"raised {error!r}"
        return
    if isinstance(found, Permanent):
        if len(found.messages) > MOST_MESSAGES or any(len(text) > MOST_TEXT for text in found.messages):
            yield "a refusal has no end"
    elif one.endpoint.key is not None:
        yield from _rows_lost(one.endpoint, path, body, whole, found)


def _may_refuse(endpoint: Endpoint, path: Path) -> bool:
    """Whether a whole answer may be refused: its envelope is another one, or what is needed of one thing is damaged."""
    if endpoint.key is not None:
        return endpoint.key != "" and (path == (endpoint.key,) or "pagination" in path or "meta" in path)
    inner = [place for place in path if isinstance(place, str) and place != endpoint.within]
    return not inner or (inner[0] in endpoint.needed and len(inner) == 1)


def _rows_lost(endpoint: Endpoint, path: Path, body: bytes, whole: Any, found: Any) -> Iterator[str]:
    prefix = (endpoint.key,) if endpoint.key else ()
    inside = path[len(prefix) + 1 :]
    if path == prefix:  # a list of something else
        if list(found) or len(found.unreadable) != 1:
            yield "rows come from nowhere"
    elif path[: len(prefix)] != prefix:
        if list(found) != list(whole) or found.unreadable:
            yield "a row is lost to the envelope"
    elif len(found) == len(whole) and not found.unreadable:
        if [*found[:1], *found[2:]] != [*whole[:1], *whole[2:]]:
            yield "another row reads otherwise"
    else:
        yield from _row_lost(endpoint, inside, body, [*whole[:1], *whole[2:]], found)


def _row_lost(endpoint: Endpoint, inside: Path, body: bytes, others: list[Any], found: Any) -> Iterator[str]:
    """The second row is not among those that were read: it is kept with its bytes, and nothing else is lost."""
    if list(found) != others:
        yield "another row is lost"
    if inside and inside[0] not in endpoint.needed:
        yield "the row is lost to a field that is not needed"
    if inside and len(found.unreadable) != 1:
        yield "the row is lost without a trace"
    if any(row.payload not in body for row in found.unreadable):
        yield "its bytes are others"
