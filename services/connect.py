"""Connect a Qonto organisation to a Xero organisation, from the keys and tokens that a person hands over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from clients.qonto.client import Qonto
from clients.qonto.organisation import Organisation as QontoOrganisation
from clients.qonto.organisation import read_organisation
from clients.xero.connections import Tenant, list_tenants
from models import audit
from models.credential import Credential
from models.database import transaction
from models.organisation import Connection, Organisation, connection_of
from services.access_tokens import ApiKey, StoredTokens, secret_context
from services.workbench import QONTO_API_KEY, QONTO_OAUTH, XERO_OAUTH, Workbench
from settings import Secret


class CannotConnect(Exception):
    """Nothing was connected; the message says what to do about it."""


@dataclass(frozen=True)
class Grant:
    """What lets us in: Qonto's API key `login:secret` or OAuth refresh token, and Xero's refresh token."""

    qonto_api_key: Secret
    qonto_refresh_token: Secret
    xero_refresh_token: Secret


def connect(
    workbench: Workbench,
    grant: Grant,
    *,
    who: str,
    name: str = "",
    tenant: str = "",
    time_zone: str = "Europe/Paris",
    starts_at: datetime | None = None,
) -> Connection:
    """Try both sides, then store the connection; transactions settled from `starts_at` (default now) on are sent.

    `tenant` names the Xero organisation, by id or name, and may be left out when the token reaches only one.
    Raises CannotConnect, or one of the clients' errors when a side does not let us in.
    """
    qonto_credential = _store_credential(
        workbench,
        QONTO_API_KEY if grant.qonto_api_key else QONTO_OAUTH,
        grant.qonto_api_key or grant.qonto_refresh_token,
    )
    xero_credential = _store_credential(workbench, XERO_OAUTH, grant.xero_refresh_token)
    try:
        organisation = read_organisation(_qonto(workbench, qonto_credential))
        tokens = StoredTokens(
            xero_credential.id, workbench.xero_app, workbench.keyring, workbench.http, workbench.clock
        )
        chosen = _choose(list_tenants(workbench.http, workbench.xero_api_url, tokens), tenant)
        return _store(
            workbench, organisation, chosen, qonto_credential, xero_credential, who, name, time_zone, starts_at
        )
    except Exception:
        Credential.delete().where(Credential.id.in_([qonto_credential.id, xero_credential.id])).execute()
        raise


def _store_credential(workbench: Workbench, kind: str, secret: Secret) -> Credential:
    if not secret:
        raise CannotConnect(f"no secret was given for {kind}")
    credential_id = uuid4().hex
    sealed = workbench.keyring.encrypt(secret, secret_context(credential_id))
    return Credential.create(id=credential_id, kind=kind, secret=sealed, created_at=workbench.clock())


def _qonto(workbench: Workbench, credential: Credential) -> Qonto:
    if credential.kind == QONTO_API_KEY:
        return Qonto(workbench.http, workbench.qonto_api_url, ApiKey(credential, workbench.keyring), workbench.clock)
    tokens = StoredTokens(credential.id, workbench.qonto_app, workbench.keyring, workbench.http, workbench.clock)
    return Qonto(workbench.http, workbench.qonto_api_url, tokens, workbench.clock, scheme="Bearer ")


def _choose(tenants: list[Tenant], wanted: str) -> Tenant:
    fitting = [tenant for tenant in tenants if wanted in {"", tenant.tenant_id, tenant.tenant_name}]
    if len(fitting) == 1:
        return fitting[0]
    if not tenants:
        raise CannotConnect("the Xero token reaches no organisation: authorise one in Xero first")
    names = ", ".join(f"{tenant.tenant_name} ({tenant.tenant_id})" for tenant in tenants)
    raise CannotConnect(f"choose one of the Xero organisations with --tenant: {names}")


def _store(
    workbench: Workbench,
    organisation: QontoOrganisation,
    tenant: Tenant,
    qonto_credential: Credential,
    xero_credential: Credential,
    who: str,
    name: str,
    time_zone: str,
    starts_at: datetime | None,
) -> Connection:
    now = workbench.clock()
    with transaction():
        if connection_of(organisation.id):
            raise CannotConnect(f"{organisation.slug} is connected already: disconnect it first")
        Organisation.insert(
            id=organisation.id,
            slug=organisation.slug,
            name=organisation.legal_name or organisation.name or organisation.slug,
            time_zone=time_zone,
            created_at=now,
        ).on_conflict(
            conflict_target=[Organisation.id],
            update={Organisation.slug: organisation.slug, Organisation.time_zone: time_zone},
        ).execute()
        connection = Connection.create(
            id=uuid4().hex,
            organisation_id=organisation.id,
            name=name or tenant.tenant_name or tenant.tenant_id,
            tenant_id=tenant.tenant_id,
            tenant_name=tenant.tenant_name or "",
            qonto_credential_id=qonto_credential.id,
            xero_credential_id=xero_credential.id,
            starts_at=starts_at or now,
            created_at=now,
        )
        audit.record(who, "connection.add", connection.id, now, f"to Xero organisation {tenant.tenant_id}")
    return connection
