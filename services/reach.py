"""Which Xero organisations a person may choose from, once Xero has let us in."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from clients.errors import RemoteError
from clients.xero.connections import Tenant, delete_connection, list_tenants
from domain.tenant_choice import Reached, offer
from models.authorisation import Authorisation, close
from models.credential import delete_undecided
from models.database import transaction
from models.organisation import former_tenants, taken_by
from services.workbench import Workbench

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """One that may be chosen, unless `is_taken`: another Qonto organisation is connected to it."""

    tenant_id: str
    name: str
    is_taken: bool


@dataclass(frozen=True)
class Choices:
    """`suggested` is a tenant id or empty; `is_certain`: there is nothing to ask."""

    choices: tuple[Choice, ...]
    suggested: str
    is_certain: bool

    def find(self, tenant_id: str) -> Choice | None:
        return next((choice for choice in self.choices if choice.tenant_id == tenant_id), None)


def choices_of(workbench: Workbench, authorisation: Authorisation) -> Choices:
    """Read from Xero anew, so that what a person chooses is what the login reaches now."""
    organisation_id, event = authorisation.organisation_id, authorisation.auth_event_id
    tenants = _tenants(workbench, str(authorisation.credential_id), event)
    by_id = {tenant.tenant_id: tenant for tenant in tenants}
    reached = [Reached(t.tenant_id, t.auth_event_id or "", t.updated_date_utc) for t in tenants]
    offered = offer(reached, event, former_tenants(organisation_id))
    choices = [
        Choice(tenant_id, by_id[tenant_id].tenant_name or tenant_id, taken_by(tenant_id) not in {None, organisation_id})
        for tenant_id in offered.tenant_ids
    ]
    return Choices(tuple(choices), offered.suggested, offered.is_certain)


def abandon(workbench: Workbench, authorisation: Authorisation) -> None:
    """Nothing is connected: Xero forgets that it let us in, as far as it answers, and we forget what lets us in."""
    let_go(workbench, authorisation)
    forget_attempt(authorisation)


def let_go(workbench: Workbench, authorisation: Authorisation) -> None:
    """Leave every organisation that this consent opened and nobody chose, as far as Xero answers.

    Only what this very consent made is taken back: the login may serve other companies.
    """
    tokens, event = workbench.xero_tokens(str(authorisation.credential_id)), authorisation.auth_event_id
    try:
        for tenant in list_tenants(workbench.http, workbench.xero_api_url, tokens, event) if event else []:
            if tenant.auth_event_id == event and taken_by(tenant.tenant_id) is None:
                delete_connection(workbench.http, workbench.xero_api_url, tokens, tenant.id)
    except RemoteError as error:
        log.warning("what Xero was asked for may stay in its list of apps: %s", error)


def forget_attempt(authorisation: Authorisation) -> None:
    """What lets us into Xero for this attempt is gone, unless it was connected meanwhile."""
    with transaction():
        close(authorisation)
        delete_undecided(str(authorisation.credential_id))


def _tenants(workbench: Workbench, credential_id: str, event: str) -> list[Tenant]:
    tokens = workbench.xero_tokens(credential_id)
    granted = list_tenants(workbench.http, workbench.xero_api_url, tokens, event) if event else []
    return granted or list_tenants(workbench.http, workbench.xero_api_url, tokens)
