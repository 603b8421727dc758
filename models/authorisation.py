"""Authorisations: a browser sent to Qonto or Xero, that may come back once; and what it brought until it is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from peewee import SQL, TextField

from models.database import Table, UtcField
from models.statements import read

LIFE = timedelta(minutes=10)  # from being sent to coming back
DECISION = timedelta(minutes=30)  # from coming back to connecting
COUNTED = timedelta(hours=1)  # how far back tries are counted
JOINED = """
    SELECT 1 FROM authorisation JOIN connection ON connection.xero_credential_id = authorisation.credential_id
    WHERE authorisation.id = {id}
"""


class Side(StrEnum):
    """Where the browser was sent."""

    QONTO = "qonto"
    XERO = "xero"


class Authorisation(Table):
    """`state_hash` is the SHA-256 of OAuth's `state`, `verifier` (PKCE) ciphertext; both are of one session alone.

    For Xero: `name` is what the connection shall be called; `credential_id` and `auth_event_id` are what came back.
    """

    id = TextField(primary_key=True)
    session_id = TextField()
    organisation_id = TextField(default="")
    side = TextField()
    state_hash = TextField(unique=True)
    verifier = TextField()
    name = TextField(default="")
    credential_id = TextField(null=True, index=True, constraints=[SQL("REFERENCES credential (id)")])
    auth_event_id = TextField(default="")
    created_at = UtcField()
    used_at = UtcField(null=True)

    class Meta:
        indexes = ((("organisation_id", "created_at"), False),)


def find_begun(state_hash: str, session_id: str, side: Side) -> Authorisation | None:
    """What this session was sent for under this state, used or not."""
    found: Authorisation | None = Authorisation.get_or_none(
        (Authorisation.state_hash == state_hash)
        & (Authorisation.session_id == session_id)
        & (Authorisation.side == side)
    )
    return found


def use(authorisation: Authorisation, now: datetime) -> bool:
    """Whether it comes back now for the first time; of two at once, one is."""
    used = (
        Authorisation.update(used_at=now)
        .where((Authorisation.id == authorisation.id) & Authorisation.used_at.is_null())
        .execute()
    )
    return bool(used == 1)


def bring_back(authorisation: Authorisation, credential_id: str, auth_event_id: str) -> None:
    """What Xero has let us into waits under this credential for a person's decision."""
    authorisation.credential_id, authorisation.auth_event_id = credential_id, auth_event_id
    Authorisation.update(credential_id=credential_id, auth_event_id=auth_event_id).where(
        Authorisation.id == authorisation.id
    ).execute()


def find_open(authorisation_id: str, session_id: str, now: datetime) -> Authorisation | None:
    """One that came back from Xero to this session, and waits for its decision."""
    found: Authorisation | None = Authorisation.get_or_none(
        (Authorisation.id == authorisation_id)
        & (Authorisation.session_id == session_id)
        & Authorisation.credential_id.is_null(False)
        & (Authorisation.used_at > now - DECISION)
    )
    return found


def is_joined(authorisation: Authorisation) -> bool:
    """Whether what it brought belongs to a connection, in whichever tab that was decided."""
    return bool(read(JOINED, id=authorisation.id))


def close(authorisation: Authorisation) -> None:
    """It was decided against."""
    Authorisation.update(credential_id=None).where(Authorisation.id == authorisation.id).execute()


def count_tries(organisation_id: str, now: datetime) -> int:
    """How often somebody of this organisation was sent to Xero in the last hour."""
    ours = (Authorisation.organisation_id == organisation_id) & (Authorisation.side == Side.XERO)
    return int(Authorisation.select().where(ours & (Authorisation.created_at > now - COUNTED)).count())


def end_old_authorisations(now: datetime) -> None:
    """Delete what nobody may decide any more, and no longer counts."""
    Authorisation.delete().where(Authorisation.created_at <= now - COUNTED).execute()
