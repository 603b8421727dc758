"""End a connection: nothing of it is asked of Qonto or Xero any more, and what let us in is gone a minute later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from clients.errors import RemoteError, Temporary, Unreadable
from clients.xero.client import Xero
from clients.xero.connections import delete_connection, list_connections
from domain.calendar import local_date
from domain.core_event import Told
from domain.reasons import Broken, Waits
from models import audit
from models.credential import forget, is_forgotten
from models.database import transaction
from models.encryption import CannotDecrypt
from models.organisation import Connection, Organisation, end
from models.statements import load
from models.states import ConnectionState, Lane, RunKind, RunState
from models.sync_run import SyncRun, ask_for_run, end_runs_of
from services.job import Job
from services.tell_core import tell_core
from services.verdict import Verdict

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=10)  # no call to Xero begins later: one takes 45 s at most, and secrets are gone within 60
AGAIN = timedelta(seconds=2)
ERASED = "connection.secrets_erased"


class CannotDisconnect(Exception):
    """Nothing was changed; the message says why."""


def ask_to_disconnect(connection: Connection, who: str, reason: str, now: datetime) -> SyncRun:
    """Nothing more begins for this connection; the run that ends it is returned. Asking twice asks for one run.

    It ends as soon as whatever works for the organisation has given way, which takes about a second.
    """
    with transaction():
        day = local_date(now, load(Organisation, connection.organisation_id).time_zone)
        asked = (
            Connection.update(state=ConnectionState.DISCONNECTING, reason=reason)
            .where(Connection.id == connection.id)
            .where(Connection.state.in_((ConnectionState.LIVE, ConnectionState.NEEDS_RECONNECT)))
            .execute()
        )
        if asked:
            audit.record(who, "connection.disconnect", connection.id, now, reason)
        elif load(Connection, connection.id).state == ConnectionState.DISCONNECTED:
            raise CannotDisconnect("it has been disconnected already")
        return ask_for_run(connection, RunKind.DISCONNECTION, Lane.INTERACTIVE, day, now)


def disconnect(job: Job) -> Verdict:
    """End it, then take leave of Xero, then forget every secret; nobody else has the organisation's lease meanwhile.

    What stays: postings, account links, the audit. What Xero does not answer in time is left to the customer, who can
    remove our app in Xero, and is said.
    """
    ended_at = _end(job)
    if is_forgotten(job.connection.xero_credential_id):
        return Verdict(RunState.DONE, audit.reason_of(ERASED, job.connection.id))  # its worker ended before it said so
    problem = ""
    try:
        _take_leave(job, ended_at + PATIENCE)
    except CannotDecrypt as error:
        problem = str(error)
    except RemoteError as error:
        problem = str(error)
        log.warning("connection %s: %s", job.connection.id, problem)
        if job.now() + AGAIN - ended_at <= PATIENCE:
            return Verdict(RunState.WAITING, problem, job.now() + AGAIN, code=Waits.OUTAGE)
    with job.holding():
        forget([job.connection.qonto_credential_id, job.connection.xero_credential_id])
        told = f"Xero may still show us as connected: {problem}" if problem else ""
        audit.record("system", ERASED, job.connection.id, job.now(), told)
    return Verdict(RunState.DONE, told)


def _end(job: Job) -> datetime:
    """From this commit on nothing is asked for this connection, but what ends it. The person's reason stays here."""
    if job.connection.ended_at is None:
        now = job.now()
        with job.holding():
            tell_core(Told.DISCONNECTED, job.connection, now, ended_at=now)
            end(job.connection, now)
            end_runs_of(job.connection.id, job.run.id, "the connection was ended", Broken.NOT_LIVE, now)
    moment: datetime = job.connection.ended_at
    return moment


def _take_leave(job: Job, until: datetime) -> None:
    """Remove our access to this Xero organisation; if the person's login reaches no other through us, revoke it.

    Revoking ends every connection of the login, also those of the accountant's other clients. No call begins after
    `until`; raises Temporary then.
    """

    def in_time() -> Xero:
        job.xero.tokens.current()  # which may take a call of its own
        if job.now() > until:
            raise Temporary("Xero /connections", "there was no time left to take leave")
        return job.xero

    links = list_connections(in_time().http, job.xero.base_url, job.xero.tokens)
    for link in links:
        if link.tenant_id == job.tenant_id:
            delete_connection(in_time().http, job.xero.base_url, job.xero.tokens, link.id)
    if any(link.tenant_id in {None, job.tenant_id} for link in links.unreadable):
        raise Unreadable("Xero GET /connections", "the link to this organisation may be one that cannot be read")
    # Asked anew: another client of the login may have been let in meanwhile.
    left = list_connections(in_time().http, job.xero.base_url, job.xero.tokens)
    if not left and not left.unreadable:
        in_time().tokens.revoke()
