"""/control/organisations."""

from typing import Annotated

import msgspec

from sandbox.control.answers import created, read
from sandbox.control.people import refuse_known_ids
from sandbox.founding import AccountSpec, XeroSpec, add_person, found_organisation, found_tenant, open_account
from sandbox.introductions import introduce, introduce_tenant
from sandbox.qonto.people import PersonSpec, default_people
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


class _Organisation(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    slug: str | None = None
    locale: str = "fr"
    legal_country: str = "FR"
    people: Annotated[list[PersonSpec], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=default_people)
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
    refuse_known_ids(world, wanted.people)
    organisation = found_organisation(world, ids, wanted.name, wanted.slug, wanted.locale, wanted.legal_country)
    for person in wanted.people:
        add_person(organisation, person)
    for account in wanted.accounts:
        open_account(world, ids, organisation, account)
    content = introduce(world, organisation)
    if wanted.xero is not None:
        tenant = found_tenant(world, ids, wanted.name, wanted.xero)
        organisation.tenant_id = tenant.id
        content |= introduce_tenant(world, tenant, wanted.xero)
    return created(content)
