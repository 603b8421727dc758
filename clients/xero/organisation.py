"""Xero's organisation: its name and its lock dates."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import msgspec

from clients.decoding import decode
from clients.errors import Temporary
from clients.xero.client import Xero

MILLISECONDS = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")


class XeroOrganisation(msgspec.Struct, rename="pascal"):
    """`..._lock_date` are in Xero's `/Date(milliseconds)/` form and absent when not set."""

    organisation_id: str = msgspec.field(name="OrganisationID")
    name: str
    base_currency: str = ""
    country_code: str = ""
    short_code: str = ""
    period_lock_date: str = ""
    end_of_year_lock_date: str = ""

    def locked_until(self) -> date | None:
        """The last locked day, `None` when nothing is locked."""
        set_dates = [read_date(text) for text in (self.period_lock_date, self.end_of_year_lock_date) if text]
        return max(set_dates, default=None)


class _Answer(msgspec.Struct, rename="pascal"):
    organisations: list[XeroOrganisation]


def read_organisation(xero: Xero) -> XeroOrganisation:
    found = decode(xero.call("GET", "/Organisation").body, _Answer, "Xero GET /Organisation").organisations
    if not found:
        raise Temporary("Xero GET /Organisation", "the answer names no organisation")
    return found[0]


def read_date(text: str) -> date:
    """The calendar date in `/Date(1546214400000+0000)/`, which is midnight UTC of that date."""
    match = MILLISECONDS.fullmatch(text)
    if not match:
        raise Temporary("Xero GET /Organisation", "a lock date is not in Xero's date form")
    return datetime.fromtimestamp(int(match[1]) / 1000, UTC).date()
