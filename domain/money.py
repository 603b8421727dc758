"""Money is integer cents; decimals appear only where JSON is written or read. No floats anywhere."""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")


def to_decimal(cents: int) -> Decimal:
    """4730 cents as the exact decimal 47.30, for the wire."""
    return (Decimal(cents) * CENT).quantize(CENT)


def to_cents(amount: Decimal) -> int:
    """47.30 as 4730 cents. Raises ValueError for an amount that is no whole number of cents."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of cents")
    return int(cents)


def signed(side: str, cents: int) -> int:
    """What an amount does to its account's balance: a `credit` raises it, a `debit` lowers it."""
    return cents if side == "credit" else -cents


def in_words(cents: int, currency: str) -> str:
    """For people: `-47.30 EUR`."""
    return f"{to_decimal(cents)} {currency}"
