"""Keys and tokens to other people's APIs, encrypted at rest, refreshed by one claimant at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from peewee import IntegerField, TextField

from models.database import Table, UtcField
from models.statements import find, load, run

SEALED = ("secret", "access_token")  # the fields that are ciphertext
CLAIM = timedelta(seconds=60)  # longer than one token request may take (25 s); renewed before each further one
UNUSED = """NOT EXISTS (SELECT 1 FROM connection WHERE connection.qonto_credential_id = credential.id)
    AND NOT EXISTS (SELECT 1 FROM connection WHERE connection.xero_credential_id = credential.id)"""
UNDECIDED = f"DELETE FROM credential WHERE id = {{id}} AND {UNUSED}"  # noqa: S608 - no value is in it
ORPHANS = f"""
    DELETE FROM credential WHERE created_at < {{before}} AND {UNUSED}
    AND NOT EXISTS (SELECT 1 FROM web_session WHERE web_session.credential_id = credential.id)
    AND NOT EXISTS (SELECT 1 FROM authorisation WHERE authorisation.credential_id = credential.id)
"""  # noqa: S608 - no value is in it


class Credential(Table):
    """`kind` is `qonto_api_key`, `qonto_oauth` or `xero_oauth`. `secret` (API key or refresh token) and
    `access_token` are ciphertext, empty once the connection has ended. `version` grows by one with every refresh;
    `claimed_by` refreshes now.
    """

    id = TextField(primary_key=True)
    kind = TextField()
    secret = TextField()
    access_token = TextField(default="")
    expires_at = UtcField(null=True)
    version = IntegerField(default=1)
    claimed_by = TextField(default="")
    claimed_until = UtcField(null=True)
    created_at = UtcField()


def oldest_and_newest() -> list[Credential]:
    """Two that stand for all: whoever can decrypt both most likely has every key."""
    found = [
        Credential.select().where(Credential.secret != "").order_by(order).first()
        for order in (Credential.created_at.asc(), Credential.created_at.desc())
    ]
    return [credential for credential in found if credential]


def credentials_after(credential_id: str, most: int) -> list[Credential]:
    """The next ones in the order of their ids."""
    return find(Credential, "id > {last} ORDER BY id LIMIT {most}", last=credential_id, most=most)


def replace_sealed(credential_id: str, field: str, stored: str, anew: str) -> None:
    """Put other ciphertext of the same secret in one of the `SEALED` fields, unless it has changed meanwhile."""
    column = getattr(Credential, field)
    Credential.update({column: anew}).where((Credential.id == credential_id) & (column == stored)).execute()


def forget(credential_ids: Sequence[str]) -> None:
    """Their secrets are gone for good; a refresh that is under way finds another version and stores nothing."""
    Credential.update(
        secret="", access_token="", expires_at=None, version=Credential.version + 1, claimed_by="", claimed_until=None
    ).where(Credential.id.in_(credential_ids)).execute()


def is_forgotten(credential_id: str) -> bool:
    """Whether its secret has been erased."""
    return not load(Credential, credential_id).secret


def delete_undecided(credential_id: str) -> None:
    """Delete what a person did not decide for, unless a connection has it: in another tab they may have."""
    run(UNDECIDED, id=credential_id)


def delete_orphans(before: datetime) -> None:
    """Delete what was handed over and came to nothing: it is nobody's, neither a connection's nor a browser's."""
    run(ORPHANS, before=before)


def claim_refresh(credential: Credential, claimant: str, now: datetime) -> bool:
    """Whether `claimant` alone may refresh this version of the credential, for the next minute."""
    claimed = (
        Credential.update(claimed_by=claimant, claimed_until=now + CLAIM)
        .where(
            (Credential.id == credential.id)
            & (Credential.version == credential.version)
            & (Credential.claimed_until.is_null() | (Credential.claimed_until < now))
        )
        .execute()
    )
    return bool(claimed == 1)


def renew_claim(credential: Credential, claimant: str, now: datetime) -> bool:
    """Return whether `claimant` may go on refreshing this version, for another minute."""
    ours = (Credential.id == credential.id) & (Credential.version == credential.version)
    renewed = Credential.update(claimed_until=now + CLAIM).where(ours & (Credential.claimed_by == claimant)).execute()
    return bool(renewed == 1)


def store_refreshed(
    credential: Credential, claimant: str, *, secret: str, access_token: str, expires_at: datetime
) -> bool:
    """Replace the token set (ciphertext) if the claim still holds; the version grows, the claim ends."""
    stored = (
        Credential.update(
            secret=secret,
            access_token=access_token,
            expires_at=expires_at,
            version=Credential.version + 1,
            claimed_by="",
            claimed_until=None,
        )
        .where((Credential.id == credential.id) & (Credential.version == credential.version))
        .where(Credential.claimed_by == claimant)
        .execute()
    )
    return bool(stored == 1)


def release_claim(credential: Credential, claimant: str) -> None:
    """Let somebody else try: the refresh failed and nothing was stored."""
    Credential.update(claimed_by="", claimed_until=None).where(
        (Credential.id == credential.id) & (Credential.claimed_by == claimant)
    ).execute()
