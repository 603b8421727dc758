"""Hold our record of an organisation against Xero and mend the record: nothing is created or changed in Xero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import unquote

from clients.xero.bank_transactions import BankTransaction
from domain.bank_transaction import deep_link
from domain.calendar import local_date
from models import audit
from models.database import transaction
from models.invariant_check import violated_scopes
from models.organisation import Connection, Organisation, doubt_record, first_start
from models.posting_record import known_transactions, posted_rows
from models.statements import load
from models.states import Lane, RunKind, RunState
from models.sync_run import SyncRun, ask_for_run, read_again
from services.inspect_books import inspect_books
from services.job import Job, note_prepared
from services.look_up import rows_changed
from services.observe_xero import note_deleted
from services.read_accounts import read_accounts
from services.settle_surplus import settle_surplus
from services.store_accounts import read_and_store_accounts
from services.verdict import BACKOFF, Verdict, go_on, try_later, uncertain_until
from services.verify import MARGIN, note_complete, verify

MOST_NAMED = 10  # ids in what a run says of itself


def ask_to_verify(connection: Connection, who: str, why: str, now: datetime) -> SyncRun:
    """The run that verifies, open. Nothing of the connection is sent before it was verified.

    A turn that is at work gives way within about a second, after it has heard what it asked.
    """
    today = local_date(now, load(Organisation, connection.organisation_id).time_zone)
    with transaction():
        first = _first_start(connection)
        doubt_record(connection, first - MARGIN)
        read_again(connection.id)
        run = ask_for_run(connection, RunKind.VERIFICATION, Lane.INTERACTIVE, today, now)
        SyncRun.update(read_from=first).where(SyncRun.id == run.id).execute()
        audit.record(who, "connection.verify", connection.id, now, why)
    return run


def verify_books(job: Job) -> Verdict:
    """Read all that Qonto has, adopt what Xero has of it, and see what people deleted there, surplus copies too.

    What is there more than once, what Xero lacks although we say that it is there, and what carries our link there and
    is unknown here, is named. What the night's sample found wrong is compared anew, so that its alert can end.
    """
    if job.run.prepared_at is None and (unread := _read_qonto(job)):
        return unread
    if certain_at := verify(job):
        return uncertain_until(certain_at)
    rows = list(rows_changed(job, _first_start(job.connection) - MARGIN))
    twice = settle_surplus(job, rows)
    note_deleted(job, [row.bank_transaction_id for row in rows if row.is_deleted])
    job.notes += [*_named("more than once in Xero", twice), *_missing(job, rows), *_unknown(job, rows)]
    if job.organisation.id in violated_scopes():
        inspect_books(job)
    return Verdict(RunState.DONE, "; ".join(job.notes))


def _first_start(connection: Connection) -> datetime:
    """From when on an organisation's transactions went to this Xero organisation, over earlier connections too."""
    return first_start(connection.organisation_id, connection.tenant_id) or connection.starts_at


def _read_qonto(job: Job) -> Verdict | None:
    """How the turn ends when not all of it was read yet."""
    to_read = read_and_store_accounts(job)
    reading = read_accounts(job, to_read)
    if reading.is_cut_short:
        return go_on(job)
    if job.problems and job.run.failures < len(BACKOFF):
        return try_later(job, "; ".join(job.problems))
    job.notes += job.problems  # tried often enough: what can be read is verified, and the rest named
    note_complete(job, reading.whole)
    note_prepared(job)
    return None


def _missing(job: Job, rows: Sequence[BankTransaction]) -> Iterator[str]:
    there = {row.bank_transaction_id for row in rows}
    posted = posted_rows(job.organisation.id, job.tenant_id)
    yield from _named("posted by our record and not in Xero", [key for key, row in posted if row not in there])


def _unknown(job: Job, rows: Sequence[BankTransaction]) -> Iterator[str]:
    prefix = deep_link(job.app_url, "")
    ours = {unquote(row.url.removeprefix(prefix)): row for row in rows if row.url.startswith(prefix)}
    known = known_transactions(job.tenant_id, list(ours))
    yield from _named("in Xero with our link and unknown here", sorted(ours.keys() - known))


def _named(what: str, ids: Sequence[str]) -> Iterator[str]:
    if ids:
        more = ", ..." if len(ids) > MOST_NAMED else ""
        yield f"{len(ids)} {what}: {', '.join(ids[:MOST_NAMED])}{more}"
