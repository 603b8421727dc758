"""The invariants that the three books decide, each as one line: it holds, or the ids that violate it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date

from domain.ledger_check import FINE, Class, Expected, Finding, InLedger, Key, Said, rows_by_transaction
from domain.money import in_words, signed

Day = tuple[str, date | None, str]  # account, day, currency

MEANINGS = {
    "I1": "at most one row in Xero for a transaction, deleted ones counted",
    "I2": "each settled transaction is in Xero, or we say why not",
    "I3": "what a person deleted in Xero stays deleted",
    "I4": "each active Qonto account has one account of ours in Xero",
    "I5": "requests, rows and organisations belong together",
    "I7": "nothing is left behind while it is being sent",
    "I8": "each row in Xero was written down before it was sent",
    "I9": "one key, one request, within five minutes",
    "I10": "a new key only after a proof of absence",
    "I11": "the cursor has passed nothing that is not stored",
    "I12": "one worker at a time for an organisation",
    "I13": "one refresh of a token at a time",
    "I14": "Xero's limits are kept",
    "I15": "each event of Qonto's core was followed, and no account of ours is older than what it told",
    "I16": "one run an organisation, kind and date",
    "I17": "sums are equal, each account and day",
    "I22": "each local date has its night",
    "I25": "Qonto's balance follows from what each account held at the start and what is read since",
}


@dataclass(frozen=True)
class Line:
    """One invariant. `violations` name ids; none means that it holds."""

    name: str
    violations: list[str] = field(default_factory=list)

    @property
    def meaning(self) -> str:
        return MEANINGS[self.name]

    @property
    def holds(self) -> bool:
        return not self.violations

    def __str__(self) -> str:
        verdict = "holds" if self.holds else f"VIOLATED ({len(self.violations)}): {'; '.join(self.violations)}"
        return f"{self.name} {self.meaning}: {verdict}"


def merge(lines: Iterable[Line]) -> list[Line]:
    """One line an invariant, in their order, of lines that several books gave."""
    merged: dict[str, list[str]] = {}
    for line in lines:
        merged.setdefault(line.name, []).extend(line.violations)
    return [Line(name, merged[name]) for name in MEANINGS if name in merged]


def lines_of_books(
    findings: Sequence[Finding], expected: Sequence[Expected], ledger: Sequence[InLedger], said: Sequence[Said]
) -> list[Line]:
    """I1, I2, I3, I5 and I17 as far as the books tell. `findings` are those of the same books."""
    there = rows_by_transaction(ledger, said)
    excused = {(f.tenant_id, f.transaction_id) for f in findings if f.what in FINE}
    return [
        Line("I1", [str(f) for f in findings if f.what == Class.DUPLICATED]),
        Line("I2", [str(f) for f in findings if f.what == Class.LOST]),
        Line("I3", _made_again(there)),
        Line("I5", [str(f) for f in findings if f.what == Class.WRONG_TENANT]),
        Line("I17", _sums(expected, there, excused)),
    ]


def _made_again(there: Mapping[Key, Sequence[InLedger]]) -> list[str]:
    return [
        f"{transaction_id} was deleted in Xero and is there again: {', '.join(row.id for row in rows)}"
        for (_, transaction_id), rows in there.items()
        if transaction_id and len(rows) > 1 and any(row.is_deleted for row in rows)
    ]


def _sums(expected: Iterable[Expected], there: Mapping[Key, Sequence[InLedger]], excused: Set[Key]) -> list[str]:
    """What Xero has on each account and day, against what it should have now: a deleted row counts on neither side."""
    right: Counter[Day] = Counter()
    shown: Counter[Day] = Counter()
    for one in expected:
        rows = there.get((one.tenant_id, one.transaction_id), [])
        is_deleted = bool(rows) and all(row.is_deleted for row in rows)
        if not is_deleted and (one.tenant_id, one.transaction_id) not in excused:
            right[one.account, one.date, one.currency] += signed(one.side, one.cents)
    for row in (row for rows in there.values() for row in rows if not row.is_deleted):
        shown[row.account, row.date, row.currency] += signed(row.side, row.cents)
    return [
        f"account {account or 'unknown'} on {day}: {in_words(shown[account, day, currency], currency)} in Xero, "
        f"{in_words(right[account, day, currency], currency)} by Qonto"
        for account, day, currency in sorted(right.keys() | shown.keys(), key=str)
        if right[account, day, currency] != shown[account, day, currency]
    ]
