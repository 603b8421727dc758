"""What the demo says of a world after three nights, counted against the world's own truth and not against our books."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clients.sandbox import Sandbox
from console import Screen
from domain.money import to_decimal
from models.organisation import Connection
from models.posting import Posting, count_by_state
from services.prove_balance import AccountBalance, prove_balance
from services.workbench import Workbench


@dataclass
class Verdict:
    """One organisation after three nights, counted against the world's own truth. Amounts in cents."""

    organisation: str
    accounts: int
    posted: int
    held: int
    why_held: str
    excluded: int
    deleted_in_xero: int
    lost: list[str]
    duplicated: list[str]
    unexpected: list[str]
    wrong: list[str]
    qonto: int
    opening: int
    xero: int
    differences: list[dict[str, Any]]
    unexplained: int

    @property
    def promises_hold(self) -> bool:
        return not (self.lost or self.duplicated or self.unexpected or self.wrong or self.unexplained)


@dataclass
class Report:
    """`promises` says for each promise made to the customer whether it held."""

    nights: list[dict[str, Any]] = field(default_factory=list)
    organisations: list[Verdict] = field(default_factory=list)
    promises: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def all_promises_hold(self) -> bool:
        return all(self.promises.values())


def verdict_on(organisation: dict[str, Any], world: Sandbox, workbench: Workbench, starts_at: datetime) -> Verdict:
    """What came of an organisation, from the world's own books."""
    connection = Connection.get(Connection.tenant_id == organisation["tenant_id"])
    counts = count_by_state(Posting.connection_id == connection.id)
    by_state = Counter[str]()
    for (state, _), count in counts.items():
        by_state[state] += count
    proofs = prove_balance(connection, workbench)
    truth = _truth(world, organisation, starts_at)
    in_xero = xero_ledger(world, organisation["tenant_id"])["bank_transactions"]
    ours = Counter(row["url"].rsplit("/", 1)[-1] for row in in_xero if row["made_by"] == "api")
    right = {key for row in in_xero if (key := row["url"].rsplit("/", 1)[-1]) in truth and _agrees(row, truth[key])}
    waiting = {p.transaction_id for p in Posting.select().where(Posting.connection_id == connection.id) if p.reason}
    return Verdict(
        organisation=organisation["name"],
        accounts=len(proofs),
        posted=by_state["posted"],
        held=by_state["held"],
        why_held=", ".join(sorted(reason for state, reason in counts if state == "held")),
        excluded=by_state["excluded"],
        deleted_in_xero=by_state["deleted_in_xero"],
        lost=sorted(truth.keys() - ours.keys() - waiting),
        duplicated=sorted(key for key, times in ours.items() if times > 1),
        unexpected=sorted(ours.keys() - truth.keys()),
        wrong=sorted((truth.keys() & ours.keys()) - right),
        qonto=_sum(proofs, "qonto"),
        opening=_sum(proofs, "opening"),
        xero=_sum(proofs, "xero"),
        differences=[asdict(difference) for proof in proofs for difference in proof.differences],
        unexplained=_sum(proofs, "unexplained"),
    )


def xero_ledger(world: Sandbox, tenant_id: str) -> dict[str, Any]:
    """Every account and row that a Xero organisation ever had."""
    ledger: dict[str, Any] = world.get(f"/xero/{tenant_id}/ledger")
    return ledger


def _truth(world: Sandbox, organisation: dict[str, Any], starts_at: datetime) -> dict[str, dict[str, Any]]:
    """What Xero should have, by Qonto's id, from the world's own books and not from ours."""
    ledger = world.get(f"/qonto/{organisation['organisation_id']}/ledger")
    external = {account["id"] for account in ledger["accounts"] if account["is_external"]}
    return {
        row["id"]: row
        for row in ledger["transactions"]
        if row["status"] == "completed"
        and row["amount_cents"]
        and row["account_id"] not in external
        and datetime.fromisoformat(row["settled_at"]) >= starts_at
    }


def _agrees(row: dict[str, Any], truth: dict[str, Any]) -> bool:
    kind = "RECEIVE" if truth["side"] == "credit" else "SPEND"
    paris = datetime.fromisoformat(truth["settled_at"]) + timedelta(hours=1)  # November: one hour ahead of UTC
    return bool(
        row["type"] == kind and row["cents"] == truth["amount_cents"] and row["date"] == paris.date().isoformat()
    )


def _sum(proofs: list[AccountBalance], column: str) -> int:
    return sum(getattr(proof, column) for proof in proofs)


def show(screen: Screen, report: Report) -> None:
    """The table, the differences by name, and each promise."""
    if screen.as_json:
        screen.json(asdict(report) | {"all_promises_hold": report.all_promises_hold})
        return
    money = ("qonto", "opening", "xero", "unexplained")
    counts = ("lost", "duplicated", "unexpected", "wrong")
    rows = []
    for verdict in report.organisations:
        row = asdict(verdict) | {key: to_decimal(getattr(verdict, key)) for key in money}
        row |= {key: len(getattr(verdict, key)) for key in counts} | {"named": len(verdict.differences)}
        rows.append(row)
    columns = ["organisation", "accounts", "posted", "held", "why_held", "excluded", "deleted_in_xero"]
    screen.rows(
        "After three nights", [*columns, "lost", "duplicated", "qonto", "opening", "xero", "named", "unexplained"], rows
    )
    named = [difference for verdict in report.organisations for difference in verdict.differences]
    screen.rows("What differs, and why", ["transaction_id", "bank_transaction_id", "cents", "why"], named)
    for promise, holds in report.promises.items():
        screen.say(f"{'holds ' if holds else 'BROKEN'}  {promise}", style="green" if holds else "bold red")
    screen.say(f"{sum(v.posted for v in report.organisations)} transactions in Xero, {report.seconds} s")
