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
    batches = _Due(job)
    send_batches(job, batches)
    return batches.is_exhausted


class _Due(Iterator[PostingBatch]):
    """One frozen batch after the other, until nothing is due or the turn is over. What is due is read ahead."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._due: list[DuePosting] = []
        self.is_exhausted = False

    def __next__(self) -> PostingBatch:
        while not self._job.time_is_up():
            self._due = self._due or due_postings(self._job.connection.id, TURN_TRANSACTIONS)
            if not self._due:
                self.is_exhausted = True
                break
            together, self._due = next_together(self._due, BATCH_ROWS)
            if batch := freeze_batch(self._job, together):
                return batch
        else:
            self.is_exhausted = not due_postings(self._job.connection.id, 1)
        raise StopIteration
