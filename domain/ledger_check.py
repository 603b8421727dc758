"""Three books compared: what Qonto settled, what Xero shows, and what we say. Values in, findings out.

What is not in Xero is *lost* only when nobody says why: held, rejected and excluded with a reason are said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

SAYS_WHY = {"held", "rejected", "excluded"}  # with a reason, a person can read why it is not in Xero
ON_ITS_WAY = {"due", "sending", "uncertain"}
IN_XERO = {"posted": False, "deleted_in_xero": True}  # and whether Xero's row is a deleted one


class Duty(StrEnum):
    """Whether a transaction of Qonto's belongs in Xero now."""

    MUST = "must"  # it should be there, or we should say why it is not
    TO_COME = "to come"  # no night has had to read it yet
    MAY = "may"  # it settled before this connection, and another Xero organisation was connected then or since


class Class(StrEnum):
    """What is wrong with a transaction, and the two classes with which nothing is."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    UNEXPECTED = "unexpected"
    RECOVERED = "recovered"  # it is in Xero, but we do not say so
    WRONG_AMOUNT = "wrong amount"
    WRONG_TENANT = "wrong tenant"
    WRONG_ACCOUNT = "wrong account"
    TO_COME = "to come"
    SAID = "said"


FINE = (Class.TO_COME, Class.SAID)


@dataclass(frozen=True)
class Expected:
    """A transaction that Qonto settled and that our rules send. `account` is by any name that both sides share."""

    tenant_id: str
    transaction_id: str
    account: str
    side: str
    cents: int
    currency: str
    date: date
    duty: Duty = Duty.MUST


@dataclass(frozen=True)
class InLedger:
    """A row of ours in Xero, a deleted one too. `transaction_id` is from its link, empty when that was edited away."""

    tenant_id: str
    id: str
    transaction_id: str
    account: str
    side: str
    cents: int
    currency: str
    date: date | None  # `None`: it cannot be read
    is_deleted: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Said:
    """What our database says of a transaction in one Xero organisation."""

    tenant_id: str
    transaction_id: str
    state: str
    reason: str = ""
    bank_transaction_id: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else self.state


@dataclass(frozen=True)
class Finding:
    """One transaction in one class; `why` in words."""

    what: Class
    tenant_id: str
    transaction_id: str
    bank_transaction_ids: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        return f"{self.transaction_id or '-'} {self.what}: {self.why}"


Key = tuple[str, str]  # tenant, transaction


def compare(
    expected: Iterable[Expected],
    ledger: Iterable[InLedger],
    said: Iterable[Said],
    *,
    at_work: bool = False,
    elsewhere: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Every finding, in the order of Qonto's rows, then Xero's.

    `at_work`: a run is open, so what is on its way may still arrive. `elsewhere`: the Xero organisation of transactions
    that belong to another one.
    """
    told = {(one.tenant_id, one.transaction_id): one for one in said}
    wanted = {(one.tenant_id, one.transaction_id): one for one in expected}
    there = rows_by_transaction(ledger, told.values())
    findings: list[Finding] = []
    for key, one in wanted.items():
        rows = there.get(key, [])
        findings += (
            _present(one, rows, told.get(key), at_work=at_work)
            if rows
            else [_absent(one, told.get(key), at_work=at_work)]
        )
    homes = dict(elsewhere or {}) | {transaction_id: tenant_id for tenant_id, transaction_id in wanted}
    findings += [_stray(key, rows, homes.get(key[1], "")) for key, rows in there.items() if key not in wanted]
    return findings


def rows_by_transaction(ledger: Iterable[InLedger], said: Iterable[Said]) -> dict[Key, list[InLedger]]:
    """Xero's rows by the link they carry, or by Xero's id where the link is gone and we remember the id."""
    by_id = {one.bank_transaction_id: one.transaction_id for one in said if one.bank_transaction_id}
    found: defaultdict[Key, list[InLedger]] = defaultdict(list)
    for row in ledger:
        found[row.tenant_id, row.transaction_id or by_id.get(row.id, "")].append(row)
    return dict(found)


def _absent(one: Expected, told: Said | None, *, at_work: bool) -> Finding:
    if told is None:
        if one.duty == Duty.MUST:
            return _finding(Class.LOST, one, [], "in Qonto, not in Xero, and our database does not know it")
        return _finding(
            Class.TO_COME, one, [], "not read yet" if one.duty == Duty.TO_COME else "not of this connection"
        )
    if told.state in SAYS_WHY and told.reason:
        return _finding(Class.SAID, one, [], str(told))
    if told.state in ON_ITS_WAY and at_work:
        return _finding(Class.TO_COME, one, [], f"{told}, and a run is open")
    return _finding(Class.LOST, one, [], f"not in Xero, and we say {told}")


def _present(one: Expected, rows: Sequence[InLedger], told: Said | None, *, at_work: bool) -> Iterator[Finding]:
    if len(rows) > 1:
        ids = ", ".join(f"{row.id} (deleted)" if row.is_deleted else row.id for row in rows)
        yield _finding(Class.DUPLICATED, one, rows, f"{len(rows)} rows in Xero: {ids}")
    for row in rows:
        if row.account != one.account:
            yield _finding(Class.WRONG_ACCOUNT, one, [row], f"in {row.account or 'no account of ours'}")
        shown, right = (
            (row.side, row.cents, row.currency, str(row.date)),
            (one.side, one.cents, one.currency, str(one.date)),
        )
        if shown != right:
            yield _finding(Class.WRONG_AMOUNT, one, [row], f"{shown} in Xero and {right} in Qonto")
    unsaid = _unsaid(rows, told)
    if unsaid and at_work and told and told.state in ON_ITS_WAY:
        yield _finding(Class.TO_COME, one, rows, f"{unsaid}, and a run is open")
    elif unsaid:
        yield _finding(Class.RECOVERED, one, rows, unsaid)


def _unsaid(rows: Sequence[InLedger], told: Said | None) -> str:
    """In which way we do not say what is in Xero; empty when we do. Not having seen a deletion yet is no such way."""
    if told is None:
        return "in Xero, and our database does not know it"
    named = next((row for row in rows if row.id == told.bank_transaction_id), None)
    if told.state not in IN_XERO:
        return f"in Xero, and we say {told}"
    if named is None:
        return f"in Xero, and we say {told} as {told.bank_transaction_id or 'nothing'}"
    if IN_XERO[told.state] and not named.is_deleted:
        return f"not deleted in Xero, and we say {told}"
    return ""


def _stray(key: Key, rows: Sequence[InLedger], home: str) -> Finding:
    ids = tuple(row.id for row in rows)
    if home:
        return Finding(Class.WRONG_TENANT, *key, ids, f"in Xero organisation {key[0]} and belongs to {home}")
    return Finding(Class.UNEXPECTED, *key, ids, "in Xero, and nothing of Qonto's should be there for it")


def _finding(what: Class, one: Expected, rows: Sequence[InLedger], why: str) -> Finding:
    return Finding(what, one.tenant_id, one.transaction_id, tuple(row.id for row in rows), why)


def count(findings: Iterable[Finding]) -> Mapping[Class, int]:
    """How many findings each class has; every class is there."""
    counts = dict.fromkeys(Class, 0)
    for finding in findings:
        counts[finding.what] += 1
    return counts
