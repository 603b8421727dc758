"""Send everything that is due, fifty rows a request: intent first, then the request, then its outcome."""

from __future__ import annotations

from collections.abc import Iterator

from models.posting import due_postings
from models.posting_batch import PostingBatch
from services.freeze_batch import freeze_batch
from services.job import Job
from services.send_batches import send_batches


def post_transactions(job: Job) -> bool:
    """Whether nothing is left to send: `False` when the turn is over first. Raises what `send_batches` raises."""
    batches = _Due(job)
    send_batches(job, batches)
    return batches.is_exhausted


class _Due(Iterator[PostingBatch]):
    """One frozen batch after the other, until nothing is due or the turn is over."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.is_exhausted = False

    def __next__(self) -> PostingBatch:
        stopped = self._job.time_is_up()
        batch = None if stopped else freeze_batch(self._job)
        if batch is None:
            self.is_exhausted = not stopped or not due_postings(self._job.connection.id, 1)
            raise StopIteration
        return batch
