"""Qonto, our record and Xero compared for one organisation, as part of every night's sample; what it finds is kept."""

from __future__ import annotations

import logging

from models.invariant_check import store_check
from models.states import RunState
from services.check import check
from services.job import Job
from services.verdict import Verdict

log = logging.getLogger(__name__)

INSPECTED = ("I1", "I17")  # what only Xero's own books can say: nothing twice, and every sum right
MOST_EXAMPLES = 20


def inspect_books(job: Job) -> Verdict:
    """It reads and compares; it sends nothing and mends nothing. Raises the clients' errors."""
    found = check(job.connection, job.qonto, job.xero, job.now(), job.app_url)
    for line in found.invariants:
        if line.name in INSPECTED:
            if not line.holds:
                log.error("organisation %s violates %s %s times", job.organisation.id, line.name, len(line.violations))
            with job.holding():
                store_check(
                    *(line.name, job.organisation.id, len(line.violations)), line.violations[:MOST_EXAMPLES], job.now()
                )
    return Verdict(RunState.DONE, "" if found.holds else "it does not hold: `qonto-xero check` says what")
