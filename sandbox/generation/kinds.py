"""What one transaction is about."""

import random
from dataclasses import dataclass

from sandbox.generation.names import counterparty

_FOREIGN = ("USD", "GBP", "CHF", "JPY", "SEK")


@dataclass(frozen=True, slots=True)
class Sketch:
    """A transaction before it has an account and a time."""

    side: str
    amount_cents: int
    operation_type: str
    label: str
    counterparty: str | None
    status: str = "completed"
    reference: str | None = None
    local_amount_cents: int | None = None
    local_currency: str | None = None
    card_last_digits: str | None = None
    days_before: int = 0
    internal: bool = False


def sketch(source: random.Random, hostile: bool) -> Sketch:
    """A plausible transaction; about one in twelve is pending, declined or of zero."""
    name = counterparty(source, hostile)
    chance = source.random()
    if chance < 0.35:
        return _card(source, name)
    if chance < 0.42:
        return Sketch("debit", source.choice((900, 1900, 2900, 4900)), "qonto_fee", "Qonto", "Qonto")
    status = source.choices(("completed", "pending", "declined"), (94, 4, 2))[0]
    amount_cents = 0 if source.random() < 0.01 else _amount_cents(source)
    reference = f"INV-{source.randint(1, 99999)}" if source.random() < 0.5 else None
    if chance < 0.65:
        return Sketch("credit", amount_cents, "income", name or "", name, status, reference)
    if chance < 0.80:
        return Sketch("debit", amount_cents, "direct_debit", name or "", name, status, reference)
    return Sketch("debit", amount_cents, "transfer", name or "", name, status, reference)


def _card(source: random.Random, name: str | None) -> Sketch:
    amount_cents = _amount_cents(source)
    foreign = source.random() < 0.25
    return Sketch(
        side="debit",
        amount_cents=amount_cents,
        operation_type="card",
        label=(name or "").upper(),
        counterparty=name,
        status=source.choices(("completed", "pending", "declined"), (90, 7, 3))[0],
        local_amount_cents=amount_cents * source.randint(80, 130) // 100 if foreign else None,
        local_currency=source.choice(_FOREIGN) if foreign else None,
        card_last_digits=f"{source.randint(0, 9999):04d}",
        days_before=source.choice((0, 1, 2, 3, 9)),
    )


def _amount_cents(source: random.Random) -> int:
    """Mostly small, sometimes large."""
    return source.choice((source.randint(1, 999), source.randint(100, 50_000), source.randint(10_000, 5_000_000)))
