"""The bytes of a request held against what we say was in it: side, amount and date of each transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Protocol

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


def disagreements(body: bytes, claimed: Iterable[Claimed]) -> Iterator[str]:
    """Each transaction of which the bytes say something else than our record, in words."""
    elements = json.loads(body, parse_float=Decimal)["BankTransactions"]
    sent = {element["Url"]: element for element in elements}
    for one in claimed:
        element = sent.get(one.url)
        if element is None:
            yield f"{one.transaction_id} is not in the request that we say it was in"
            continue
        says = (element["Type"], Decimal(element["LineItems"][0]["UnitAmount"]), element["Date"])
        meant = ("RECEIVE" if one.side == "credit" else "SPEND", to_decimal(one.amount_cents), str(one.date))
        if says != meant:
            yield f"{one.transaction_id} was sent as {_words(says)} and is recorded as {_words(meant)}"


def _words(told: tuple[object, ...]) -> str:
    return " ".join(map(str, told))
