"""Qonto organisations, and their connections to Xero organisations."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import SQL, IntegerField, TextField, fn

from models.database import Table, UtcField, read_moment
from models.statements import run
from models.states import OPEN_RUN_STATES, ConnectionState, RunKind

DEFAULT_ZONE = "Europe/Paris"


class Organisation(Table):
    """A Qonto organisation, under Qonto's own id. `time_zone` is an IANA name: its day ends on its own clock."""

    id = TextField(primary_key=True)
    slug = TextField(index=True)
    name = TextField()
    time_zone = TextField(default=DEFAULT_ZONE)
    created_at = UtcField()


class Connection(Table):
    """One Qonto organisation to one Xero organisation (`tenant_id`), from `starts_at` on; at most one is not ended.

    The `..._code`s say which Xero account each line is coded to; empty means `default_code`, the account we made for
    it: `default_account_id` is its id in Xero, `default_refusals` how often Xero refused to create it.
    `observed_until`: people's changes in Xero have been seen up to here. `verify_since`: before anything more is
    sent, Xero's rows since then are looked at, because our own record of them may be older. `ended_at`: nothing has
    been asked of Qonto or Xero for it since.
    """

    id = TextField(primary_key=True)
    organisation_id = TextField(constraints=[SQL("REFERENCES organisation (id)")])
    name = TextField()
    tenant_id = TextField(index=True)
    tenant_name = TextField()
    qonto_credential_id = TextField(index=True, constraints=[SQL("REFERENCES credential (id)")])
    xero_credential_id = TextField(index=True, constraints=[SQL("REFERENCES credential (id)")])
    state = TextField(default=ConnectionState.LIVE)
    reason = TextField(default="")
    starts_at = UtcField()
    money_in_code = TextField(default="")
    money_out_code = TextField(default="")
    fees_code = TextField(default="")
    default_code = TextField(default="")
    default_account_id = TextField(default="")
    default_refusals = IntegerField(default=0)
    observed_until = UtcField(null=True)
    verify_since = UtcField(null=True)
    created_at = UtcField()
    ended_at = UtcField(null=True)

    class Meta:
        indexes = ((("state",), False),)


# One connection an organisation that has not ended, whatever two people do at the same moment; and one a Xero
# organisation, because two would put one customer's transactions into another's books.
for _name, _column in (
    ("connection_one_open", Connection.organisation_id),
    ("connection_one_tenant", Connection.tenant_id),
):
    Connection.add_index(Connection.index(_column, unique=True, name=_name, where=SQL("state <> 'disconnected'")))


def organisation_called(name: str) -> Organisation | None:
    """The organisation with this id or slug that was ever connected."""
    found: Organisation | None = Organisation.get_or_none((Organisation.id == name) | (Organisation.slug == name))
    return found


def time_zone_of(organisation_id: str) -> str:
    """On whose clock its days end; Paris's for one that was never connected."""
    found = Organisation.get_or_none(Organisation.id == organisation_id)
    return str(found.time_zone) if found else DEFAULT_ZONE


def live_connection(organisation_id: str) -> Connection | None:
    """The connection over which an organisation, given by its id alone, is synced."""
    found: Connection | None = Connection.get_or_none(
        (Connection.organisation_id == organisation_id) & (Connection.state == ConnectionState.LIVE)
    )
    return found


def end(connection: Connection, now: datetime) -> None:
    """It is over from the caller's commit on; its reason stays. Call it under the organisation's lease."""
    connection.state, connection.ended_at = ConnectionState.DISCONNECTED, now
    Connection.update(state=connection.state, ended_at=now).where(Connection.id == connection.id).execute()


VERIFIED = f"""
    UPDATE connection SET verify_since = NULL WHERE id = {{id}} AND verify_since = {{used}}
    AND NOT EXISTS (SELECT 1 FROM sync_run WHERE connection_id = {{id}} AND read_from IS NOT NULL
        AND kind = '{RunKind.VERIFICATION}' AND state IN ({", ".join(f"'{state}'" for state in OPEN_RUN_STATES)}))
"""  # noqa: S608 - names of ours


def doubt_record(connection: Connection, since: datetime) -> None:
    """Have a connection's record verified from a moment on, or from an earlier one if that was to be done already.

    Each doubt moves the moment, so that a verification under way is not taken for enough.
    """
    known = connection.verify_since
    earlier = min(known - timedelta(microseconds=1), since) if known else since
    Connection.update(verify_since=earlier).where(Connection.id == connection.id).execute()


