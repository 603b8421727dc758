"""/control/tenants and what people decide about a whole Xero organisation."""

from datetime import date

import msgspec

from sandbox.control.answers import Wrong, created, read, unknown
from sandbox.founding import XeroSpec, found_tenant
from sandbox.introductions import introduce_tenant
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World
from sandbox.xero.office import DEFAULT_SCOPE
from sandbox.xero.tenant import Tenant


class _Tenant(XeroSpec):
    connected: bool = False


class _Lock(msgspec.Struct, forbid_unknown_fields=True):
    period_lock_date: date | msgspec.UnsetType | None = msgspec.UNSET
    end_of_year_lock_date: date | msgspec.UnsetType | None = msgspec.UNSET


class _Currencies(msgspec.Struct, forbid_unknown_fields=True):
    add: list[str] = []
    remove: list[str] = []


class _DayLimit(msgspec.Struct, forbid_unknown_fields=True):
    day_limit: int


class _Consent(msgspec.Struct, forbid_unknown_fields=True):
    user: str | None = None
    redirect_uri: str | None = None
    scope: str | None = None
    code_challenge: str | None = None


def find_tenant(world: World, tenant_id: str) -> Tenant:
    """The tenant of this id. Raises Wrong."""
    tenant = world.office.tenants.get(tenant_id.lower())
    if tenant is None:
        raise unknown("tenant", tenant_id)
    return tenant


def show_tenants(world: World, _call: Call) -> Answer:
    """Every tenant, with the Qonto organisations bound to it."""
    bound: dict[str, list[str]] = {}
    for organisation in world.bank.organisations.values():
        bound.setdefault(organisation.tenant_id or "", []).append(organisation.id)
    connected = {tenant_id for links in world.office.connections.values() for tenant_id in links}
    content = [
        {
            "tenant_id": tenant.id,
            "tenant_name": tenant.name,
            "tenant_type": tenant.type,
            "short_code": tenant.short_code,
            "base_currency": tenant.base_currency,
            "currencies": tenant.currencies,
            "organisation_ids": bound.get(tenant.id, []),
            "connected": tenant.id in connected,
            "accounts": len(tenant.accounts),
            "bank_transactions": len(tenant.ledger),
        }
        for tenant in world.office.tenants.values()
    ]
    return json_answer({"tenants": content})


def make_tenant(world: World, call: Call) -> Answer:
    """A Xero organisation without a Qonto."""
    wanted = read(call, _Tenant)
    tenant = found_tenant(world, world.ids, wanted.tenant_name or "Books", wanted)
    return created({"tenant_name": tenant.name, **introduce_tenant(world, tenant, wanted)})


def lock(world: World, call: Call, tenant_id: str) -> Answer:
    """Set or lift the lock dates that are given."""
    tenant, wanted = find_tenant(world, tenant_id), read(call, _Lock)
    if wanted.period_lock_date is not msgspec.UNSET:
        tenant.period_lock_date = wanted.period_lock_date
    if wanted.end_of_year_lock_date is not msgspec.UNSET:
        tenant.end_of_year_lock_date = wanted.end_of_year_lock_date
    dates = {"period_lock_date": tenant.period_lock_date, "end_of_year_lock_date": tenant.end_of_year_lock_date}
    return json_answer(dates)


def change_currencies(world: World, call: Call, tenant_id: str) -> Answer:
    """Subscribe to currencies or drop them; the base currency stays."""
    tenant, wanted = find_tenant(world, tenant_id), read(call, _Currencies)
    if tenant.base_currency in wanted.remove:
        raise Wrong("The base currency cannot be removed.")
    kept = [code for code in dict.fromkeys([*tenant.currencies, *wanted.add]) if code not in wanted.remove]
    tenant.currencies = kept
    return json_answer({"currencies": kept})


def change_day_limit(world: World, call: Call, tenant_id: str) -> Answer:
    """The plan's calls per day: 1,000 on Starter, 5,000 above."""
    tenant = find_tenant(world, tenant_id)
    tenant.limits.day_limit = read(call, _DayLimit).day_limit
    return json_answer({"day_limit": tenant.limits.day_limit})


def disconnect(world: World, _call: Call, tenant_id: str) -> Answer:
    """Everyone's connection to the tenant goes; their tokens still refresh."""
    tenant = find_tenant(world, tenant_id)
    users = world.office.users_of(tenant.id)
    for user_id in users:
        del world.office.connections[user_id][tenant.id]
    return json_answer({"connections_removed": len(users)})


def authorize(world: World, call: Call, tenant_id: str) -> Answer:
    """A person lets the app in: the connection is made, the code can be exchanged."""
    tenant, wanted = find_tenant(world, tenant_id), read(call, _Consent)
    keep = world.settings.reconnect_keeps_auth_event
    now_ms = world.clock.now_ms()
    user = world.office.user(wanted.user or tenant.id)
    user.may_connect(tenant)
    grant = world.office.consent(user, [tenant], wanted.scope or DEFAULT_SCOPE, now_ms, keep)
    code = world.office.tokens.make_code(grant, wanted.redirect_uri, wanted.code_challenge, now_ms)
    return json_answer({"code": code})


def revoke(world: World, _call: Call, tenant_id: str) -> Answer:
    """Every refresh token of those who connected the tenant dies."""
    users = world.office.users_of(find_tenant(world, tenant_id).id)
    for user_id in users:
        world.office.tokens.revoke_refresh_tokens(user_id)
    return json_answer({"users": len(users)})
