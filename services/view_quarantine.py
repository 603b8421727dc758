"""What is in quarantine, as a person wants to see it: no full IBAN, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from clients.decoding import Word
from clients.qonto.transactions import UnreadableTransaction
from domain.money import in_words, signed
from domain.text import without_ibans
from models.quarantine import Quarantine
from services.settle_quarantine import ACCOUNT, payload_of
from services.workbench import Workbench


@dataclass(frozen=True)
class QuarantineView:
    """`money` is that of a transaction, as far as it can be read. `bytes` are those stored, of which some seal the
    others. `settled_at`: when a person dealt with it.
    """

    quarantined: int
    source: str
    created_at: datetime
    settled_at: datetime | None
    money: str
    bytes: int
    digest: str
    reason: str


def view_quarantine(rows: Iterable[Quarantine]) -> list[QuarantineView]:
    """The same rows in the same order."""
    return [
        QuarantineView(
            quarantined=row.id,
            source=row.source,
            created_at=row.created_at,
            settled_at=row.settled_at,
            money=_money(row),
            bytes=len(row.payload),
            digest=row.digest,
            reason=without_ibans(row.reason),
        )
        for row in rows
    ]


def view_payload(row: Quarantine, workbench: Workbench) -> str:
    """Its bytes as text, IBANs shortened. Raises CannotDecrypt."""
    return without_ibans(payload_of(row, workbench).decode(errors="backslashreplace"))


def _money(row: Quarantine) -> str:
    """Which money a transaction's row means, empty when that cannot be read or it is no such row."""
    if not row.source.startswith(ACCOUNT) or row.is_sealed:
        return ""
    found = UnreadableTransaction(bytes(row.payload), row.reason)
    if found.amount_cents is None or found.side is None:
        return ""
    return in_words(signed(found.side, found.amount_cents), found.field("currency", Word) or "").strip()
