"""Numbers that others write in headers and answers: read without raising, and capped to what makes sense."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

A_DAY = timedelta(days=1)  # the longest that a limit of Xero's or Qonto's, or an access token, can last
SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"  # RFC 9110, the only form that is still sent
MOST_DIGITS = 9  # of a count


def count_of(text: str) -> int | None:
    """Return the count that a header gives, `None` when it gives none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def duration_of(value: Any) -> timedelta | None:
    """Return so many seconds, a number or digits, at most a day; `None` when it is neither, or negative."""
    text = str(value).strip()[:100] if isinstance(value, str | int | float) else ""
    if not SECONDS.fullmatch(text):
        return None
    return timedelta(seconds=min(float(text), A_DAY.total_seconds()))


def retry_after(text: str, now: datetime) -> timedelta | None:
    """Return how long a Retry-After asks to wait, seconds or a date, at most a day; `None` when it asks nothing."""
    if (asked := duration_of(text)) is not None:
        return asked
    try:
        until = datetime.strptime(text.strip(), HTTP_DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
    return min(max(until - now, timedelta(0)), A_DAY)
