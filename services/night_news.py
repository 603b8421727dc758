"""What Qonto's core is told of a night as it ends: that it is done, and what a person should know of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from domain.account_choice import IN_USE
from domain.core_event import Told
from domain.reasons import Excluded, Noted, Unfinished, sentence
from models.left_over import Left, LeftOver, left_over
from models.states import OPEN_RUN_STATES, RunState
from models.sync_run import counts_of
from services.job import Job
from services.verdict import Verdict

OF_TRANSACTIONS = {
    *(Left.HELD, Left.REJECTED, Left.LEFT_OUT, Left.UNCERTAIN),
    *(Left.AWAITED, Left.CHANGED, Left.TAKEN_BACK, Left.ECHO),
}
OF_ACCOUNTS = {Left.ACCOUNT, Left.CHAIN, Left.DRIFT, Left.UNREAD}
REASONS = {
    Left.CHAIN: Noted.CHAIN,
    Left.DRIFT: Noted.BALANCE,
    Left.CHANGED: Noted.CHANGED,
    Left.TAKEN_BACK: Noted.TAKEN_BACK,
    Left.ECHO: Noted.ECHO,
}  # of kinds that have one reason

News = tuple[Told, dict[str, Any]]  # an event's type, and its data but for whose it is


def night_news(job: Job, verdict: Verdict, now: datetime) -> list[News]:
    """What there is to tell of a night that ends so now. Read before its last transaction, which others wait for: under
    the lease nobody changes what is counted here.

    A night that failed because its connection broke or ended is no news: the connection's own events say it. One that
    is run once more ends, and is told, once more.
    """
    if verdict.state in OPEN_RUN_STATES or (verdict.state == RunState.FAILED and verdict.unfinished is None):
        return []
    left = left_over(job.connection, job.run.id, IN_USE, Excluded.ACCOUNT_GONE)
    night = {"local_date": job.run.local_date, "finished_at": now}
    news: list[News] = []
    if verdict.state == RunState.DONE:
        held = {one.reason: one.count for one in left if one.what == Left.HELD}
        news.append((Told.COMPLETED, {**night, **counts_of(job.run.id), "held": held}))
    problems = [*_failure(verdict.unfinished, left), *_problems(left)]
    if problems:
        news.append((Told.PROBLEM, {**night, "state": verdict.state, "problems": problems}))
    return news


def _failure(why: Unfinished | None, left: Sequence[LeftOver]) -> Iterator[dict[str, Any]]:
    if why:
        yield _problem(why, transactions=sum(one.count for one in left if one.what == Left.UNDER_WAY))


def _problems(left: Sequence[LeftOver]) -> Iterator[dict[str, Any]]:
    """One for each reason, whether it is transactions that wait for it, or accounts."""
    transactions = {_reason(one): one.count for one in left if one.what in OF_TRANSACTIONS}
    accounts = {_reason(one): one.count for one in left if one.what in OF_ACCOUNTS}
    for reason in sorted(transactions.keys() | accounts.keys()):
        yield _problem(reason, transactions=transactions.get(reason, 0), accounts=accounts.get(reason, 0))


def _reason(one: LeftOver) -> str:
    return one.reason or REASONS[one.what]


def _problem(code: str, *, transactions: int, accounts: int = 0) -> dict[str, Any]:
    return {"code": code, "sentence": sentence(code), "transactions": transactions, "accounts": accounts}
