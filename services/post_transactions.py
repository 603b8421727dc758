"""Send everything that is due, fifty rows a request: intent first, then the request, then its outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from domain.bank_transaction import BATCH_ROWS
from models.due_posting import DuePosting, due_alone, due_together, is_any_due
from models.posting_batch import PostingBatch
from services.freeze_batch import freeze_batch
from services.job import TURN_TRANSACTIONS, Job
from services.send_batches import send_batches


def post_transactions(job: Job) -> bool:
    """Return whether nothing is left to send: `False` when the turn is over first. Raises what `send_batches` raises.

    What must travel alone goes last, one request after another, with nothing else of this organisation under way.
    """
    send_batches(job, _batches(job, due_together, BATCH_ROWS))
    for batch in _batches(job, due_alone, 1):
        send_batches(job, iter([batch]))
    return not is_any_due(job.connection.id, job.left_out)


def _batches(
    job: Job, read_due: Callable[[str, int, Collection[str]], list[DuePosting]], rows: int
) -> Iterator[PostingBatch]:
    """Freeze one batch after the other, until nothing is due or the turn is over. What is due is read ahead."""
    due: list[DuePosting] = []
    while not job.time_is_up():
        due = due or read_due(job.connection.id, TURN_TRANSACTIONS, job.left_out)
        if not due:
            return
        if batch := freeze_batch(job, due[:rows]):
            yield batch
        due = due[rows:]
