"""Qonto's bank accounts, their Xero accounts, and how far each has been read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from peewee import SQL, BigAutoField, BigIntegerField, BooleanField, IntegerField, TextField

from models.database import Table, UtcField, read_moment
from models.organisation import Connection
from models.statements import find, read, run
from models.states import LinkState


class BankAccount(Table):
    """A Qonto bank account as last read. The full IBAN is read when needed and never stored."""

    id = TextField(primary_key=True)
    organisation_id = TextField(index=True, constraints=[SQL("REFERENCES organisation (id)")])
    name = TextField()
    iban_last4 = TextField(default="")
    currency = TextField()
    status = TextField()
    is_external = BooleanField(default=False)
    updated_at = UtcField(null=True)


def accounts_not_listed(organisation_id: str, listed: Collection[str | None]) -> list[BankAccount]:
    """Return an organisation's accounts at Qonto that are stored and missing from these ids."""
    ours = (BankAccount.organisation_id == organisation_id) & ~BankAccount.is_external
    return [one for one in BankAccount.select().where(ours).order_by(BankAccount.id) if one.id not in listed]


class AccountLink(Table):
    """A bank account's Xero account in one Xero organisation. Made again there: the next `generation`.

    `code` is the mark by which we know our own account; it is stored before Xero is asked to create it. `refusals`
    counts how often Xero refused to create it.
    """

    id = BigAutoField()
    tenant_id = TextField()
    bank_account_id = TextField(constraints=[SQL("REFERENCES bank_account (id)")])
    generation = IntegerField()
    code = TextField()
    name = TextField()
    xero_account_id = TextField(default="")
    state = TextField()
    reason = TextField(default="")
    refusals = IntegerField(default=0)
    created_at = UtcField()

    class Meta:
        indexes = ((("tenant_id", "bank_account_id", "generation"), True),)


class Cursor(Table):
    """How far a bank account has been read for a connection: the newest Qonto `updated_at` of which all is remembered,
    and never later than the reading itself.

    `chain_broken_at` is where `settled_balance` last failed to chain, empty when it chains. `read_whole_at`: when a
    reading of a closed account began that came to its end. `unread_since`: since when Qonto has refused its
    transactions or answered unreadably, `unread_reason` which of the two; empty while they can be read. `drift_cents`:
    by how much Qonto's balance differed from what was read when all of it was last read again; empty when it did not,
    and `drift_since` since when. `verify_since`: it could not be read whole when its connection was verified, so Xero's
    rows since then are looked at before anything of it is sent.
    """

    id = BigAutoField()
    connection_id = TextField(constraints=[SQL("REFERENCES connection (id)")])
    bank_account_id = TextField(constraints=[SQL("REFERENCES bank_account (id)")])
    read_until = UtcField()
    chain_broken_at = TextField(default="")
    read_whole_at = UtcField(null=True)
    unread_since = UtcField(null=True)
    unread_reason = TextField(default="")
    drift_cents = BigIntegerField(null=True)
    drift_since = UtcField(null=True)
    verify_since = UtcField(null=True)

    class Meta:
        indexes = ((("connection_id", "bank_account_id"), True),)


Cursor.add_index(Cursor.index(Cursor.unread_reason, name="cursor_unread", where=SQL("unread_since IS NOT NULL")))


LINKS = """
    tenant_id = {tenant_id}
    AND bank_account_id IN (SELECT id FROM bank_account WHERE organisation_id = {organisation_id}) ORDER BY generation
"""


def links_of(tenant_id: str, organisation_id: str) -> dict[str, list[AccountLink]]:
    """Return every generation of each bank account's link in a Xero organisation, oldest first, by bank account id."""
    by_account: dict[str, list[AccountLink]] = {}
    for link in find(AccountLink, LINKS, tenant_id=tenant_id, organisation_id=organisation_id):
        by_account.setdefault(link.bank_account_id, []).append(link)
    return by_account


def current_link(links: Sequence[AccountLink]) -> AccountLink:
    """Return the link that counts of one bank account's generations: the live one, else the newest."""
    return max(links, key=lambda link: (link.state == LinkState.LIVE, link.generation))


def current_links(tenant_id: str, organisation_id: str) -> dict[str, AccountLink]:
    """Return each bank account's current link in a Xero organisation, by bank account id."""
    return {key: current_link(links) for key, links in links_of(tenant_id, organisation_id).items()}


def live_links(tenant_id: str, organisation_id: str) -> dict[str, AccountLink]:
    """Return the links whose Xero account can be posted to, by bank account id."""
    current = current_links(tenant_id, organisation_id)
    return {key: link for key, link in current.items() if link.state == LinkState.LIVE}


