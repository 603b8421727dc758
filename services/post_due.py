"""Bring everything of a connection that is due, or under way, as far as it may go now."""

from __future__ import annotations

from clients.errors import Permanent, Unreadable
from models.states import RunState
from services.job import Job
from services.post_transactions import post_transactions
from services.recover_batches import look_up_batches, replay_batches
from services.verdict import Verdict, go_on, look_up_later, try_later, uncertain_until
from services.verify import verify


def post_due(job: Job) -> Verdict:
    """What a restored database has forgotten is looked for first, what Xero has been sent without an answer last.

    So a look-up that fails, or takes long, keeps nothing waiting.
    """
    if may_send_at := verify(job):
        return uncertain_until(may_send_at)
    replay_batches(job)
    if not post_transactions(job):
        return go_on(job)
    if look_up_batches(job) and not post_transactions(job):  # what Xero does not have is due again
        return go_on(job)
    if wake_at := replay_batches(job):
        return uncertain_until(wake_at)
    if job.problems:
        return try_later(job, "; ".join(job.problems))
    return _what_is_in_doubt(job) or Verdict(RunState.DONE, "; ".join(job.notes))


def _what_is_in_doubt(job: Job) -> Verdict | None:
    """What cannot be looked up holds itself. While that may pass, this run comes back for it; then the next night."""
    problems = [f"batch {number} cannot be looked up: {error}" for number, error in job.doubts.items()]
    may_pass = any(not isinstance(error, (Permanent, Unreadable)) for error in job.doubts.values())
    later = look_up_later(job, "; ".join(problems), may_pass=may_pass) if problems else None
    job.notes += problems
    return later
