"""A pytest plugin that tells, in the file named by `WITNESS`, what failed first and whose code was tested."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

WITNESS = "MUTATION_WITNESS"


@dataclass
class Testimony:
    """What one run of pytest has to say. `strangers` are modules that were not read from the tree under test."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)  # skipped, or failed before the test's first line
    strangers: list[str] = field(default_factory=list)


testimony = Testimony()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A set-up that fails catches nothing: the test never came to ask its question."""
    if report.skipped or (report.failed and report.when == "setup"):
        testimony.unfit.append(report.nodeid)
    elif report.failed:
        testimony.failed.append(report.nodeid)
    elif report.when == "call":
        testimony.passed.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it down."""
    testimony.strangers = strangers(session.config.rootpath)
    Path(os.environ[WITNESS]).write_text(json.dumps(asdict(testimony)))


def strangers(root: Path) -> list[str]:
    """Modules of the product or its tests that were imported from anywhere but `root`."""
    found = []
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        file = getattr(module, "__file__", None)
        is_ours = (root / top).is_dir() or (root / f"{top}.py").is_file()
        if file and is_ours and not Path(file).resolve().is_relative_to(root.resolve()):
            found.append(f"{name} from {file}")
    return found
