"""Which of Qonto's transactions go to Xero, and why the others do not."""

from __future__ import annotations

from datetime import datetime

from domain.reasons import Excluded


def why_excluded(
    *, status: str, settled_at: datetime | None, amount_cents: int, is_external: bool, starts_at: datetime
) -> Excluded | None:
    """The reason a transaction is never sent; `None` means that it is.

    Identity is Qonto's id alone, so nothing here looks at date, amount or text of another transaction.
    """
    if status != "completed":
        return Excluded.NOT_COMPLETED
    if settled_at is None:
        return Excluded.NOT_SETTLED
    if is_external:
        return Excluded.EXTERNAL
    if settled_at < starts_at:
        return Excluded.BEFORE_START
    return Excluded.ZERO_AMOUNT if amount_cents == 0 else None
