"""The steps of a turn, by the kind of its run: accounts, transactions, holds, recovery, posting."""

from __future__ import annotations

from models.states import RunKind, RunState
from models.sync_run import SyncRun
from services.disconnect import disconnect
from services.follow_accounts import follow_accounts
from services.job import Job
from services.observe_xero import observe_xero
from services.post_due import post_due
from services.provision_accounts import provision_accounts
from services.read_accounts import accounts_to_read, read_accounts
from services.settle_holds import settle_holds
from services.verdict import Verdict, go_on


def take_steps(job: Job) -> Verdict:
    """As far as this turn comes. Raises the clients' errors."""
    if job.run.kind == RunKind.DISCONNECTION:
        return disconnect(job)
    if job.run.kind == RunKind.OBSERVATION:
        observe_xero(job)
        return Verdict(RunState.DONE)
    if job.run.kind == RunKind.ACCOUNTS:
        return follow_accounts(job)
    if job.run.prepared_at is None and not _prepare(job):
        return go_on(job)
    return post_due(job)


def _prepare(job: Job) -> bool:
    """Accounts, then transactions, then holds; whether all was read. What fails for one account fails for it alone."""
    chart, in_qonto = provision_accounts(job)
    reading = read_accounts(job, accounts_to_read(job.connection, in_qonto))
    settle_holds(job, chart.active_codes())
    if not reading.is_cut_short and not job.problems:
        job.run.prepared_at = job.now()
        with job.holding():
            SyncRun.update(prepared_at=job.run.prepared_at).where(SyncRun.id == job.run.id).execute()
    return not reading.is_cut_short
