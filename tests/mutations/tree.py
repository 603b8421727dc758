"""Copies of the working tree, so that nothing is ever broken in place, and pytest inside such a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.witness import WITNESS, Testimony

HERE = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "build", "*.sqlite3")
LONGEST_TEST = 60  # seconds
LONGEST_RUN = 1_200


@dataclass(frozen=True)
class Run:
    """One run of pytest in a copy: its exit code, its output, and what the witness saw."""

    exit_code: int
    output: str
    testimony: Testimony


@contextmanager
def copy_of(tree: Path) -> Iterator[Path]:
    """A copy, with what Python compiled of it, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(tree, copy, ignore=LEFT_OUT)
        yield copy


def environment(tree: Path) -> dict[str, str]:
    """That of a process, and of its children, for whom the product is what stands in `tree`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "QONTO_XERO_"))} | {
        "PYTHONPATH": str(tree)
    }


def product_of(tree: Path) -> Path:
    """Where a process started for `tree`, wherever it stands, reads the product from."""
    asked = [sys.executable, "-c", "import cli; print(cli.__file__)"]
    told = subprocess.run(asked, cwd="/", env=environment(tree), capture_output=True, text=True, check=True)
    return Path(told.stdout.strip()).parent


def run_tests(tree: Path, tests: Sequence[str], *, until_first_failure: bool) -> Run:
    """Run them in this order."""
    witness = tree.parent / f"witness-{os.urandom(4).hex()}.json"
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.mutations.witness", f"--timeout={LONGEST_TEST}"]
    if until_first_failure:
        options.append("-x")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=tree,
        env=environment(tree) | {WITNESS: str(witness)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
    )
    told = Testimony(**json.loads(witness.read_text())) if witness.exists() else Testimony()
    return Run(ran.returncode, ran.stdout, told)
