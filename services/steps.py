"""The steps of a turn, by the kind of its run: accounts, transactions, holds, recovery, posting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from domain.reasons import Waits
from models.bank_account import read_connection_again_from
from models.states import RunKind, RunState
from models.sync_run import SyncRun
from services.coding_account import codes_to_post_to
from services.disconnect import disconnect
from services.follow_accounts import follow_accounts
from services.inspect_books import inspect_books
from services.job import Job, note_prepared
from services.observe_xero import observe_xero
from services.post_due import post_due
from services.probe import probe
from services.provision_accounts import provision_accounts, provision_closed_accounts
from services.read_accounts import accounts_to_read, read_accounts
from services.settle_holds import settle_holds
from services.verdict import Verdict, go_on
from services.verify import note_complete
from services.verify_books import verify_books

FOR_ANOTHER_WORKER = timedelta(minutes=1)  # while two releases run side by side


def take_steps(job: Job) -> Verdict:
    """As far as this turn comes. Raises the clients' errors."""
    steps = STEPS.get(job.run.kind)
    if steps is None:
        reason = f"this release does not know runs of the kind {job.run.kind}, a later one does"
        return Verdict(RunState.WAITING, reason, job.now() + FOR_ANOTHER_WORKER, code=Waits.IN_LINE)
    return steps(job)


def _sync(job: Job) -> Verdict:
    _read_back(job)
    if job.run.prepared_at is None and not _prepare(job):
        return go_on(job)
    return post_due(job)


def _observe(job: Job) -> Verdict:
    observe_xero(job)
    return Verdict(RunState.DONE)


def _verify(job: Job) -> Verdict:
    _read_back(job)
    return verify_books(job)


def _read_back(job: Job) -> None:
    """A person wants Qonto read again from a moment on. Under the lease nobody moves the cursors on meanwhile."""
    if job.run.read_from is not None:
        with job.holding():
            read_connection_again_from(job.connection.id, job.run.read_from)
            SyncRun.update(read_from=None).where(SyncRun.id == job.run.id).execute()


def _prepare(job: Job) -> bool:
    """Accounts, then transactions, then holds; whether all was read. What fails for one account fails for it alone."""
    chart, in_qonto = provision_accounts(job)
    to_read = accounts_to_read(job.connection, in_qonto)
    reading = read_accounts(job, to_read)
    provision_closed_accounts(job, chart, in_qonto)
    settle_holds(job, codes_to_post_to(job, chart))
    if not reading.is_cut_short:
        note_complete(job, reading.whole_of(in_qonto, to_read))
    if not reading.is_cut_short and not job.problems:
        note_prepared(job)
    return not reading.is_cut_short


STEPS: dict[str, Callable[[Job], Verdict]] = {
    RunKind.NIGHTLY: _sync,
    RunKind.MANUAL: _sync,
    RunKind.OBSERVATION: _observe,
    RunKind.ACCOUNTS: follow_accounts,
    RunKind.DISCONNECTION: disconnect,
    RunKind.VERIFICATION: _verify,
    RunKind.INSPECTION: inspect_books,
    RunKind.PROBE: probe,
}
