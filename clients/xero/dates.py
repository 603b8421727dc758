"""Xero's notations of a moment: `/Date(1546214400000+0000)/`, and ISO 8601, which is UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS = re.compile(r"/Date\((-?[0-9]{1,15})([+-][0-9]{4})?\)/")


def moment_of(text: str) -> datetime | None:
    """Return the moment, `None` when none is given: an empty text, or one in the year 1. Raises ValueError."""
    if text == "":
        return None
    found = MILLISECONDS.fullmatch(text)
    try:
        moment = EPOCH + timedelta(milliseconds=int(found[1])) if found else datetime.fromisoformat(text)
    except OverflowError as error:
        raise ValueError("a moment beyond the calendar") from error
    return None if moment.year == 1 else moment.replace(tzinfo=moment.tzinfo or UTC)


def day_of(text: str) -> date | None:
    """Return the calendar date, which Xero writes as its midnight; `None` when none is given. Raises ValueError."""
    moment = moment_of(text)
    return moment.date() if moment else None
