"""Xero's currencies: those that the organisation has added, its base currency among them."""

from __future__ import annotations

import msgspec

from clients.decoding import Id, UnreadableRow, decode_rows
from clients.xero.client import Xero

CALL = "Xero GET /Currencies"


class _Currency(msgspec.Struct, rename="pascal"):
    code: Id


def list_currencies(xero: Xero) -> set[str]:
    """Return their ISO 4217 codes, of those that can be read."""
    found = decode_rows(xero.call("GET", "/Currencies").body, _Currency, UnreadableRow, CALL, "Currencies")
    return {currency.code for currency in found}
