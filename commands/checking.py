"""Qonto, our record and Xero held against each other, for a person or a monitor."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click

from commands.frame import BROKEN, as_json, at_work, the_connection
from console import Screen
from domain.ledger_check import count as count_findings
from services.check import Check, check_all, check_over


@click.command()
@click.argument("organisation", metavar="[ORG]", required=False)
@as_json
def check(screen: Screen, organisation: str | None) -> None:
    """Hold Qonto, Xero and our database against each other; exits 1 if anything is violated.

    Every transaction of ORG, or of each connected organisation, is lost, duplicated, unexpected, recovered (in Xero,
    but we do not say so), of a wrong amount (or side, currency, day), in a wrong tenant or account, or right. What is
    held, rejected or excluded with a reason is said, and not lost; what no night has had to send yet is to come.

    Then each invariant that can be judged from here: it holds, or the ids that violate it.

    It writes nothing and may be run at any time, best when no run is open. Reading Xero costs one call for each 1,000
    transactions that are there, deleted ones too, and one for the accounts; Qonto one for each 100 and account.

    \b
    qonto-xero check farolillo-sl-1           # one organisation
    qonto-xero check --json                   # all of them, for a monitor
    qonto-xero explain TRANSACTION            # then: the story of an id that it names
    """
    with at_work() as (_, workbench):
        if organisation:
            checks = [check_over(the_connection(organisation), workbench)]
        else:
            checks = list(check_all(workbench))
    if screen.as_json:
        screen.json([_check_content(one) for one in checks])
    else:
        for one in checks:
            _show_check(screen, one)
    if not all(one.holds for one in checks):
        sys.exit(BROKEN)


def _check_content(one: Check) -> dict[str, Any]:
    lines = [asdict(line) | {"meaning": line.meaning, "holds": line.holds} for line in one.invariants]
    classes = dict(count_findings(one.findings))
    return asdict(one) | {"holds": one.holds, "classes": classes, "invariants": lines}


def _show_check(screen: Screen, one: Check) -> None:
    if one.problem:
        screen.say(f"{one.organisation} could not be checked: {one.problem}")
        return
    classes = [{"transactions": what, "number": number} for what, number in count_findings(one.findings).items()]
    screen.rows(one.organisation, ["transactions", "number"], classes)
    lines = [
        {"invariant": line.name, "says": line.meaning, "holds": line.holds, "violations": len(line.violations)}
        for line in one.invariants
    ]
    screen.rows("Invariants", ["invariant", "says", "holds", "violations"], lines)
    named = [{"what": line.name, "violation": text} for line in one.invariants for text in line.violations]
    named += [{"what": finding.what, "violation": str(finding)} for finding in one.wrong]
    if named:
        screen.rows("What is violated", ["what", "violation"], named)
    for note in one.notes:
        screen.say(note)
