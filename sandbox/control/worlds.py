"""/control/worlds: many organisations from a seed."""

from typing import Any

import msgspec

from sandbox.control.answers import created, instant, read
from sandbox.founding import (
    AccountSpec,
    XeroSpec,
    add_person,
    found_organisation,
    found_tenant,
    open_account,
)
from sandbox.generation.names import organisation_name
from sandbox.generation.rows import Period, generate_rows
from sandbox.ids import Ids
from sandbox.instants import HOUR_MS
from sandbox.introductions import introduce, introduce_tenant
from sandbox.qonto.account import BankAccount
from sandbox.qonto.banking import RowSpec, add_row
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.people import default_people
from sandbox.wire import Answer, Call
from sandbox.world import World

_EARLIER_MS = 30 * 24 * HOUR_MS  # before the first transaction of a world
_ACCOUNT_NAMES = ("Main", "Taxes", "Salaries", "Savings", "Projects", "Travel")


class _World(msgspec.Struct, forbid_unknown_fields=True):
    seed: int = 1
    organisations: int = 10
    min_accounts: int = 1
    max_accounts: int = 4
    min_transactions: int = 0
    max_transactions: int = 200
    settled_within_hours: float = 24
    settled_until: str | None = None
    hostile: bool = True
    connected: bool = True
    day_limit: int = 5000


def make(world: World, call: Call) -> Answer:
    """Organisations with accounts and transactions; the same body makes the same ones."""
    wanted = read(call, _World)
    until_ms = instant(wanted.settled_until, "settled_until") if wanted.settled_until else world.clock.now_ms()
    period = Period(until_ms - round(wanted.settled_within_hours * HOUR_MS), until_ms)
    ids = Ids.seeded(f"world {wanted.seed}")
    return created({"organisations": [_make_one(world, wanted, ids, period) for _ in range(wanted.organisations)]})


def _deposit(world: World, organisation: Organisation, account: BankAccount, cents: int, at_ms: int) -> None:
    """What the account holds before the world begins: Qonto's balances start from nothing."""
    row_id = Ids.seeded(f"deposit {account.id}").guid()
    spec = RowSpec(amount_cents=cents, side="credit", label="Opening deposit", account_id=account.id, id=row_id)
    times = dict.fromkeys(("emitted_at", "settled_at", "created_at", "updated_at"), at_ms)
    add_row(world.bank, organisation, account, spec, times, at_ms)


def _make_one(world: World, wanted: _World, ids: Ids, period: Period) -> dict[str, Any]:
    name = organisation_name(ids.source, wanted.hostile)
    organisation = found_organisation(world, ids, name, None, "fr", "FR")
    for person in default_people():
        add_person(organisation, person)
    accounts = ids.source.randint(wanted.min_accounts, max(wanted.min_accounts, wanted.max_accounts))
    for number in range(accounts):
        account_name = _ACCOUNT_NAMES[number] if number < len(_ACCOUNT_NAMES) else f"Account {number + 1}"
        balance_cents = ids.source.randint(0, 5_000_000)
        account = open_account(world, ids, organisation, AccountSpec(name=account_name))
        _deposit(world, organisation, account, balance_cents, period.from_ms - _EARLIER_MS)
    count = ids.source.randint(wanted.min_transactions, max(wanted.min_transactions, wanted.max_transactions))
    generate_rows(world.bank, organisation, ids, count, period, world.clock.now_ms(), hostile=wanted.hostile)
    spec = XeroSpec(connected=wanted.connected, day_limit=wanted.day_limit)
    tenant = found_tenant(world, ids, name, spec)
    organisation.tenant_id = tenant.id
    content = introduce(world, organisation) | introduce_tenant(world, tenant, spec)
    return content | {"transactions": organisation.transaction_count}
