"""`python -m tests.prove`: everything that takes minutes. Each part runs whatever came of the others.

Fault tests mostly wait, so their two halves run side by side; the simulation computes, at the lowest priority.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

PYTHON = sys.executable
PYTEST = (PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider")
LOWEST_PRIORITY = ("nice", "-n", "19")
SEEDS = 20_000
LIVES = 500
LONGEST_PART = 10_000.0  # seconds: whoever waits longer waits for something that hangs


@dataclass(frozen=True)
class Part:
    """A command that exits with 0 when it holds. One that runs `beside` begins at once and is told in its turn."""

    name: str
    shows: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    beside: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    name: str
    holds: bool
    seconds: float

    def __str__(self) -> str:
        return f"{'holds ' if self.holds else 'FAILED'}  {self.seconds:>6.0f} s  {self.name}"


def parts(seeds: int) -> tuple[Part, ...]:
    """In the order in which they are told."""
    return (
        _faults("31-66", "test_f[3-6]*.py", beside=False),
        _faults("1-30", "test_f[0-2]*.py", beside=True),
        _simulation("simulation, lower half", 1, seeds // 2),
        _simulation("simulation, upper half", 1 + seeds // 2, seeds - seeds // 2),
        Part(
            "image",
            "the steps of the Dockerfile in an empty folder, and what they leave run by another user",
            (*PYTEST, "-m", "faults", "tests/acceptance/test_image.py"),
        ),
        _lives("lives, first half", 1),
        _lives("lives, second half", 2),
        Part(
            "proof",
            "whatever part of an account Qonto does not show whole, nobody calls the balance equal",
            (*PYTEST, "tests/acceptance/test_proof_of_any_subset.py"),
            {"PROOF_EXAMPLES": "400"},
        ),
        Part(
            "answers",
            "each call of a night is answered, once, as Qonto and Xero never should",
            (*LOWEST_PRIORITY, *PYTEST, "tests/acceptance/test_one_hostile_answer.py"),
            {"HOSTILE_ANSWERS": "all"},
            beside=True,
        ),
        Part(
            "events",
            "what nobody would think of in the name of Qonto's core, and a thousand accounts told twice",
            (*PYTEST, "tests/acceptance/test_event_fuzz.py", "tests/acceptance/test_processes_accounts.py"),
            {"EVENTS_EXAMPLES": "5000", "ACCOUNTS_OPENED": "1000"},
        ),
        Part(
            "mutations",
            "the code is broken on purpose, and a test turns red",
            (PYTHON, "-m", "tests.mutations", "--processes", "2"),
        ),
        Part(
            "game night",
            "300 organisations, real processes, everything in one night, and every moment of it told truly",
            (*PYTEST, "tests/faults/test_game_night.py", "-m", "faults"),
        ),
    )


def _faults(rows: str, files: str, *, beside: bool) -> Part:
    return Part(
        f"faults, rows {rows}",
        "real processes are killed, frozen and cut off, row by row of the fault matrix",
        (*PYTEST, *sorted(map(str, Path("tests/faults").glob(files))), "-m", "faults", "--rows", rows),
        beside=beside,
    )


def _lives(name: str, seed: int) -> Part:
    return Part(
        name,
        f"{LIVES // 2} customers: what people, time and misfortune do, in any order, chosen by Hypothesis",
        (*LOWEST_PRIORITY, *PYTEST, "tests/acceptance/test_state_machine.py"),
        {"LIVES": str(LIVES // 2), "LIFE_STEPS": "25", "LIFE_SEED": str(seed)},
        beside=True,
    )


def _simulation(name: str, first: int, seeds: int) -> Part:
    """On one processor; two of them use both."""
    tried = ("--first-seed", str(first), "--seeds", str(seeds))
    return Part(
        name,
        f"{seeds} nights, each with misfortunes of its own, in a world that is computed",
        (*LOWEST_PRIORITY, PYTHON, "-m", "tests.simulation", *tried),
        beside=True,
    )


class Running:
    """A part that has begun. One that runs beside others keeps its words to itself until its turn."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._began = self._ended = time.monotonic()
        self._kept = ""
        self._process = subprocess.Popen(
            part.command,
            env=os.environ | part.environment,
            stdout=subprocess.PIPE if part.beside else None,
            stderr=subprocess.STDOUT if part.beside else None,
            text=True,
            start_new_session=True,
        )
        self._watch = Thread(target=self._wait, daemon=True)
        self._watch.start()

    def outcome(self) -> Outcome:
        """Wait for its end. What hangs is ended, and failed."""
        self._watch.join(LONGEST_PART)
        self.end()
        if self._kept:
            _say(self._kept.rstrip())
        return Outcome(self._part.name, self._process.returncode == 0, self._ended - self._began)

    def end(self) -> None:
        """End it, and every process that it started, if it has not ended."""
        if self._watch.is_alive():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._watch.join()

    def _wait(self) -> None:
        self._kept = self._process.communicate()[0] or ""
        self._ended = time.monotonic()


def prove(all_parts: Sequence[Part]) -> list[Outcome]:
    """Run every part, tell each as it ends, and give what came of them."""
    begun = {part.name: Running(part) for part in all_parts if part.beside}
    outcomes = []
    try:
        for part in all_parts:
            _say(f"\n=== {part.name}: {part.shows}")
            begun[part.name] = begun.get(part.name) or Running(part)
            outcomes.append(begun[part.name].outcome())
            _say(str(outcomes[-1]))
    finally:
        for running in begun.values():
            running.end()
    return outcomes


def main(arguments: list[str]) -> int:
    """0 when every part holds, 1 when one failed."""
    names = sorted({part.name.partition(",")[0] for part in parts(SEEDS)})
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("--only", action="append", choices=names, help="this part (may be repeated)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the simulation (default: %(default)s)")
    wishes = parser.parse_args(arguments)
    began = time.monotonic()
    outcomes = prove(
        [part for part in parts(wishes.seeds) if not wishes.only or part.name.startswith(tuple(wishes.only))]
    )
    _say("\n=== all of it", *map(str, outcomes), f"{time.monotonic() - began:>14.0f} s")
    return 0 if all(outcome.holds for outcome in outcomes) else 1


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
