"""Waiting without being in the way: what is measured shares the machine with whoever looks."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.stage import Show
from tests.acceptance.processes import NIGHT_DATE, Company

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 900.0

ENDED_RUNS = "SELECT state, reason, count(*) FROM sync_run WHERE kind = %s AND local_date = %s GROUP BY state, reason"
UNSENT = "SELECT count(*) FROM outbox_message WHERE sent_at IS NULL"
UNANNOUNCED = "SELECT count(*) FROM sync_run WHERE state = 'due' AND wave = ''"


def wait(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return soon after `condition()` holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(LOOK_SECONDS)


def wait_until_done(company: Company, kind: str, organisations: int, date: str = NIGHT_DATE) -> None:
    """Return when so many runs are done. Raises RuntimeError when one ended otherwise."""

    def over() -> bool:
        ended = company.query(ENDED_RUNS, kind, date)
        failed = [row for row in ended if row[0] == "failed"]
        if failed:
            raise RuntimeError(f"runs failed: {failed}")
        return bool(sum(count for state, _, count in ended if state == "done") >= organisations)

    wait(over, f"{organisations} {kind} runs to be done")


def wait_until_announced(company: Company) -> None:
    """Return when RabbitMQ has a message for every run that is due."""

    def announced() -> bool:
        return all(company.query(count)[0][0] == 0 for count in (UNANNOUNCED, UNSENT))

    wait(announced, "every message to be published")


def wait_until_listening(show: Show, queue: str) -> None:
    """Return when a worker reads the queue."""
    wait(lambda: show.is_listened_to(queue), f"a worker to listen to {queue}")
