"""Connect a Qonto organisation to a Xero organisation, from the keys and tokens that a person hands over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from clients.errors import RemoteError
from clients.qonto.bank_accounts import list_bank_accounts
from clients.qonto.client import Qonto
from clients.qonto.organisation import Organisation as QontoOrganisation
from clients.qonto.organisation import read_organisation
from clients.xero.connections import Tenant, list_tenants
from domain.access import Side
from domain.core_event import Told
from domain.reasons import Excluded
from domain.reasons import NotConnected as Why
from models import audit
from models.access_refusal import forget_refusals
from models.bank_account import inherit_cursors
from models.credential import Credential, forget, is_forgotten
from models.database import NotUnique, transaction
from models.opening_balance import store_balances_at_connecting
from models.organisation import (
    Connection,
    Organisation,
    current_connection,
    first_start,
    newest_connection,
    revive,
    taken_by,
)
from models.posting_batch import open_batches
from models.states import ConnectionState, Lane, RunKind
from models.sync_run import SyncRun, ask_for_run, is_open
from models.unsettled import adopt_unsettled
from services.credentials import store_secret
from services.take_up_event import ask_for_accounts
from services.tell_core import tell_core
from services.workbench import QONTO_API_KEY, QONTO_OAUTH, XERO_OAUTH, Workbench
from settings import Secret


class CannotConnect(Exception):
    """Nothing was connected; the message says what to do about it on a command line, `why` what it was."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Grant:
    """What lets us in: Qonto's API key `login:secret` or OAuth refresh token, and Xero's refresh token."""

    qonto_api_key: Secret
    qonto_refresh_token: Secret
    xero_refresh_token: Secret


@dataclass(frozen=True)
class Wishes:
    """What a person may choose. `tenant` names the Xero organisation, by id or name, when the token reaches several;
    `starts_at` is when what settles begins to be sent; if empty, a connection to the same Xero organisation goes on
    where the one before it ended, and any other begins now. Without a time zone it keeps the one it has.
    """

    name: str = ""
    tenant: str = ""
    time_zone: str = ""
    starts_at: datetime | None = None


def connect(workbench: Workbench, grant: Grant, wishes: Wishes, *, who: str) -> Connection:
    """Try both sides, then store the connection; one that needs reconnecting is brought to life again.

    Raises CannotConnect, or one of the clients' errors when a side does not let us in; then nothing is stored.
    """
    kind = QONTO_API_KEY if grant.qonto_api_key else QONTO_OAUTH
    qonto_secret = _usable(grant.qonto_api_key or grant.qonto_refresh_token, "Qonto")
    xero_secret = _usable(grant.xero_refresh_token, "Xero")
    qonto = store_secret(workbench, kind, qonto_secret)
    xero = store_secret(workbench, XERO_OAUTH, xero_secret)
    try:
        return join(workbench, qonto, xero, wishes, who=who)
    except Exception:
        _discard(qonto, xero)
        raise


def join(workbench: Workbench, qonto: Credential, xero: Credential, wishes: Wishes, *, who: str) -> Connection:
    """The same over credentials that are stored already, and stay stored whatever comes of it.

    The accounts run that it asks for brings every account into Xero within a minute.
    """
    client = workbench.qonto_as(qonto)
    organisation = read_organisation(client)
    ailing = _ailing(organisation)
    tenants = list_tenants(workbench.http, workbench.xero_api_url, workbench.xero_tokens(xero.id))
    tenant = _choose(tenants, wishes.tenant or (ailing.tenant_id if ailing else ""))
    balances, now = _balances(client), workbench.clock()
    try:
        with transaction():
            if ailing:
                return _revive(ailing, tenant, qonto, xero, wishes, who, now)
            connection = _store(organisation, tenant, qonto, xero, wishes, who, now)
            store_balances_at_connecting(tenant.tenant_id, now, balances)
            return connection
    except NotUnique as error:
        raise CannotConnect(
            Why.AT_ONCE, "somebody else is connecting one of the two organisations at this moment"
        ) from error


def _balances(qonto: Qonto) -> dict[str, int]:
    """Return what each account holds now, in cents, as far as Qonto shows it."""
    try:
        accounts = list_bank_accounts(qonto)
    except RemoteError:
        return {}  # the first night asks for what settled earlier
    return {account.id: account.balance_cents for account in accounts if account.balance_cents is not None}


def _discard(*credentials: Credential) -> None:
    """Nothing was connected, so nothing of what was handed over is kept."""
    Credential.delete().where(Credential.id.in_([credential.id for credential in credentials])).execute()


def _usable(secret: Secret, whose: str) -> Secret:
    text = secret.reveal()
    if not text:
        raise CannotConnect(Why.UNUSABLE, f"no secret was given for {whose}")
    if not text.isascii() or not text.isprintable():
        raise CannotConnect(Why.UNUSABLE, f"what was given as {whose}'s key or token is not plain text")
    return secret


def _ailing(organisation: QontoOrganisation) -> Connection | None:
    """The connection that waits to be connected again. Raises CannotConnect for one that is well."""
    found = current_connection(organisation.id)
    if found and found.state == ConnectionState.DISCONNECTING:
        raise CannotConnect(Why.ENDING, f"{organisation.slug} is being disconnected: connect it again in a minute")
    if found and found.state == ConnectionState.LIVE:
        raise CannotConnect(
            Why.ALREADY, f"{organisation.slug} is connected already, to {found.tenant_name or found.tenant_id}"
        )
    return found


