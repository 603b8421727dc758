"""A doubt holds what is in doubt: everything else is done that night, and who can do something about it hears once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from clients.http import Answer, Http
from domain.reasons import Noted, Uncertain, Unfinished
from messaging.messages import decode
from messaging.outbox_relay import lane_relay
from messaging.publisher import Outgoing
from models.organisation import Organisation
from models.states import Lane, RunKind, RunState
from scheduler.tick import tick
from services.request_sync import request_sync
from tests.acceptance.world import PARIS, Company, Office, spends

pytestmark = pytest.mark.acceptance

NAMES = ("fine", "zone", "account", "batch", "lane")
UNKNOWN = f"uncertain: {Uncertain.NOT_LOOKED_UP}"
NOWHERE = "Mars/Olympus"
JSON = {"Content-Type": "application/json"}
FORBIDDEN = Answer(403, JSON, b'{"errors":[{"code":"forbidden","detail":"Forbidden"}]}')
TOO_MANY = Answer(400, JSON, b'{"ErrorNumber":51,"Type":"HighVolumeException","Message":"too many rows"}')


@dataclass
class Doubtful(Http):
    """Passes everything on, but for one account's transactions at Qonto, and one Xero organisation's list of them."""

    http: Http
    account_id: str
    tenant_id: str

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
        if url.endswith("/v2/transactions") and (params or {}).get("bank_account_id") == self.account_id:
            return FORBIDDEN
        of_tenant = (headers or {}).get("xero-tenant-id") == self.tenant_id
        if method == "GET" and url.endswith("/BankTransactions") and of_tenant:
            return TOO_MANY
        return self.http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)


@dataclass
class OneLaneIsFull:
    """A broker whose queue of one lane takes no message."""

    full: Lane
    taken: list[Outgoing] = field(default_factory=list)

    def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
        self.taken += [one for one in batch if one[0] != self.full]
        return [one[0] != self.full for one in batch]

    def close(self) -> None: ...


def turn(office: Office, broker: OneLaneIsFull) -> None:
    """One tick of the scheduler, a turn of each lane's relay, and a worker for every message that the broker took."""
    tick(office.world.now)
    for lane in Lane:
        lane_relay(lane, broker, lambda: office.world.now).turn()
    while broker.taken:
        queue, body = broker.taken.pop(0)
        office.work(decode(body, queue=queue).kwargs["run_id"])


def night(company: Company) -> tuple[str, str]:
    """The state and the code of the newest one."""
    newest = [run for run in company.runs() if run.kind == RunKind.NIGHTLY][-1]
    return newest.state, newest.code


def problems(company: Company) -> Counter[str]:
    """How often Qonto's core heard of each."""
    return Counter(one["code"] for event in company.told("sync.problem") for one in event["data"]["problems"])


def test_each_doubt_holds_itself_and_everything_else_is_done(office: Office) -> None:
    """One organisation each with an unknown time zone, an account that Qonto does not show, a batch that cannot be
    looked up, and a run in a lane that is full.
    """
    accounts = [{"name": "Main"}, {"name": "Savings"}]
    fine, zone, account, batch, lane = made = [office.established(name, accounts=accounts) for name in NAMES]
    Organisation.update(time_zone=NOWHERE).where(Organisation.id == zone.id).execute()
    [unread] = account.moves(spends(200, account_id=account.account_ids[1]))
    [undated] = zone.moves(spends(300))
    [unknown, *others] = batch.moves(*[spends(cents) for cents in range(400, 451)])  # of two batches
    sent = [(company, company.moves(spends(100))) for company in (fine, account, lane)]
    office.at_23("UTC")
    office.world.fault("status", status=500, when="before", tenant=batch.tenant, body=unknown, times=None)
    http = Doubtful(office.workbench.http, account.account_ids[1], batch.tenant)
    office.workbench = replace(office.workbench, http=http)
    request_sync(lane.connection, Lane.INTERACTIVE, "ada", office.world.now)

    broker = OneLaneIsFull(Lane.INTERACTIVE)
    for _ in range(30):
        turn(office, broker)
        office.world.wait(minutes=1)

    assert [night(company)[0] for company in made] == ["done", "failed", "done", "done", "done"]
    assert {company.state(one) for company, transactions in sent for one in transactions} == {"posted"}
    assert {batch.state(one) for one in others} == {"posted", UNKNOWN}  # the other batch, and its own
    assert night(zone) == (RunState.FAILED, Unfinished.TIME_ZONE)
    assert batch.state(unknown) == UNKNOWN
    assert [company.state(one) for company, one in ((zone, undated), (account, unread))] == ["unknown"] * 2
    assert {company.known["slug"]: problems(company) for company in made} == {
        fine.known["slug"]: {},
        zone.known["slug"]: {Unfinished.TIME_ZONE: 1},
        account.known["slug"]: {Noted.ACCOUNT_REFUSED: 1},
        batch.known["slug"]: {Uncertain.NOT_LOOKED_UP: 1},
        lane.known["slug"]: {},
    }

    Organisation.update(time_zone=PARIS).where(Organisation.id == zone.id).execute()
    office.world.end_faults()
    office.restart()
    office.night()
    assert {company.state(one) for company, one in ((zone, undated), (account, unread), (batch, unknown))} == {"posted"}
