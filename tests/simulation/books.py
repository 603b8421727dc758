"""The end of a seed: three books compared, and every transaction accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.ledger_check import FINE, Expected, InLedger, Said, compare
from domain.ledger_check_lines import lines_of_books
from models.posting import Posting
from models.states import OPEN_RUN_STATES
from models.sync_run import SyncRun
from tests.simulation.ledger import Ledger


@dataclass(frozen=True)
class Settled:
    """A transaction that Qonto settled."""

    tenant_id: str
    id: str
    account_id: str
    side: str
    cents: int
    on: date
    url: str


def problems(settled: list[Settled], ledger: Ledger) -> list[str]:
    """What is wrong once everything is quiet; nothing, if all promises are kept."""
    expected = [Expected(s.tenant_id, s.id, s.account_id, s.side, s.cents, "EUR", s.on) for s in settled]
    ids = {one.url: one.id for one in settled}
    rows = [
        InLedger(
            row.tenant_id,
            row.id,
            ids.get(row.url, ""),
            row.account_id,
            "credit" if row.type == "RECEIVE" else "debit",
            int(row.total * 100),
            "EUR",
            row.date,
            row.is_deleted,
        )
        for row in ledger.rows
    ]
    said = [Said(p.tenant_id, p.transaction_id, p.state, p.reason, p.bank_transaction_id) for p in Posting.select()]
    findings = compare(expected, rows, said)
    lines = lines_of_books(findings, expected, rows, said)
    still_open = SyncRun.select().where(SyncRun.state.in_(OPEN_RUN_STATES)).count()
    return [
        *(str(finding) for finding in findings if finding.what not in FINE),
        *(str(line) for line in lines if not line.holds),
        *([f"I23: {still_open} runs are open and nobody works on them"] if still_open else []),
    ]
