"""What a person looks at: tonight's plan, the runs, one transaction's story, the balances."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from commands.frame import BROKEN, USAGE, Failure, as_json, at_work, the_connection
from console import Screen
from domain.money import to_decimal
from models.organisation import organisation_called
from services.explain import explain as explain_transaction
from services.plan_night import PlannedAccount, plan_night
from services.prove_balance import prove_balance
from services.view_audit import view_audit
from services.view_connections import view_runs


@click.command()
@click.argument("organisation", metavar="ORG")
@as_json
def plan(screen: Screen, organisation: str) -> None:
    """What tonight would do for ORG. Reads both sides; sends and stores nothing."""
    with at_work() as (_, workbench):
        planned = plan_night(the_connection(organisation), workbench)
        if screen.as_json:
            screen.json(planned)
            return
        columns = ["name", "in_xero", "to_send", "sum", "before_start", "before_start_sum", "excluded"]
        screen.rows("Tonight", columns, [_planned(account) for account in planned.accounts])
        if any(account.before_start for account in planned.accounts):
            screen.say(
                f"What settled before {planned.starts_at:%Y-%m-%d %H:%M} UTC, the connection's start, is left out"
            )
        screen.say(f"{planned.writes} writes to Xero. Stored and waiting: {_counts(planned.waiting) or 'nothing'}")


def _planned(account: PlannedAccount) -> dict[str, object]:
    return asdict(account) | {
        "sum": to_decimal(account.cents),
        "before_start": f"more than {account.before_start}" if account.has_more_before else account.before_start,
        "before_start_sum": "" if account.has_more_before else to_decimal(account.before_start_cents),
        "excluded": _counts(account.excluded),
    }


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{what}: {count}" for what, count in counts.items())


@click.command()
@click.argument("organisation", metavar="[ORG]", required=False)
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@as_json
def runs(screen: Screen, organisation: str | None, limit: int) -> None:
    """The newest runs, of all organisations or of ORG."""
    with at_work() as (_, workbench):
        connection = the_connection(organisation) if organisation else None
        columns = [
            "run",
            "organisation",
            "kind",
            "local_date",
            "state",
            "imported",
            "posted",
            "accounts_created",
            "reason",
            "next",
        ]
        screen.rows("Runs", columns, view_runs(connection, limit, workbench.clock()))


@click.command()
@click.argument("transaction")
@as_json
def explain(screen: Screen, transaction: str) -> None:
    """The whole story of a TRANSACTION, by its id in Qonto or in Xero."""
    with at_work():
        stories = explain_transaction(transaction)
        if not stories:
            raise Failure(f"no transaction {transaction!r} is known here, neither by Qonto's id nor by Xero's", USAGE)
        if screen.as_json:
            screen.json([asdict(story) for story in stories])
            return
        for story in stories:
            screen.say(f"{story.transaction_id}  {story.amount} on {story.date}  {story.organisation}")
            screen.say(f"{story.state.replace('_', ' ')}. {story.reason} {story.detail}".rstrip(), style="bold")
            if story.bank_transaction_id:
                screen.say(f"in Xero as {story.bank_transaction_id}")
            screen.rows("Story", ["at", "what"], [asdict(step) for step in story.steps])


@click.command()
@click.argument("organisation", metavar="ORG")
@as_json
def balance(screen: Screen, organisation: str) -> None:
    """Qonto's balance against Xero's, per account, and the exact ids of what differs; exits 1 if any does."""
    with at_work() as (_, workbench):
        proofs = prove_balance(the_connection(organisation), workbench)
    if screen.as_json:
        screen.json([asdict(proof) | {"is_equal": proof.is_equal, "is_proved": proof.is_proved} for proof in proofs])
    else:
        money = ("qonto", "opening", "to_come", "xero", "unexplained")
        rows = [
            asdict(proof) | {key: to_decimal(getattr(proof, key)) for key in money} | {"equal": proof.is_equal}
            for proof in proofs
        ]
        screen.rows("Balance", ["name", "currency", *money, "equal"], rows)
        named = [asdict(d) | {"amount": to_decimal(d.cents)} for proof in proofs for d in proof.differences]
        if named:
            screen.rows("What differs", ["transaction_id", "bank_transaction_id", "amount", "why"], named)
        unproved = [{"name": proof.name, "why": proof.problem} for proof in proofs if proof.problem]
        if unproved:
            screen.rows("Not proved", ["name", "why"], unproved)
    if not all(proof.is_equal for proof in proofs):
        sys.exit(BROKEN)


@click.command()
@click.argument("organisation", metavar="[ORG]", required=False)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def audit(screen: Screen, organisation: str | None, limit: int) -> None:
    """Who decided what, and why: the newest first, of everything or of ORG, whose connection may have ended."""
    with at_work():
        known = organisation_called(organisation) if organisation else None
        if organisation and known is None:
            raise Failure(f"no organisation was ever connected that is called {organisation!r}", USAGE)
        columns = ["at", "who", "action", "organisation", "subject", "reason"]
        screen.rows("Audit", columns, [asdict(view) for view in view_audit(known, limit)])
