"""Send everything that is due, fifty rows a request: intent first, then the request, then its outcome."""

from __future__ import annotations

from collections.abc import Iterator

from domain.bank_transaction import BATCH_ROWS
from models.due_posting import DuePosting, due_postings, next_together
from models.posting_batch import PostingBatch
from services.freeze_batch import freeze_batch
from services.job import TURN_TRANSACTIONS, Job
from services.send_batches import send_batches


def post_transactions(job: Job) -> bool:
    """Whether nothing is left to send: `False` when the turn is over first. Raises what `send_batches` raises."""
    batches = _Batches(job)
    send_batches(job, iter(batches))
    return batches.are_exhausted


class _Batches:
    """One frozen batch after the other, until nothing is due or the turn is over. What is due is read ahead."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.are_exhausted = False

    def __iter__(self) -> Iterator[PostingBatch]:
        due: list[DuePosting] = []
        while not self._job.time_is_up():
            due = due or due_postings(self._job.connection.id, TURN_TRANSACTIONS)
            if not due:
                self.are_exhausted = True
                return
            together, due = next_together(due, BATCH_ROWS)
            if batch := freeze_batch(self._job, together):
                yield batch
        self.are_exhausted = not due and not due_postings(self._job.connection.id, 1)
