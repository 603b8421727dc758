"""Varied transactions from a random source, booked so that balances chain."""

from dataclasses import dataclass, replace

from sandbox.generation.kinds import Sketch, sketch
from sandbox.ids import Ids
from sandbox.instants import DAY_MS, HOUR_MS
from sandbox.qonto.account import BankAccount
from sandbox.qonto.bank import Bank
from sandbox.qonto.banking import move_balance
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Period:
    """The time in which rows settle, in milliseconds."""

    from_ms: int
    until_ms: int


def generate_rows(
    bank: Bank,
    organisation: Organisation,
    ids: Ids,
    count: int,
    period: Period,
    now_ms: int,
    *,
    hostile: bool,
    only: BankAccount | None = None,
) -> list[Transaction]:
    """Exactly `count` rows over the organisation's own accounts, or in `only`, booked in order of settlement."""
    accounts = [only] if only else [account for account in organisation.accounts.values() if not account.is_external]
    planned: list[tuple[int, BankAccount, Sketch]] = []
    while accounts and len(planned) < count:
        settled_ms = ids.source.randint(period.from_ms, period.until_ms)
        planned += _occurrence(ids, accounts, settled_ms, hostile)
    del planned[count:]
    planned.sort(key=lambda plan: plan[0])
    rows: dict[str, list[Transaction]] = {}
    for settled_ms, account, one in planned:
        row = _row(bank, ids, account, one, settled_ms, now_ms, len(rows.get(account.id, [])))
        rows.setdefault(account.id, []).append(row)
    for account in accounts:
        organisation.add_rows(account, rows.get(account.id, []))
    return sorted((row for made in rows.values() for row in made), key=lambda row: row.sequence)


def _occurrence(
    ids: Ids, accounts: list[BankAccount], settled_ms: int, hostile: bool
) -> list[tuple[int, BankAccount, Sketch]]:
    """What happens at a time: one row, twins, a payment and its refund, or both sides of an internal transfer."""
    account, chance = ids.source.choice(accounts), ids.source.random()
    one = sketch(ids.source, hostile)
    if chance < 0.06:
        return [(settled_ms, account, one), (settled_ms, account, one)]
    if chance < 0.10 and one.side == "debit" and one.status == "completed":
        refund = replace(one, side="credit", reference="Refund")
        return [(settled_ms, account, one), (settled_ms + 1, account, refund)]
    if chance < 0.16 and len(accounts) > 1:
        other = ids.source.choice([candidate for candidate in accounts if candidate is not account])
        out = Sketch("debit", max(1, one.amount_cents), "transfer", other.name, other.name, internal=True)
        back = replace(out, side="credit", operation_type="income", label=account.name, counterparty=account.name)
        return [(settled_ms, account, out), (settled_ms, other, back)]
    return [(settled_ms, account, one)]


def _row(
    bank: Bank, ids: Ids, account: BankAccount, one: Sketch, settled_ms: int, now_ms: int, offset: int
) -> Transaction:
    emitted_ms = settled_ms - (one.days_before * DAY_MS if one.days_before else ids.source.randint(0, HOUR_MS))
    completed = one.status == "completed"
    row = Transaction(
        id=ids.guid(),
        sequence=bank.next_sequence(),
        slug=f"{account.slug}-transaction-{len(account.transactions) + offset + 1}",
        account_id=account.id,
        side=one.side,
        amount_cents=one.amount_cents,
        currency=account.currency,
        status=one.status,
        operation_type=one.operation_type,
        label=one.label,
        counterparty=one.counterparty,
        emitted_ms=emitted_ms,
        created_ms=emitted_ms,
        updated_ms=settled_ms if completed else emitted_ms,
        seen_ms=now_ms,
        settled_ms=settled_ms if completed else None,
        local_amount_cents=one.local_amount_cents,
        local_currency=one.local_currency,
        reference=one.reference,
        card_last_digits=one.card_last_digits,
        internal=one.internal,
    )
    if completed:
        move_balance(account, row)
    return row
