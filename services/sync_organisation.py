"""One turn of a run: read accounts, read transactions, recover, post, and say what is left and when to look again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from clients.errors import Permanent, RateLimited, Refused, Temporary, Unreadable
from domain.call_limits import ACCOUNTS, NIGHT, PERSON, Share
from domain.reasons import Broken, Unfinished, Waits
from domain.time_zones import UnknownTimeZone, is_known
from failpoints import hit
from log_context import logging_with
from models.access_refusal import forget_refusals
from models.due_posting import is_any_due
from models.lease import LEASE, Lease, LeaseLost, take_lease
from models.organisation import Connection, Organisation
from models.outbox import announce
from models.pause import pause_tenant, paused_until
from models.statements import load
from models.states import OPEN_RUN_STATES, ConnectionState, RunKind, RunState
from models.sync_run import SILENCE, SyncRun, new_wave, open_run
from services.follow_accounts import close_accounts_run
from services.job import Job
from services.judge_refusal import judge_refusal
from services.night_news import night_news
from services.steps import take_steps
from services.tell_core import tell_core
from services.verdict import Verdict, ask_again, go_on, try_later
from services.workbench import Workbench

log = logging.getLogger(__name__)

ACTOR = "organisation.sync"  # the job's name on the wire: stable, because messages outlive deploys
SHARES: dict[str, Share] = {
    RunKind.MANUAL: PERSON,
    RunKind.VERIFICATION: PERSON,
    RunKind.ACCOUNTS: ACCOUNTS,
}  # of Xero's and Qonto's limits; the others have the night's
MOST_STARTS = 3  # workers in a row that may die over a run
STAGGER, STAGGERED = timedelta(seconds=2), 8  # a dead worker's runs come back apart: one that kills is alone then


def sync_organisation(run_id: int, workbench: Workbench, stopping: Callable[[], bool]) -> None:
    """Work on a run for one turn. Safe to say often, also at the same moment: one worker gets the lease."""
    hit("recv")
    run = open_run(run_id)
    if run is not None:
        with logging_with(run_id=run.id, organisation_id=run.organisation_id):
            _sync(run, workbench, stopping)


def _sync(run: SyncRun, workbench: Workbench, stopping: Callable[[], bool]) -> None:
    """Under the organisation's lease, if it can be had."""
    lease = take_lease(run.organisation_id, uuid4().hex, workbench.clock)
    if lease is None:
        _wait_in_line(run, workbench.clock())
        return
    try:
        still_open = open_run(run.id)
        if still_open is not None:
            hit("leased")
            job = _begin(still_open, lease, workbench, stopping)
            try:
                _end(job, _turn(job))
            finally:
                job.in_flight.close()
    except LeaseLost as error:
        log.warning("stopped: %s", error)
        _wait_in_line(run, workbench.clock())
    finally:
        lease.release()


def _wait_in_line(run: SyncRun, now: datetime) -> None:
    """The organisation's lease is held: for another run, or for this very one, by a worker alive or dead.

    Due at once, because nobody is woken while the lease is held; the worker that has it says anew when it ends.
    """
    SyncRun.update(wake_at=now, wave="").where((SyncRun.id == run.id) & SyncRun.state.in_(OPEN_RUN_STATES)).execute()
    told = {"reason": "waits for another run of this organisation", "code": Waits.IN_LINE}
    SyncRun.update(state=RunState.WAITING, **told).where(
        (SyncRun.id == run.id) & SyncRun.state.in_((RunState.DUE, RunState.WAITING))
    ).execute()


def _begin(run: SyncRun, lease: Lease, workbench: Workbench, stopping: Callable[[], bool]) -> Job:
    """Count the start before the work, so that a run that kills its worker is seen to do so."""
    connection = load(Connection, run.connection_id)
    now, share = workbench.clock(), SHARES.get(run.kind, NIGHT)
    with lease.holding():
        SyncRun.update(
            state=RunState.RUNNING,
            turns=SyncRun.turns + 1,
            starts=SyncRun.starts + 1,
            wake_at=now + LEASE + STAGGER * (run.id % STAGGERED),
            wave="",
            started_at=run.started_at or now,
        ).where(SyncRun.id == run.id).execute()
    return Job(
        run=load(SyncRun, run.id),
        connection=connection,
        organisation=load(Organisation, run.organisation_id),
        lease=lease,
        qonto=workbench.qonto(connection, share),
        xero=workbench.xero(connection, share),
        clock=workbench.clock,
        app_url=workbench.qonto_app_url,
        seal=workbench.keyring.seal,
        stopping=stopping,
        machine_clock=workbench.machine_clock,
        in_flight=workbench.in_flight(),
        rest=workbench.app_share.rest,
    )


