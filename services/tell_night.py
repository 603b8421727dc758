"""Tell Qonto's core how a night ended: that it is done, and what a person should know of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from domain.account_choice import IN_USE
from domain.core_event import Told
from domain.reasons import Noted, Unfinished, sentence
from models.left_over import Left, LeftOver, left_over
from models.states import RunState
from models.sync_run import counts_of
from services.job import Job
from services.tell_core import tell_core
from services.verdict import Verdict


def tell_night(job: Job, verdict: Verdict, now: datetime) -> None:
    """Call it in the transaction that ends the night. A night that is run once more ends, and is told, once more.

    One that failed because its connection broke or ended is not told: the connection's own events say it.
    """
    if verdict.state == RunState.FAILED and verdict.unfinished is None:
        return
    left = left_over(job.connection, job.run.id, IN_USE)
    night = {"local_date": job.run.local_date, "finished_at": now}
    if verdict.state == RunState.DONE:
        held = {one.reason: one.count for one in left if one.what == Left.HELD}
        tell_core(Told.COMPLETED, job.connection, now, **night, **counts_of(job.run.id), held=held)
    problems = [*_failure(verdict.unfinished, left), *_problems(left)]
    if problems:
        tell_core(Told.PROBLEM, job.connection, now, **night, state=verdict.state, problems=problems)


def _failure(why: Unfinished | None, left: Sequence[LeftOver]) -> Iterator[dict[str, Any]]:
    if why:
        yield _problem(why, transactions=sum(one.count for one in left if one.what == Left.UNDER_WAY))


def _problems(left: Sequence[LeftOver]) -> Iterator[dict[str, Any]]:
    """One for each reason, whether it is transactions that wait for it, or accounts."""
    transactions = {one.reason: one.count for one in left if one.what in {Left.HELD, Left.REJECTED}}
    accounts = {one.reason or Noted.CHAIN: one.count for one in left if one.what in {Left.ACCOUNT, Left.CHAIN}}
    for reason in sorted(transactions.keys() | accounts.keys()):
        yield _problem(reason, transactions=transactions.get(reason, 0), accounts=accounts.get(reason, 0))


def _problem(code: str, *, transactions: int, accounts: int = 0) -> dict[str, Any]:
    return {"code": code, "sentence": sentence(code), "transactions": transactions, "accounts": accounts}