def _choose(tenants: list[Tenant], wanted: str) -> Tenant:
    fitting = [tenant for tenant in tenants if wanted in {"", tenant.tenant_id, tenant.tenant_name}]
    if len(fitting) == 1:
        return fitting[0]
    if not tenants:
        raise CannotConnect(Why.NOTHING_REACHED, "the Xero token reaches no organisation: authorise one in Xero first")
    names = ", ".join(f"{tenant.tenant_name} ({tenant.tenant_id})" for tenant in tenants)
    raise CannotConnect(Why.NOT_CHOSEN, f"choose one of the Xero organisations with --tenant: {names}")


def _revive(
    connection: Connection,
    tenant: Tenant,
    qonto: Credential,
    xero: Credential,
    wishes: Wishes,
    who: str,
    now: datetime,
) -> Connection:
    if connection.tenant_id != tenant.tenant_id:
        raise CannotConnect(
            Why.ANOTHER, f"it was connected to another Xero organisation, {connection.tenant_name}: choose that one"
        )
    former = {connection.qonto_credential_id, connection.xero_credential_id}
    if not revive(connection, qonto.id, xero.id, wishes.name):
        raise CannotConnect(Why.AT_ONCE, "its state has changed at this moment: look at `connections list`")
    forget([*former - {qonto.id, xero.id}])
    forget_refusals(connection.id, list(Side))
    audit.record(who, "connection.reconnect", connection.id, now)
    is_earlier = wishes.starts_at is not None and wishes.starts_at < connection.starts_at
    _change(connection, wishes)
    tell_core(Told.CREATED, connection, now, reconnected=True, starts_at=connection.starts_at)
    _ask_for_runs(connection, now, read_from=wishes.starts_at if is_earlier else None)
    return connection


def _change(connection: Connection, wishes: Wishes) -> None:
    """Give a connection that goes on the start and the time zone that a person chose."""
    if wishes.starts_at:
        connection.starts_at = wishes.starts_at
        Connection.update(starts_at=wishes.starts_at).where(Connection.id == connection.id).execute()
    if wishes.time_zone:
        ours = Organisation.id == connection.organisation_id
        Organisation.update(time_zone=wishes.time_zone).where(ours).execute()


def _former(organisation_id: str, tenant_id: str) -> Connection | None:
    """Return the connection that a new one goes on from: the last one, if it went to the same Xero organisation.

    What settled while another one was connected went there.
    """
    last = newest_connection(organisation_id)
    return last if last and last.tenant_id == tenant_id else None


def _ask_for_runs(connection: Connection, now: datetime, *, read_from: datetime | None = None) -> None:
    """Its accounts at once; and what has no outcome yet, or an earlier start covers, need not wait for the night."""
    accounts = ask_for_accounts(connection, now)
    if read_from or open_batches(connection.id):
        run = ask_for_run(connection, RunKind.MANUAL, Lane.INTERACTIVE, accounts.local_date, now)
        SyncRun.update(read_from=read_from).where(SyncRun.id == run.id).execute()


def _store(
    organisation: QontoOrganisation,
    tenant: Tenant,
    qonto: Credential,
    xero: Credential,
    wishes: Wishes,
    who: str,
    now: datetime,
) -> Connection:
    if is_open(organisation.id, RunKind.DISCONNECTION) or is_forgotten(qonto.id) or is_forgotten(xero.id):
        raise CannotConnect(Why.ENDING, f"{organisation.slug} is being disconnected: connect it again in a minute")
    if taken_by(tenant.tenant_id):
        raise CannotConnect(
            Why.TAKEN,
            f"{tenant.tenant_name or tenant.tenant_id} is connected to another Qonto organisation already:"
            " choose another one, or disconnect it there first",
        )
    zone = {"time_zone": wishes.time_zone} if wishes.time_zone else {}
    Organisation.insert(
        id=organisation.id,
        slug=organisation.slug,
        name=organisation.legal_name or organisation.name or organisation.slug,
        created_at=now,
        **zone,
    ).on_conflict(conflict_target=[Organisation.id], update={"slug": organisation.slug, **zone}).execute()
    first = first_start(organisation.id, tenant.tenant_id)
    former = _former(organisation.id, tenant.tenant_id)
    connection = Connection.create(
        id=uuid4().hex,
        organisation_id=organisation.id,
        name=wishes.name or tenant.tenant_name or tenant.tenant_id,
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.tenant_name or "",
        qonto_credential_id=qonto.id,
        xero_credential_id=xero.id,
        starts_at=wishes.starts_at or (former.starts_at if former else now),
        verify_since=first,  # our record may have forgotten what an earlier connection sent
        created_at=now,
    )
    adopt_unsettled(connection, Excluded.ACCOUNT_GONE)
    if former and connection.starts_at >= former.starts_at:
        inherit_cursors(former.id, connection.id)  # an earlier start than before is read from there on
    audit.record(who, "connection.add", connection.id, now, f"to Xero organisation {tenant.tenant_id}")
    tell_core(Told.CREATED, connection, now, reconnected=first is not None, starts_at=connection.starts_at)
    _ask_for_runs(connection, now)
    return connection
