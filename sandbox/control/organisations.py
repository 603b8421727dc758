"""/control/organisations."""

from datetime import date

import msgspec

from sandbox.control.answers import Wrong, created, read
from sandbox.founding import (
    AccountSpec,
    XeroSpec,
    found_organisation,
    found_tenant,
    introduce,
    introduce_tenant,
    open_account,
)
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


class _Organisation(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    slug: str | None = None
    locale: str = "fr"
    legal_country: str = "FR"
    accounts: list[AccountSpec] = msgspec.field(default_factory=lambda: [AccountSpec()])
    xero: XeroSpec | None = msgspec.field(default_factory=XeroSpec)


def show_all(world: World, _call: Call) -> Answer:
    """Every Qonto organisation."""
    content = [
        {
            "organisation_id": organisation.id,
            "slug": organisation.slug,
            "name": organisation.name,
            "tenant_id": organisation.tenant_id,
            "accounts": len(organisation.accounts),
            "transactions": organisation.transaction_count,
        }
        for organisation in world.bank.organisations.values()
    ]
    return json_answer({"organisations": content})


def make(world: World, call: Call) -> Answer:
    """One organisation, as told."""
    wanted, ids = read(call, _Organisation), world.ids
    locks = _lock_dates(wanted.xero) if wanted.xero else (None, None)
    organisation = found_organisation(world, ids, wanted.name, wanted.slug, wanted.locale, wanted.legal_country)
    for spec in wanted.accounts:
        open_account(world, ids, organisation, spec)
    content = introduce(world, organisation)
    if wanted.xero is not None:
        tenant = found_tenant(world, ids, wanted.name, wanted.xero)
        tenant.period_lock_date, tenant.end_of_year_lock_date = (
            locks[0] or tenant.period_lock_date,
            locks[1] or tenant.end_of_year_lock_date,
        )
        organisation.tenant_id = tenant.id
        content |= introduce_tenant(world, tenant, wanted.xero)
    return created(content)


def _lock_dates(spec: XeroSpec) -> tuple[date | None, date | None]:
    try:
        period, year = spec.period_lock_date, spec.end_of_year_lock_date
        return date.fromisoformat(period) if period else None, date.fromisoformat(year) if year else None
    except ValueError as error:
        raise Wrong(f"A lock date is no date: {error}.") from error