OF_ACCOUNT = "connection_id = {connection_id} AND bank_account_id = {bank_account_id}"


def cursor_of(connection_id: str, bank_account_id: str) -> Cursor | None:
    """How far a bank account has been read for a connection; `None` if not at all."""
    found = find(Cursor, OF_ACCOUNT, connection_id=connection_id, bank_account_id=bank_account_id)
    return found[0] if found else None


def store_chain(connection_id: str, bank_account_id: str, broken_at: str) -> None:
    """Where an account's balances do not chain, by the transaction's id; empty when they do."""
    statement = f"UPDATE cursor SET chain_broken_at = {{broken_at}} WHERE {OF_ACCOUNT}"  # noqa: S608 - names of ours
    run(statement, broken_at=broken_at, connection_id=connection_id, bank_account_id=bank_account_id)


SET_BACK = """
    UPDATE cursor SET read_until = CASE WHEN read_until > {moment} THEN {moment} ELSE read_until END,
    read_whole_at = NULL
"""


def read_connection_again_from(connection_id: str, moment: datetime) -> None:
    """Let a connection's accounts be read from a moment on, also closed ones. Call it under the lease."""
    run(f"{SET_BACK} WHERE connection_id = {{connection_id}}", connection_id=connection_id, moment=moment)


def read_again_from(bank_account_id: str, moment: datetime) -> None:
    """Let the next night read an account from a moment on, also a closed one, over whichever connection."""
    run(f"{SET_BACK} WHERE bank_account_id = {{bank_account_id}}", bank_account_id=bank_account_id, moment=moment)


READ_WHOLE = """
    INSERT INTO cursor (connection_id, bank_account_id, read_until, chain_broken_at, read_whole_at, unread_reason)
    VALUES ({connection_id}, {bank_account_id}, {starts_at}, '', {began_at}, '')
    ON CONFLICT (connection_id, bank_account_id) DO UPDATE SET read_whole_at = excluded.read_whole_at
"""
WHOLE_READINGS = """
    SELECT cursor.bank_account_id, read_whole_at FROM cursor JOIN connection ON connection.id = connection_id
    WHERE connection_id = {connection_id} AND read_whole_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM awaited_transaction AS awaited WHERE awaited.bank_account_id = cursor.bank_account_id
        AND awaited.tenant_id = connection.tenant_id AND awaited.ended_at IS NULL
    )
"""


def store_read_whole(connection_id: str, bank_account_id: str, starts_at: datetime, began_at: datetime) -> None:
    """A reading of a closed account that began then has come to its end; `starts_at` is where it started if new."""
    told = {"connection_id": connection_id, "bank_account_id": bank_account_id}
    run(READ_WHOLE, **told, starts_at=starts_at, began_at=began_at)


def whole_readings(connection_id: str) -> dict[str, datetime]:
    """Return when the last whole reading of each closed account began, if it left nothing to be read again."""
    return {key: read_moment(at) for key, at in read(WHOLE_READINGS, connection_id=connection_id)}


ADVANCE = """
    INSERT INTO cursor (connection_id, bank_account_id, read_until, chain_broken_at, unread_reason)
    VALUES ({connection_id}, {bank_account_id}, {read_until}, '', '')
    ON CONFLICT (connection_id, bank_account_id) DO UPDATE SET read_until = excluded.read_until
    WHERE cursor.read_until < excluded.read_until
"""


def advance_cursor(connection_id: str, bank_account_id: str, read_until: datetime) -> None:
    """Move the cursor forward, never back."""
    run(ADVANCE, connection_id=connection_id, bank_account_id=bank_account_id, read_until=read_until)


DRIFT = """
    INSERT INTO cursor (connection_id, bank_account_id, read_until, chain_broken_at, unread_reason, drift_cents,
        drift_since)
    VALUES ({connection_id}, {bank_account_id}, {starts_at}, '', '', {cents}, {since})
    ON CONFLICT (connection_id, bank_account_id) DO UPDATE SET drift_cents = excluded.drift_cents,
        drift_since = CASE WHEN excluded.drift_cents IS NULL THEN NULL
            ELSE COALESCE(cursor.drift_since, excluded.drift_since) END
"""


def store_drift(connection: Connection, bank_account_id: str, cents: int | None, now: datetime) -> None:
    """Store by how much an account's balance differs from what was read of it, `None` when it does not."""
    values = {"connection_id": connection.id, "bank_account_id": bank_account_id, "starts_at": connection.starts_at}
    run(DRIFT, **values, cents=cents, since=now if cents else None)


