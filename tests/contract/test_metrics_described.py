"""What is measured and who is alerted stands in docs/operations as it is, and says nothing of a customer."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from cli import main
from tests.contract.promql import ALERTS, OURS, ROOT, SUFFIXES, kind_of, labels_of

pytestmark = pytest.mark.contract

OPERATIONS = ROOT / "docs" / "operations"
FEW_VALUES = {"code", "lane", "method", "name", "outbox", "outcome", "peer", "result", "route", "state"}


def _rows(path: Path) -> list[list[str]]:
    """The cells of every row of the tables in a document, without their headings."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


METRICS, DESCRIBED = _rows(OPERATIONS / "metrics.md"), _rows(OPERATIONS / "alerts.md")


def test_every_metric_is_described_by_its_type_and_its_labels() -> None:
    described = {
        name.strip("`"): (kind, tuple(re.findall(r"`(\w+)`", labels)), bool(meaning))
        for name, kind, labels, meaning in METRICS
    }

    assert described == {_shown(name): (kind_of(metric), labels_of(metric), True) for name, metric in OURS.items()}


def _shown(name: str) -> str:
    """As Prometheus shows it; a histogram by the name that its three series begin with."""
    return name + ("_total" if SUFFIXES[kind_of(OURS[name])] == ["_total"] else "")


@pytest.mark.parametrize("name", OURS)
def test_a_label_takes_few_values_and_none_of_a_customer(name: str) -> None:
    assert set(labels_of(OURS[name])) <= FEW_VALUES


def test_every_alert_is_described_by_whom_it_is_for_and_its_runbook() -> None:
    described = {
        name.strip("`"): (tells, re.findall(r"\]\((.+)\)", runbook)) for name, tells, _, runbook, _ in DESCRIBED
    }

    assert described == {
        name: (alert["labels"]["severity"], [alert["annotations"]["runbook"].removeprefix("docs/operations/")])
        for name, alert in ALERTS.items()
    }


@pytest.mark.parametrize("row", DESCRIBED, ids=lambda row: row[0].strip("`"))
def test_what_to_look_at_first_can_be_said(row: list[str]) -> None:
    program, *words = row[4].strip("`").split()

    if program == "qonto-xero":
        command, rest = _find(main, words)
        command.make_context(program, rest)
    else:
        assert [program, *words[:1]] == ["docker", "compose"]


def _find(command: click.Command, words: list[str]) -> tuple[click.Command, list[str]]:
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    return command, words
