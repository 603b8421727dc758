"""Xero's organisation: its name and its lock dates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec

from clients.decoding import SPARE, Text, UnreadableRow, decode_rows
from clients.errors import Unreadable
from clients.xero.client import Xero
from clients.xero.dates import day_of

CALL = "Xero GET /Organisation"


class XeroOrganisation(msgspec.Struct, rename="pascal"):
    """`..._lock_date` are in one of Xero's notations, and absent or in the year 1 when not set."""

    name: Text = ""
    base_currency: Text = ""
    country_code: Text = ""
    short_code: Text = ""
    period_lock_date: Annotated[Any, SPARE] = None
    end_of_year_lock_date: Annotated[Any, SPARE] = None

    def locked_until(self) -> date | None:
        """Return the last locked day, `None` when nothing is locked. Raises Unreadable for another notation."""
        days = [_lock_date(written) for written in (self.period_lock_date, self.end_of_year_lock_date)]
        return max((day for day in days if day), default=None)


def read_organisation(xero: Xero) -> XeroOrganisation:
    """Return the organisation that the client is for. Raises Temporary when the answer names none."""
    found = decode_rows(xero.call("GET", "/Organisation").body, XeroOrganisation, UnreadableRow, CALL, "Organisations")
    if not found:
        raise found.missing(CALL, "the answer names no organisation")
    return found[0]


def _lock_date(written: Any) -> date | None:
    if written is None:
        return None
    try:
        return day_of(written)
    except (TypeError, ValueError) as error:
        raise Unreadable(CALL, "a lock date is in none of Xero's notations") from error