INHERIT = """
    INSERT INTO cursor (connection_id, bank_account_id, read_until, chain_broken_at, read_whole_at, unread_since,
        unread_reason, drift_cents, drift_since)
    SELECT {heir}, bank_account_id, read_until, chain_broken_at, read_whole_at, unread_since, unread_reason,
        drift_cents, drift_since
    FROM cursor WHERE connection_id = {former}
    ON CONFLICT (connection_id, bank_account_id) DO NOTHING
"""


def inherit_cursors(former_id: str, heir_id: str) -> None:
    """Let a new connection go on reading each account where an earlier one ended."""
    run(INHERIT, former=former_id, heir=heir_id)


UNREAD = """
    INSERT INTO cursor (connection_id, bank_account_id, read_until, chain_broken_at, unread_since, unread_reason)
    VALUES ({connection_id}, {bank_account_id}, {starts_at}, '', {now}, {reason})
    ON CONFLICT (connection_id, bank_account_id) DO UPDATE
    SET unread_since = COALESCE(cursor.unread_since, excluded.unread_since), unread_reason = excluded.unread_reason
"""
READABLE = f"""
    UPDATE cursor SET unread_since = NULL, unread_reason = '' WHERE {OF_ACCOUNT} AND unread_since IS NOT NULL
"""  # noqa: S608 - names of ours


def store_unread(connection: Connection, bank_account_id: str, reason: str, now: datetime) -> None:
    """Store that an account's transactions cannot be read, and since when; call it under the lease."""
    values = {"connection_id": connection.id, "bank_account_id": bank_account_id}
    run(UNREAD, **values, starts_at=connection.starts_at, reason=reason, now=now)


def store_readable(connection_id: str, bank_account_id: str) -> None:
    """Store that an account's transactions can be read; call it under the lease."""
    run(READABLE, connection_id=connection_id, bank_account_id=bank_account_id)


def unread_accounts(connection_id: str) -> dict[str, str]:
    """The bank accounts of a connection whose transactions cannot be read, by id, and why."""
    unread = read(
        "SELECT bank_account_id, unread_reason FROM cursor WHERE connection_id = {id} AND unread_since IS NOT NULL",
        id=connection_id,
    )
    return dict(unread)


DOUBT = """
    INSERT INTO cursor (connection_id, bank_account_id, read_until, chain_broken_at, unread_reason, verify_since)
    VALUES ({connection_id}, {bank_account_id}, {starts_at}, '', '', {since})
    ON CONFLICT (connection_id, bank_account_id) DO UPDATE SET verify_since =
        CASE WHEN cursor.verify_since < excluded.verify_since THEN cursor.verify_since ELSE excluded.verify_since END
"""
TRUST = f"UPDATE cursor SET verify_since = NULL WHERE {OF_ACCOUNT}"  # noqa: S608 - names of ours


def doubt_account(connection: Connection, bank_account_id: str, since: datetime) -> None:
    """Store that an account's record is to be verified from a moment on before anything of it is sent."""
    ids = {"connection_id": connection.id, "bank_account_id": bank_account_id}
    run(DOUBT, **ids, starts_at=connection.starts_at, since=since)


def trust_account(connection_id: str, bank_account_id: str) -> None:
    """Store that an account's record was verified."""
    run(TRUST, connection_id=connection_id, bank_account_id=bank_account_id)


INCOMPLETE = """
    SELECT bank_account_id FROM cursor WHERE connection_id = {connection_id} AND drift_cents IS NOT NULL
    UNION SELECT bank_account_id FROM awaited_transaction WHERE tenant_id = {tenant_id} AND ended_at IS NULL
"""


def incomplete_accounts(connection: Connection) -> set[str]:
    """Return the bank accounts of which something is awaited or whose balance in Qonto differs from what was read."""
    return {key for (key,) in read(INCOMPLETE, connection_id=connection.id, tenant_id=connection.tenant_id)}


def accounts_of(organisation_id: str) -> set[str]:
    """Return the ids of all bank accounts of an organisation that were ever read, without external ones."""
    ids = "SELECT id FROM bank_account WHERE organisation_id = {organisation_id} AND NOT is_external"
    return {key for (key,) in read(ids, organisation_id=organisation_id)}


def doubted_accounts(connection_id: str) -> dict[str, datetime]:
    """Return since when each account of a connection is to be verified that still is to be, by bank account id."""
    doubted = read(
        "SELECT bank_account_id, verify_since FROM cursor WHERE connection_id = {id} AND verify_since IS NOT NULL",
        id=connection_id,
    )
    return {key: read_moment(since) for key, since in doubted}
