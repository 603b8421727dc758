"""`python -m tests.mutations`: break one promise at a time in a copy of the tree, and see which test turns red."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.mutations.mutation import Mutation
from tests.mutations.table import MUTATIONS
from tests.mutations.trial import CAUGHT, Trial, Unsound, try_all

FAILED = 1
NAMES = {mutation.name: mutation for mutation in MUTATIONS}
WIDTH = max(map(len, NAMES))


def main(arguments: list[str]) -> int:
    """0 when every mutation was caught, 1 when one survived or nothing could be concluded."""
    wishes = _parser().parse_args(arguments)
    began = time.monotonic()
    trials: list[Trial] = []
    try:
        for trial in try_all(wishes.only or MUTATIONS, processes=wishes.processes):
            trials.append(trial)
            _say(_lines(trial))
    except Unsound as problem:
        _say(str(problem))
        return FAILED
    caught = sum(trial.verdict == CAUGHT for trial in trials)
    _say(f"{caught} of {len(trials)} mutations are caught, {time.monotonic() - began:.0f} s")
    if wishes.json:
        wishes.json.write_text(json.dumps([asdict(trial) for trial in trials], indent=1) + "\n")
    return 0 if caught == len(trials) else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", type=_named, action="append", metavar="NAME", help="this one (may be repeated)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    return parser


def _named(name: str) -> Mutation:
    if name not in NAMES:
        raise argparse.ArgumentTypeError(f"there is no mutation {name}; there are {', '.join(NAMES)}")
    return NAMES[name]


def _lines(trial: Trial) -> str:
    """The mutation in words, and below it the test that caught it, or why it was not caught."""
    head = f"{trial.verdict:<8}  {trial.seconds:>5.1f} s  {trial.name:<{WIDTH}}  "
    by = trial.by.rpartition("::")[2] if trial.verdict == CAUGHT else trial.by
    return f"{head}{trial.breaks}\n{' ' * len(head)}{by}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
