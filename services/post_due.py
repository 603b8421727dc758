"""Bring everything of a connection that is due, or under way, as far as it may go now."""

from __future__ import annotations

from models.states import RunState
from services.job import Job
from services.post_transactions import post_transactions
from services.recover_batches import recover_batches
from services.verdict import Verdict, go_on, try_later, uncertain_until
from services.verify import verify


def post_due(job: Job) -> Verdict:
    """What a restored database has forgotten is looked for first; what has no outcome is recovered, then and after."""
    if may_send_at := verify(job):
        return uncertain_until(may_send_at)
    wake_at = recover_batches(job)
    if not post_transactions(job):
        return go_on(job)
    wake_at = min(filter(None, (wake_at, recover_batches(job))), default=None)
    if wake_at:
        return uncertain_until(wake_at)
    if job.problems:
        return try_later(job, "; ".join(job.problems))
    return Verdict(RunState.DONE, "; ".join(job.notes))
