"""`python -m tests.simulation --seed 1234 -v` tells one seed; `--seeds 20000 --processes 2` runs many."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.chunks import run_chunk
from tests.simulation.simulation import Outcome, simulation

CHUNK = 100


def main(arguments: list[str]) -> int:
    """0 when every promise was kept, else 1 and the command that tells the first broken seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one only")
    parser.add_argument("-v", action="store_true", help="tell its story")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _one(options.seed, is_told=options.v)
    return _many(range(options.first_seed, options.first_seed + options.seeds), options.processes)


def _one(seed: int, *, is_told: bool) -> int:
    with simulation() as simulated:
        outcome = simulated.run(seed, is_told=is_told)
    _say(*outcome.story, f"seed {seed}: {outcome.violation or 'every promise was kept'}")
    return 1 if outcome.violation else 0


def _many(seeds: range, processes: int) -> int:
    started = time.monotonic()
    broken = next(_broken(seeds, processes), None)
    seconds = time.monotonic() - started
    if broken:
        _say(f"seed {broken.seed}: {broken.violation}", f"python -m tests.simulation --seed {broken.seed} -v")
        return 1
    _say(f"{len(seeds)} seeds kept every promise, {seconds:.0f} s, {len(seeds) / seconds:.0f} seeds a second")
    return 0


def _broken(seeds: range, processes: int) -> Iterator[Outcome]:
    """The first broken seed of each chunk, in the order of the seeds."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if processes == 1:
        yield from filter(None, map(run_chunk, chunks))
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        yield from filter(None, pool.map(run_chunk, chunks))
    finally:
        pool.shutdown(cancel_futures=True)


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
