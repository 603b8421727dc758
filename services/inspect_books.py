"""Qonto, our record and Xero compared for one organisation, as part of every night's sample; what it finds is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from clients.xero.bank_transactions import TooManyPages
from domain.ledger_check import Class
from models.invariant_check import store_check
from models.states import RunState
from services.check import Check, check
from services.job import Job
from services.verdict import Verdict

log = logging.getLogger(__name__)

MOST_PAGES = 20  # of a thousand rows: a look must not cost a customer the day's calls


def inspect_books(job: Job) -> Verdict:
    """It reads and compares; it sends nothing and mends nothing. Raises the clients' errors.

    What only Xero's own books can say: nothing is there twice, and what we made is as we made it. What a customer
    changed there since is theirs.
    """
    try:
        found = check(job.connection, job.qonto, job.xero, job.now(), job.app_url, MOST_PAGES)
    except TooManyPages:
        return Verdict(RunState.DONE, "too large to be compared each night: `qonto-xero check` does it")
    _store(job, "I1", [one.transaction_id for one in found.findings if one.what == Class.DUPLICATED])
    _store(job, "I17", _wrongly_made(found))
    return Verdict(RunState.DONE, "" if found.holds else "it does not hold: `qonto-xero check` says what")


def _wrongly_made(found: Check) -> list[str]:
    wrong = [one for one in found.findings if one.what == Class.WRONG_AMOUNT]
    return [one.transaction_id for one in wrong if not set(one.bank_transaction_ids) <= set(found.edited)]


def _store(job: Job, name: str, transactions: Sequence[str]) -> None:
    if transactions:
        log.error("organisation %s violates %s %s times", job.organisation.id, name, len(transactions))
    with job.holding():
        store_check(name, job.organisation.id, transactions, job.now())
