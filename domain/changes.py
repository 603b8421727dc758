"""What Qonto changed of a transaction since it was stored, and what follows: sent as it is now, or only noted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.money import in_words, signed
from domain.reasons import Excluded, Held

MONEY = ("side", "amount_cents", "currency", "date")  # what a sum or a day in Xero depends on
TEXTS = (
    "local_amount_cents",
    "local_currency",
    "operation_type",
    "label",
    "counterparty",
    "reference",
    "card_last_digits",
)
IN_XERO_ANYHOW = {Held.TWICE_IN_XERO, Held.UNRECOGNISED}  # held, and Xero has it
BY_OUR_RULES = {
    Excluded.NOT_COMPLETED,
    Excluded.NOT_SETTLED,
    Excluded.BEFORE_START,
    Excluded.ZERO_AMOUNT,
    Excluded.EXTERNAL,
    Excluded.TAKEN_BACK,
}  # exclusions that another version, or an earlier start, ends


class Follows(StrEnum):
    """What follows from another version."""

    STORE = "store"  # nothing of it was ever sent: the newest version counts
    WAIT = "wait"  # it is on its way, as it was: look again
    NOTE = "note"  # Xero has it as it was


def what_follows(state: str, reason: str) -> Follows:
    """Return what follows for a posting in this state."""
    if state in {"sending", "uncertain"}:
        return Follows.WAIT
    is_sent = state in {"posted", "deleted_in_xero"} or (state == "held" and reason in IN_XERO_ANYHOW)
    return Follows.NOTE if is_sent else Follows.STORE


def is_older(stored: datetime | None, given: datetime, now: datetime) -> bool:
    """Return whether a version is older than the stored one. One that was dated in the future is older than none."""
    return stored is not None and stored <= now and given < stored


def changed(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the names of what was changed and would be sent otherwise, money first.

    What a shop charged is sent where its currency is another one.
    """
    names = [name for name in (*MONEY, *TEXTS) if stored[name] != given[name]]
    is_own = all(version["local_currency"] == version["currency"] for version in (stored, given))
    return [name for name in names if not (is_own and name.startswith("local_"))]


def moves_money(names: list[str]) -> bool:
    """Return whether a sum or a day in Xero depends on one of these."""
    return any(name in MONEY for name in names)


def described(stored: Mapping[str, Any], given: Mapping[str, Any], names: list[str]) -> str:
    """Return a change in words: money and days as they were and are, texts by their names alone."""
    parts = []
    if {"side", "amount_cents", "currency"}.intersection(names):
        parts.append(f"from {_amount(stored)} to {_amount(given)}")
    if "date" in names:
        parts.append(f"from {stored['date']} to {given['date']}")
    texts = [name.replace("_", " ") for name in names if name in TEXTS]
    return "; ".join([*parts, *([", ".join(texts)] if texts else [])])


def _amount(version: Mapping[str, Any]) -> str:
    return in_words(signed(version["side"], version["amount_cents"]), version["currency"])


def state_after(
    stored: tuple[str, str], first: tuple[str, str], names: list[str], *, settled_otherwise: bool
) -> tuple[str, str] | None:
    """Return a never sent posting's state and reason after another version, `None` when they stay.

    `first` is what it would be if it were read for the first time. What waits for something outside goes on waiting;
    what Xero rejected is tried as it is now.
    """
    state, reason = stored
    if state == "excluded":
        return first if reason in BY_OUR_RULES and first != stored else None
    if not names and not settled_otherwise:
        return None
    if first[0] == "excluded" and (first[1] != Excluded.BEFORE_START or settled_otherwise):
        return first
    if first == ("held", Held.CURRENCY_DIFFERS):
        return first if stored != first else None
    if reason == Held.CURRENCY_DIFFERS or state == "rejected":
        return "due", ""
    return None