def note_verified(connection: Connection) -> bool:
    """Its record was held against Xero from `verify_since` on; return whether that is enough.

    It is not if somebody doubted more of the record meanwhile, or wants more of Qonto read first.
    """
    is_enough = run(VERIFIED, id=connection.id, used=connection.verify_since) == 1
    if is_enough:
        connection.verify_since = None
    return is_enough


def revive(connection: Connection, qonto_credential_id: str, xero_credential_id: str, name: str) -> bool:
    """Let one that needs reconnecting live again, over fresh credentials; whether it still needed it."""
    connection.name = name or connection.name
    connection.qonto_credential_id, connection.xero_credential_id = qonto_credential_id, xero_credential_id
    connection.state, connection.reason = ConnectionState.LIVE, ""
    revived = (
        Connection.update(
            qonto_credential_id=qonto_credential_id,
            xero_credential_id=xero_credential_id,
            name=connection.name,
            state=connection.state,
            reason=connection.reason,
        )
        .where((Connection.id == connection.id) & (Connection.state == ConnectionState.NEEDS_RECONNECT))
        .execute()
    )
    return bool(revived == 1)


def heal(connection: Connection) -> bool:
    """Let a connection live again over the credentials it has; return whether it still needed that, and has them."""
    healed = (
        Connection.update(state=ConnectionState.LIVE, reason="")
        .where((Connection.id == connection.id) & (Connection.state == ConnectionState.NEEDS_RECONNECT))
        .where(Connection.qonto_credential_id == connection.qonto_credential_id)
        .where(Connection.xero_credential_id == connection.xero_credential_id)
        .execute()
    )
    return bool(healed == 1)


def first_start(organisation_id: str, tenant_id: str) -> datetime | None:
    """From when on an organisation first had a connection to this Xero organisation, ended ones too; if it had one."""
    ours = (Connection.organisation_id == organisation_id) & (Connection.tenant_id == tenant_id)
    first: datetime | None = read_moment(Connection.select(fn.MIN(Connection.starts_at)).where(ours).scalar())
    return first


def default_account_of(connection: Connection) -> str:
    """Return the id of the account made for lines to be coded, by this connection or one before it, empty if none."""
    if connection.default_account_id:
        return str(connection.default_account_id)
    ours = (Connection.organisation_id == connection.organisation_id) & (Connection.tenant_id == connection.tenant_id)
    made = Connection.select(Connection.default_account_id).where(ours & (Connection.default_account_id != ""))
    last = made.order_by(Connection.created_at.desc()).first()
    return str(last.default_account_id) if last else ""


def taken_by(tenant_id: str) -> str | None:
    """The id of the Qonto organisation whose connection, not ended, goes to this Xero organisation."""
    ours = (Connection.tenant_id == tenant_id) & (Connection.state != ConnectionState.DISCONNECTED)
    found = Connection.select(Connection.organisation_id).where(ours).first()
    return str(found.organisation_id) if found else None


def former_tenants(organisation_id: str) -> set[str]:
    """The Xero organisations that an organisation was ever connected to."""
    ours = Connection.select(Connection.tenant_id).where(Connection.organisation_id == organisation_id)
    return {str(connection.tenant_id) for connection in ours}


def newest_connection(organisation_id: str) -> Connection | None:
    """The one that was made last, ended or not."""
    ours = Connection.select().where(Connection.organisation_id == organisation_id)
    found: Connection | None = ours.order_by(Connection.created_at.desc()).first()
    return found


def current_connection(organisation_id: str) -> Connection | None:
    """The connection of an organisation, given by its id alone, that has not ended."""
    found: Connection | None = Connection.get_or_none(
        (Connection.organisation_id == organisation_id) & (Connection.state != ConnectionState.DISCONNECTED)
    )
    return found


def connection_of(organisation: str) -> Connection | None:
    """The connection that has not ended of an organisation, given by its id or its slug."""
    named = (Organisation.id == organisation) | (Organisation.slug == organisation)
    found: Connection | None = (
        Connection.select()
        .join(Organisation, on=(Organisation.id == Connection.organisation_id))
        .where((Connection.state != ConnectionState.DISCONNECTED) & named)
        .order_by(Organisation.id)
        .first()
    )
    return found
