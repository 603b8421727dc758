"""Qonto's transactions as a night reads them, for whoever stores them and for whoever only plans to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clients.errors import Unreadable
from clients.qonto.client import Qonto
from clients.qonto.transactions import CALL, Page, Transaction, list_transactions
from domain.eligibility import why_excluded
from domain.reasons import Excluded
from domain.walk import TICK, Position, next_position, reached
from models.bank_account import Cursor, cursor_of
from models.organisation import Connection, first_start

MOST_PASSES = 5  # through a crowd that people go on editing
MOST_PAGES = 1_000  # of one moment: 100,000 rows
OVERLAP = timedelta(hours=1)  # read again what may have been committed late with an earlier `updated_at`


def read_from(connection: Connection, cursor: Cursor | None) -> datetime:
    """Return where a night begins to read an account: a little before where the last one ended.

    An account that was never read is read from the first start on: what settled before a later one is left out by name.
    """
    since: datetime = cursor.read_until if cursor else connection.starts_at
    if cursor is None:
        since = min(since, first_start(connection.organisation_id, connection.tenant_id) or since)
    return since - OVERLAP


def unread_pages(connection: Connection, qonto: Qonto, bank_account_id: str) -> Iterator[Page]:
    """Yield the pages of an account that its next night will read; rows may come twice, and be known already."""
    return walk(qonto, bank_account_id, read_from(connection, cursor_of(connection.id, bank_account_id)))


def unread(connection: Connection, qonto: Qonto, bank_account_id: str) -> Iterator[Transaction]:
    """Yield the rows of those pages."""
    for page in unread_pages(connection, qonto, bank_account_id):
        yield from page.rows


def walk(qonto: Qonto, bank_account_id: str, updated_from: datetime) -> Iterator[Page]:
    """Every page of an account's completed transactions from a moment on; rows may come twice, none is passed over.

    A further page of a moment that brings nothing new is the last. Raises Unreadable for a moment without an end.
    """
    position: Position | None = Position(updated_from)
    seen: set[str | bytes] = set()  # the rows read from this position's moment on
    while position:
        if position.page > MOST_PAGES:
            raise Unreadable(CALL, f"more than {MOST_PAGES} pages of one moment")
        page = list_transactions(qonto, bank_account_id, position.updated_from, position.page)
        yield page
        repeats = position.page > 1 and _rows_of(page) <= seen
        seen |= _rows_of(page)
        last = last_moment(page, qonto.clock())
        following = next_position(position, last or position.updated_from, more=page.more and not repeats)
        if following is None or following.page == 1:
            yield from _read_crowd_again(qonto, bank_account_id, position, seen)
            seen = set()
        position = following


def _read_crowd_again(qonto: Qonto, bank_account_id: str, end: Position, seen: set[str | bytes]) -> Iterator[Page]:
    """The pages of a crowd, rows of one moment, until a whole pass brings nothing new.

    A row of it that is edited between two pages leaves, and another slips over the edge to a page that was read.
    """
    if end.page == 1:
        return
    for _ in range(MOST_PASSES):
        known = len(seen)
        for number in range(1, end.page + 1):
            page = list_transactions(qonto, bank_account_id, end.updated_from, number)
            yield page
            seen |= _rows_of(page)
            if not page.more:
                break
        if len(seen) == known:
            return


def _rows_of(page: Page) -> set[str | bytes]:
    """Return what tells the rows of a page apart: their ids, or their bytes where those cannot be read."""
    return {row.id for row in page.rows} | {odd.payload for odd in page.unreadable}


def around(qonto: Qonto, bank_account_id: str, moment: datetime) -> Iterator[Page]:
    """Yield the pages of an account's list that hold what was updated at a moment."""
    for page in walk(qonto, bank_account_id, moment - TICK):
        yield page
        last = last_moment(page, qonto.clock())
        if last and last > moment:
            return


def last_moment(page: Page, now: datetime) -> datetime | None:
    """Return the moment up to which a page shows the list, `None` when a moment on it is wrong."""
    return reached([row.updated_at for row in page.rows], now)


def is_ours(connection: Connection, row: Transaction) -> bool:
    """Whether a row is settled, and settled since the connection began."""
    return row.status == "completed" and row.settled_at is not None and row.settled_at >= connection.starts_at


def exclusion(connection: Connection, row: Transaction, *, is_external: bool) -> Excluded | None:
    """Why a row is never sent over this connection; `None` means that it is."""
    return why_excluded(
        status=row.status,
        settled_at=row.settled_at,
        amount_cents=row.amount_cents,
        is_external=is_external or row.is_external_transaction,
        starts_at=connection.starts_at,
    )
