"""Bringing organisations, accounts and tenants into being."""

import re
import unicodedata
from datetime import date

import msgspec

from sandbox.ids import Ids
from sandbox.qonto.account import BankAccount, Face
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.people import Person, PersonSpec
from sandbox.world import World
from sandbox.xero.accounts import AccountBook
from sandbox.xero.limits import TenantLimits
from sandbox.xero.tenant import Tenant, window_offset_ms


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
    tenant_type: str = "ORGANISATION"
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
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None


def found_organisation(world: World, ids: Ids, name: str, slug: str | None, locale: str, country: str) -> Organisation:
    """A Qonto organisation without accounts; its slug is made unique."""
    bank = world.bank
    base = slug or f"{_slug(name)}-{len(bank.organisations) + 1}"
    while base in bank.by_slug:
        base = f"{base}-{len(bank.organisations) + 1}"
    organisation = Organisation(ids.guid(), base, ids.secret(), name, locale, country)
    bank.add(organisation)
    return organisation


def add_person(organisation: Organisation, spec: PersonSpec) -> Person:
    """One more person; without an email, one of the organisation's domain."""
    # A source of its own: worlds of a seed have the ids and amounts they had before there were people.
    ids = Ids.seeded(f"person {len(organisation.people) + 1} of {organisation.id}")
    local_part = _slug(f"{spec.first_name} {spec.last_name}").replace("-", ".")
    person = Person(
        id=spec.id or ids.guid(),
        first_name=spec.first_name,
        last_name=spec.last_name,
        email=spec.email if spec.email is not None else f"{local_part}@{organisation.slug}.example",
        role=spec.role,
        status=spec.status,
        locale=spec.locale or organisation.locale,
    )
    organisation.people[person.id] = person
    return person


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
    """A Xero organisation that the spec's user may connect; a known tenant_id gives that tenant."""
    known = world.office.tenants.get((spec.tenant_id or "").lower())
    tenant = known if known is not None else _new_tenant(world, ids, name, spec)
    tenant.period_lock_date = spec.period_lock_date or tenant.period_lock_date
    tenant.end_of_year_lock_date = spec.end_of_year_lock_date or tenant.end_of_year_lock_date
    world.office.user(spec.user or tenant.id).may_connect(tenant)
    return tenant


def _new_tenant(world: World, ids: Ids, name: str, spec: XeroSpec) -> Tenant:
    """Its books are a small chart of accounts."""
    tenant_id = (spec.tenant_id or ids.guid()).lower()
    now_ms = world.clock.now_ms()
    tenant = Tenant(
        id=tenant_id,
        name=spec.tenant_name or name,
        type=spec.tenant_type,
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


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "organisation"
