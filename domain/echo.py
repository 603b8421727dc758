"""Xero's answers held against what was sent: whether a created row is as it was meant, and which row was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeVar


class Echo(Protocol):
    """What an answered element shows of the one that was sent; what is empty is not shown."""

    @property
    def type(self) -> str: ...
    @property
    def total(self) -> Decimal: ...
    @property
    def day(self) -> date | None: ...
    @property
    def account_id(self) -> str: ...
    @property
    def currency_code(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def contact_name(self) -> str: ...
    @property
    def messages(self) -> list[str]: ...


Sent = Mapping[str, Any]  # an element of a frozen request
Answer = TypeVar("Answer", bound=Echo)


def differences(sent: Sent, currency: str, echo: Echo) -> str:
    """Return in words what an answer shows otherwise than it was sent, empty if nothing.

    What is missing in the answer is no difference.
    """
    pairs = [*_money(sent, echo), ("currency", currency, echo.currency_code)]
    return ", ".join(
        f"{name} {meant} is {shown} in Xero"
        for name, meant, shown in pairs
        if shown and shown.casefold() != meant.casefold()
    )


def refused_elements(sent: Sequence[Sent], refused: Sequence[Answer]) -> list[tuple[Sent, Answer]]:
    """Return which element each refusal without a link is of; nothing unless every element has exactly one.

    An element and a refusal belong together when no other can belong to either. Refusals in the same words are alike.
    """
    if not sent or len(sent) != len(refused):
        return []
    left, open_refusals, pairs = list(sent), list(refused), []
    while left:
        pair = _only_pair(left, open_refusals)
        if pair is None:
            break
        left.remove(pair[0])
        open_refusals = [one for one in open_refusals if one is not pair[1]]
        pairs.append(pair)
    if left and not _are_alike(left, open_refusals):
        return []
    return [*pairs, *zip(left, open_refusals, strict=True)]


def _only_pair(sent: Sequence[Sent], refused: Sequence[Answer]) -> tuple[Sent, Answer] | None:
    for answer in refused:
        of = [element for element in sent if _may_be(element, answer)]
        if len(of) == 1:
            return of[0], answer
    for element in sent:
        answers = [answer for answer in refused if _may_be(element, answer)]
        if len(answers) == 1:
            return element, answers[0]
    return None


def _are_alike(sent: Sequence[Sent], refused: Sequence[Echo]) -> bool:
    """Return whether it makes no difference which refusal is of which element."""
    fits = all(_may_be(element, answer) for element in sent for answer in refused)
    return fits and len({tuple(answer.messages) for answer in refused}) == 1


def _may_be(sent: Sent, echo: Echo) -> bool:
    names = (
        ("reference", sent.get("Reference", ""), echo.reference),
        ("contact", sent["Contact"]["Name"], echo.contact_name),
    )
    pairs = (*_money(sent, echo), *names)
    return all(not shown or shown.casefold() == meant.casefold() for _, meant, shown in pairs)


def _money(sent: Sent, echo: Echo) -> Iterator[tuple[str, str, str]]:
    """Yield account, direction, amount and date: the name, what was sent, and what is shown."""
    yield "account", sent["BankAccount"]["AccountID"], echo.account_id
    yield "direction", sent["Type"], echo.type
    amount = Decimal(str(sent["LineItems"][0]["UnitAmount"]))
    yield "amount", f"{amount:.2f}", f"{echo.total:.2f}" if echo.total else ""
    yield "date", sent["Date"], str(echo.day or "")
