"""The proof goes on after a failure, tells every part, and does not hide one."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests import prove
from tests.prove import Part

WORDS = "import os, sys; print(os.environ['WORDS'])"


def part(name: str, script: str = WORDS, *, beside: bool = False) -> Part:
    return Part(name, "shown", (sys.executable, "-c", script), {"WORDS": f"the words of {name}"}, beside=beside)


def test_a_part_that_fails_stops_no_other() -> None:
    outcomes = prove.prove([part("first"), part("second", "raise SystemExit(3)"), part("third")])

    assert [(outcome.name, outcome.holds) for outcome in outcomes] == [
        ("first", True),
        ("second", False),
        ("third", True),
    ]


def test_what_runs_beside_is_told_in_its_turn(capfd: pytest.CaptureFixture[str]) -> None:
    prove.prove([part("first"), part("second", beside=True), part("third")])

    told = capfd.readouterr().out
    words = [f"{said} {name}" for name in ("first", "second", "third") for said in ("===", "words of")]
    assert all(told.index(earlier) < told.index(later) for earlier, later in pairwise(words))


def test_a_part_that_hangs_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = f"import signal; pipe = open({str(pipe)!r}, 'wb', 0); pipe.write(b'x'); signal.pause()"
    running = prove.Running(part("hangs", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"))
    with pipe.open("rb", buffering=0) as reader:
        assert reader.read(1) == b"x"
        monkeypatch.setattr(prove, "LONGEST_PART", 0)

        outcome = running.outcome()

        assert not outcome.holds
        assert reader.read(1) == b""


@pytest.mark.parametrize(("script", "code"), [("pass", 0), ("raise SystemExit(1)", 1)])
def test_the_exit_code_says_whether_everything_holds(monkeypatch: pytest.MonkeyPatch, script: str, code: int) -> None:
    monkeypatch.setattr(prove, "parts", lambda _: (part("only", script), part("other")))

    assert prove.main([]) == code
