"""Browser sessions: who signed in with Qonto, for which organisation, until when. Nothing of it is in the cookie."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import SQL, TextField

from models.database import Table, UtcField

IDLE = timedelta(minutes=30)
AT_MOST = timedelta(hours=8)
GLANCE = timedelta(minutes=1)  # how exactly it is known when a session was last used


class WebSession(Table):
    """`id` is the SHA-256 of the cookie's token. Before its person has signed in, everything of Qonto's is empty.

    `person` is the name of who signed in; the credential opens Qonto for their organisation, on their behalf.
    """

    id = TextField(primary_key=True)
    organisation_id = TextField(default="")
    organisation_name = TextField(default="")
    person = TextField(default="")
    credential_id = TextField(null=True, index=True, constraints=[SQL("REFERENCES credential (id)")])
    created_at = UtcField()
    seen_at = UtcField()


def find_session(session_id: str, now: datetime) -> WebSession | None:
    """The session of this id, unless it has ended; it has been used now."""
    found: WebSession | None = WebSession.get_or_none(
        (WebSession.id == session_id) & (WebSession.created_at > now - AT_MOST) & (WebSession.seen_at > now - IDLE)
    )
    if found and found.seen_at <= now - GLANCE:
        WebSession.update(seen_at=now).where(WebSession.id == session_id).execute()
    return found


def end_session(session_id: str) -> None:
    """It is gone, whoever still has its cookie."""
    WebSession.delete().where(WebSession.id == session_id).execute()


def end_old_sessions(now: datetime) -> None:
    """Delete those that nobody may use any more."""
    ended = (WebSession.created_at <= now - AT_MOST) | (WebSession.seen_at <= now - IDLE)
    WebSession.delete().where(ended).execute()
