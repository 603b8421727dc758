"""Bringing organisations, accounts and tenants into being."""

import re
import unicodedata
from typing import Any

import msgspec

from sandbox.ids import Ids
from sandbox.qonto.account import BankAccount, Face
from sandbox.qonto.bank import CLIENT_ID as QONTO_CLIENT_ID
from sandbox.qonto.bank import CLIENT_SECRET as QONTO_CLIENT_SECRET
from sandbox.qonto.organisation import Organisation
from sandbox.qonto_api import service as qonto_service
from sandbox.world import World
from sandbox.xero.accounts import AccountBook
from sandbox.xero.limits import TenantLimits
from sandbox.xero.office import CLIENT_ID, CLIENT_SECRET, DEFAULT_SCOPE
from sandbox.xero.tenant import Tenant, window_offset_ms
from sandbox.xero_api import identity_service


class AccountSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A Qonto bank account to open."""

    name: str = "Main"
    currency: str = "EUR"
    status: str = "active"
    is_external: bool = False
    main: bool | None = None
    balance_cents: int = 0
    iban: str | None = None


class XeroSpec(msgspec.Struct, forbid_unknown_fields=True):
    """The Xero side of an organisation."""

    tenant_id: str | None = None
    tenant_name: str | None = None
    base_currency: str = "EUR"
    currencies: list[str] = []
    short_code: str | None = None
    country_code: str = "FR"
    version: str = "GLOBAL"
    timezone: str = "ROMANCESTANDARDTIME"
    plan: str = msgspec.field(default="PREMIUM", name="class")
    multi_currency: bool = True
    day_limit: int = 5000
    user: str | None = None
    connected: bool = True
    period_lock_date: str | None = None
    end_of_year_lock_date: str | None = None


def found_organisation(world: World, ids: Ids, name: str, slug: str | None, locale: str, country: str) -> Organisation:
    """A Qonto organisation without accounts; its slug is made unique."""
    bank = world.bank
    base = slug or f"{_slug(name)}-{len(bank.organisations) + 1}"
    while base in bank.by_slug:
        base = f"{base}-{len(bank.organisations) + 1}"
    organisation = Organisation(ids.guid(), base, ids.secret(), name, locale, country)
    bank.add(organisation)
    return organisation


def open_account(world: World, ids: Ids, organisation: Organisation, spec: AccountSpec) -> BankAccount:
    """A bank account; the first one of an organisation is the main one unless told otherwise."""
    number = len(organisation.accounts) + 1
    has_main = any(account.main for account in organisation.accounts.values())
    iban = spec.iban if spec.iban is not None else f"FR76{ids.source.randrange(10**23):023d}"
    account = BankAccount(
        id=ids.guid(),
        slug=f"{organisation.slug}-bank-account-{number}",
        organisation_id=organisation.id,
        iban=iban,
        currency=spec.currency,
        main=(not has_main and not spec.is_external) if spec.main is None else spec.main,
        is_external=spec.is_external,
        opening_cents=spec.balance_cents,
        balance_cents=spec.balance_cents,
        faces=[Face(spec.name, spec.status, world.clock.now_ms())],
    )
    organisation.accounts[account.id] = account
    return account


def found_tenant(world: World, ids: Ids, name: str, spec: XeroSpec) -> Tenant:
    """A Xero organisation with a small chart of accounts; a known tenant_id gives that tenant."""
    known = world.office.tenants.get((spec.tenant_id or "").lower())
    if known is not None:
        return known
    tenant_id = (spec.tenant_id or ids.guid()).lower()
    now_ms = world.clock.now_ms()
    tenant = Tenant(
        id=tenant_id,
        name=spec.tenant_name or name,
        short_code=spec.short_code or f"!{ids.secret()[:5]}",
        base_currency=spec.base_currency,
        country_code=spec.country_code,
        version=spec.version,
        timezone=spec.timezone,
        plan=spec.plan,
        multi_currency=spec.multi_currency,
        created_ms=now_ms,
        limits=TenantLimits(window_offset_ms(tenant_id), spec.day_limit),
        accounts=AccountBook(ids, now_ms),
        currencies=list(dict.fromkeys([spec.base_currency, *spec.currencies])),
    )
    world.office.tenants[tenant_id] = tenant
    return tenant


def introduce(world: World, organisation: Organisation) -> dict[str, Any]:
    """What a client needs to speak to Qonto for an organisation."""
    return {
        "organisation_id": organisation.id,
        "slug": organisation.slug,
        "name": organisation.name,
        "qonto_login": organisation.slug,
        "qonto_secret": organisation.secret,
        "qonto_client_id": QONTO_CLIENT_ID,
        "qonto_client_secret": QONTO_CLIENT_SECRET,
        "qonto_tokens": qonto_service.token_set(world, world.bank.grant(organisation)),
        "accounts": [account_content(account) for account in organisation.accounts.values()],
    }


def introduce_tenant(world: World, tenant: Tenant, spec: XeroSpec) -> dict[str, Any]:
    """What a client needs to speak to Xero; connection and tokens only when it is connected."""
    content: dict[str, Any] = {
        "tenant_id": tenant.id,
        "xero_user": spec.user or tenant.id,
        "xero_client_id": CLIENT_ID,
        "xero_client_secret": CLIENT_SECRET,
        "xero_connection_id": None,
        "xero_tokens": None,
    }
    if spec.connected:
        keep = world.settings.reconnect_keeps_auth_event
        grant = world.office.consent(spec.user or tenant.id, tenant, DEFAULT_SCOPE, world.clock.now_ms(), keep)
        link = world.office.link(grant.subject, tenant.id)
        content["xero_connection_id"] = link.id if link else None
        content["xero_tokens"] = identity_service.token_set(world, grant)
    return content


def account_content(account: BankAccount) -> dict[str, Any]:
    """A Qonto account as the control API shows it."""
    return {
        "id": account.id,
        "slug": account.slug,
        "name": account.name,
        "iban": account.iban,
        "currency": account.currency,
        "status": account.status,
        "main": account.main,
        "is_external": account.is_external,
        "balance_cents": account.balance_cents,
        "opening_cents": account.opening_cents,
    }


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "organisation"
