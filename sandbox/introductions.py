"""What a client needs to know of what was brought into being."""

from typing import Any

from sandbox.founding import XeroSpec
from sandbox.qonto.account import BankAccount
from sandbox.qonto.bank import CLIENT_ID as QONTO_CLIENT_ID
from sandbox.qonto.bank import CLIENT_SECRET as QONTO_CLIENT_SECRET
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.people import Person
from sandbox.qonto_api import token_endpoint
from sandbox.world import World
from sandbox.xero.office import CLIENT_ID, CLIENT_SECRET, DEFAULT_SCOPE
from sandbox.xero.tenant import Tenant
from sandbox.xero_api import identity_service


def introduce(world: World, organisation: Organisation) -> dict[str, Any]:
    """What a client needs to speak to Qonto for an organisation, which its first person has let it into."""
    grant = world.bank.grant(organisation, next(iter(organisation.people.values())))
    return {
        "organisation_id": organisation.id,
        "slug": organisation.slug,
        "name": organisation.name,
        "qonto_login": organisation.slug,
        "qonto_secret": organisation.secret,
        "qonto_client_id": QONTO_CLIENT_ID,
        "qonto_client_secret": QONTO_CLIENT_SECRET,
        "people": [person_content(person) for person in organisation.people.values()],
        "qonto_tokens": token_endpoint.token_set(world, grant),
        "accounts": [account_content(account) for account in organisation.accounts.values()],
    }


def introduce_tenant(world: World, tenant: Tenant, spec: XeroSpec) -> dict[str, Any]:
    """What a client needs to speak to Xero; connection and tokens only when it is connected."""
    user = world.office.user(spec.user or tenant.id)
    content: dict[str, Any] = {
        "tenant_id": tenant.id,
        "xero_user": user.name,
        "xero_client_id": CLIENT_ID,
        "xero_client_secret": CLIENT_SECRET,
        "xero_connection_id": None,
        "xero_tokens": None,
    }
    if spec.connected:
        keep = world.settings.reconnect_keeps_auth_event
        grant = world.office.consent(user, [tenant], DEFAULT_SCOPE, world.clock.now_ms(), keep)
        link = world.office.link(grant.subject, tenant.id)
        content["xero_connection_id"] = link.id if link else None
        content["xero_tokens"] = identity_service.token_set(world, grant)
    return content


def person_content(person: Person) -> dict[str, Any]:
    """A Qonto person as the control API shows them."""
    return {
        "id": person.id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "role": person.role,
        "status": person.status,
        "locale": person.locale,
    }


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
