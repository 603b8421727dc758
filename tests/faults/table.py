"""The fault matrix as a table at the session's end: row, what was injected, what held, outcome, seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HELD, FAILED, NOT_RUN = "held", "FAILED", "not run"


@dataclass
class Row:
    """One row of the matrix; several tests may be about it."""

    name: str
    injected: list[str] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    tests: int = 0
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        if self.failed:
            return f"{FAILED} ({self.failed} of {self.tests})"
        return HELD if self.tests and self.passed == self.tests else NOT_RUN

    def claim(self, injected: str, holds: str) -> None:
        """Another test is about it."""
        self.tests += 1
        self.injected += [injected] if injected not in self.injected else []
        self.holds += [name for name in holds.split() if name not in self.holds]

    def as_json(self) -> dict[str, Any]:
        """One object of `--fault-table=FILE`."""
        return {
            "row": self.name,
            "injected": "; ".join(self.injected),
            "held": sorted(self.holds, key=order) if self.outcome == HELD else [],
            "outcome": self.outcome,
            "tests": self.tests,
            "seconds": round(self.seconds, 1),
        }


def order(name: str) -> tuple[str, int]:
    """F2 before F10, I2 before I10."""
    return name[:1], int(name[1:])


def wanted_rows(span: str) -> list[str]:
    """`1-30` as names of rows; empty for nothing."""
    if not span:
        return []
    first, last = (int(number) for number in span.split("-"))
    return [f"F{number}" for number in range(first, last + 1)]


class FaultTable:
    """A pytest plugin: hears of every test with `@pytest.mark.fault(...)`, and tells at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._file: str | None = config.getoption("--fault-table", default=None)
        self._wanted = wanted_rows(config.getoption("--rows", default=""))
        self._rows: dict[str, Row] = {}
        self._of_test: dict[str, list[str]] = {}

    @property
    def missing(self) -> list[str]:
        """Rows that no collected test is about."""
        return [name for name in self._wanted if name not in self._rows]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """What was selected, after every deselection."""
        for item in items:
            for mark in item.iter_markers("fault"):
                row = self._rows.setdefault(mark.args[0], Row(mark.args[0]))
                row.claim(mark.kwargs["injected"], mark.kwargs["holds"])
                self._of_test.setdefault(item.nodeid, []).append(row.name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test's set-up, its body with the check at its end, or its tear-down has ended."""
        for name in self._of_test.get(report.nodeid, []):
            row = self._rows[name]
            row.seconds += report.duration if report.when == "call" else 0.0
            row.passed += report.when == "call" and report.passed
            row.failed += report.failed

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file; a row that was asked for and has no test is a failure."""
        if self._file:
            rows = [row.as_json() for row in self._sorted()]
            Path(self._file).write_text(json.dumps({"rows": rows, "missing": self.missing}, indent=1) + "\n")
        if self.missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        if not self._rows:
            return
        terminalreporter.section("fault matrix")
        for row in self._sorted():
            told = row.as_json()
            held = " ".join(told["held"])
            terminalreporter.write_line(
                f"{row.name:<4} {row.outcome:<16} {told['seconds']:>6.1f} s  {held:<24} {told['injected']}"
            )
        if self.missing:
            terminalreporter.write_line(f"MISSING {' '.join(self.missing)}")

    def _sorted(self) -> list[Row]:
        return sorted(self._rows.values(), key=lambda row: order(row.name))
