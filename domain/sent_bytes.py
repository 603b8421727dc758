"""The bytes of a request held against what we say was in it: side, amount and date of each transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.money import to_decimal


class Claimed(Protocol):
    """What our record says that we sent of a transaction."""

    @property
    def transaction_id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def amount_cents(self) -> int: ...
    @property
    def date(self) -> date: ...


def elements_of(body: bytes) -> dict[str, Any]:
    """Return the elements of a frozen request, by their links."""
    elements = json.loads(body, parse_float=Decimal)["BankTransactions"]
    return {str(element["Url"]): element for element in elements}


def disagreements(body: bytes, claimed: Iterable[Claimed]) -> Iterator[str]:
    """The ids of transactions of which the bytes say something else than our record, or nothing."""
    sent = elements_of(body)
    for one in claimed:
        meant = ("RECEIVE" if one.side == "credit" else "SPEND", to_decimal(one.amount_cents), str(one.date))
        if one.url not in sent or _said(sent[one.url]) != meant:
            yield one.transaction_id


def _said(element: Mapping[str, Any]) -> tuple[str, Decimal, str]:
    return element["Type"], Decimal(element["LineItems"][0]["UnitAmount"]), element["Date"]
