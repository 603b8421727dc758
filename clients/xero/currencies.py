"""Xero's currencies: those that the organisation has added, its base currency among them."""

from __future__ import annotations

import msgspec

from clients.decoding import decode
from clients.xero.client import Xero


class _Currency(msgspec.Struct, rename="pascal"):
    code: str


class _Answer(msgspec.Struct, rename="pascal"):
    currencies: list[_Currency]


def list_currencies(xero: Xero) -> set[str]:
    """Their ISO 4217 codes."""
    answer = decode(xero.call("GET", "/Currencies").body, _Answer, "Xero GET /Currencies")
    return {currency.code for currency in answer.currencies}