def _turn(job: Job) -> Verdict:
    """Take the turn's steps, and turn an error of theirs into what happens to the run."""
    refusal = _why_not(job)
    if refusal:
        return refusal
    try:
        return take_steps(job)
    except RateLimited as error:
        return _wait_for_limit(job, error)
    except Refused as error:
        return judge_refusal(job, error)
    except (Permanent, Unreadable) as error:
        return ask_again(job, error)
    except Temporary as error:
        return try_later(job, str(error))


def _why_not(job: Job) -> Verdict | None:
    """What keeps this turn from doing anything; `None` means go. Nothing keeps a connection from being ended, and only
    a broken one is probed.
    """
    if job.run.kind == RunKind.DISCONNECTION:
        return None
    wanted = ConnectionState.NEEDS_RECONNECT if job.run.kind == RunKind.PROBE else ConnectionState.LIVE
    if job.connection.state != wanted:
        return Verdict(RunState.FAILED, f"the connection is {job.connection.state}", code=Broken.NOT_LIVE)
    if job.run.starts > MOST_STARTS:
        reason = f"its last {MOST_STARTS} workers ended without a word"
        return Verdict(RunState.FAILED, reason, code=Unfinished.INTERRUPTED)
    if job.run.kind != RunKind.OBSERVATION and not is_known(job.organisation.time_zone):
        return Verdict(RunState.FAILED, str(UnknownTimeZone(job.organisation.time_zone)), code=Unfinished.TIME_ZONE)
    until = paused_until(job.tenant_id, job.now())
    return Verdict(RunState.WAITING, "Xero asked us to wait", until, code=Waits.LIMIT) if until else None


def _wait_for_limit(job: Job, error: RateLimited) -> Verdict:
    if error.call.startswith("Xero"):
        with job.holding():
            pause_tenant(job.tenant_id, error.until, error.problem)
    return Verdict(RunState.WAITING, str(error), error.until, code=Waits.LIMIT)


def _end(job: Job, verdict: Verdict) -> None:
    """Write how the turn ended, with the message for the next one if it should come at once.

    The lease ends in the same transaction, or the next worker might find it held and go away again.
    """
    now = job.now()
    news = night_news(job, verdict, now) if job.run.kind == RunKind.NIGHTLY else []
    with job.holding():
        forget_refusals(job.connection.id, job.admitted_by())
        _store(job, verdict, now)
        if job.run.kind == RunKind.ACCOUNTS and verdict.state not in OPEN_RUN_STATES:
            # Only now, with the run's row locked: whoever asks for the run from here on opens it again.
            verdict = close_accounts_run(job, verdict)
            _store(job, verdict, now)
        elif (
            job.run.kind == RunKind.MANUAL
            and verdict.state == RunState.DONE
            and is_any_due(job.connection.id, job.left_out)
        ):
            verdict = go_on(job)  # a person had something sent again meanwhile, and found this run open
            _store(job, verdict, now)
        for told, data in news:
            tell_core(told, job.connection, now, **data)
        if verdict.at_once:
            announce(job.run.lane, ACTOR, now, run_id=job.run.id)
        job.lease.release()
    log.info("run %s is %s", job.run.id, verdict.state)  # its reason may quote Xero's words, so it stays in the row


def _store(job: Job, verdict: Verdict, now: datetime) -> None:
    SyncRun.update(
        state=verdict.state,
        reason=verdict.reason,
        code=verdict.code,
        wake_at=verdict.wake_at or now + SILENCE,
        wave=new_wave() if verdict.at_once else "",
        starts=0,
        failures=job.run.failures + 1 if verdict.failed else 0,
        finished_at=None if verdict.state in OPEN_RUN_STATES else now,
    ).where(SyncRun.id == job.run.id).execute()
