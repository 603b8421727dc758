"""Store what Qonto changed of transactions that are stored already: before they are sent, and noted afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.changes import Follows, changed, described, is_older, moves_money, state_after, what_follows
from domain.money import signed
from domain.reasons import Awaited as Why
from domain.reasons import Noted
from models.awaited_transaction import Awaited
from models.posting import Posting
from models.posting_version import note_change, store_balance, store_version, stored_versions
from services.job import Job

KEPT = ("tenant_id", "transaction_id", "organisation_id", "connection_id", "bank_account_id", "url", "state", "reason")


def store_changes(job: Job, rows: Sequence[Mapping[str, Any]]) -> list[Awaited]:
    """Store the newest version of each row that is stored already. Call it inside `job.holding()`.

    Returns those that cannot be stored yet because they are on their way to Xero as they were.
    """
    waiting = []
    by_id = {row["transaction_id"]: row for row in rows}
    for key, posting in stored_versions(job.tenant_id, list(by_id)).items():
        given, stored = by_id[key], posting.__data__
        if is_older(posting.updated_at, given["updated_at"], job.now()):
            continue
        names = changed(stored, given)
        follows = what_follows(posting.state, posting.reason)
        if follows == Follows.STORE:
            _store(job, posting, given, names)
        elif follows == Follows.NOTE:
            _note(job, posting, given, names)
        elif names:
            cents = signed(given["side"], given["amount_cents"])
            waiting.append(Awaited(key, Why.CHANGED_MEANWHILE, given["updated_at"], cents))
    return waiting


def _store(job: Job, posting: Posting, given: Mapping[str, Any], names: list[str]) -> None:
    settled_otherwise = posting.settled_at != given["settled_at"]
    first = str(given["state"]), str(given["reason"])
    after = state_after((posting.state, posting.reason), first, names, settled_otherwise=settled_otherwise)
    if not names and after is None and not settled_otherwise:
        _store_unsent(posting, given)
        return
    columns = {name: value for name, value in given.items() if name not in KEPT}
    if after:
        columns |= {"state": after[0], "reason": after[1], "reason_detail": "", "refusals": 0}
        columns |= {"connection_id": job.connection.id}
    change = described(posting.__data__, given, names)
    store_version(posting, columns, job.now(), f"changed in Qonto: {change}" if change else "read from Qonto again")


def _store_unsent(posting: Posting, given: Mapping[str, Any]) -> None:
    """Store what of a newer version is never sent."""
    newer = given["settled_balance_cents"], given["updated_at"]
    if newer != (posting.settled_balance_cents, posting.updated_at):
        store_balance(posting, *newer)


def _note(job: Job, posting: Posting, given: Mapping[str, Any], names: list[str]) -> None:
    _store_unsent(posting, given)
    change = described(posting.__data__, given, names)
    if change == posting.changed_to:
        return
    cents = signed(given["side"], given["amount_cents"])
    moved = cents if cents != signed(posting.side, posting.amount_cents) else None
    is_money = moves_money(names)
    reason = Noted.CHANGED if is_money else ""
    detail = change if is_money or not change else f"changed in Qonto after it was sent: {change}"
    note_change(posting, change, moved, job.now(), reason=reason, detail=detail or "in Qonto again as it was sent")
    if is_money:
        job.notes.append(f"Qonto changed {posting.transaction_id} {change}")
