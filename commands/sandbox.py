"""A world of our own: to play with, and to live three nights in."""

from __future__ import annotations

import sys

import click

import demo as demonstration
from commands.frame import BROKEN, UNREACHABLE, Failure, as_json
from console import Screen
from logs import log_to_stderr
from sandbox import serve


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed makes another world.")
@click.option("--organisations", default=25, show_default=True, type=click.IntRange(3, 500))
@click.option("--max-transactions", default=2000, show_default=True, type=click.IntRange(10, 2000))
@as_json
def demo(screen: Screen, seed: int, organisations: int, max_transactions: int) -> None:
    """Three nights in a world of our own, on this machine, with faults; exits 1 if any promise is broken."""
    log_to_stderr(level=40)
    report = demonstration.run(screen, seed, organisations, max_transactions)
    if not report.all_promises_hold:
        sys.exit(BROKEN)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8900, show_default=True, help="0 takes a free one.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds that each request takes.")
@click.option("--seed", type=int, help="Makes the ids of everything in it repeatable.")
def sandbox(host: str, port: int, latency: float, seed: int | None) -> None:
    """A Qonto and a Xero on this machine, with faults on demand (sandbox/README.md)."""
    try:
        serve(host, port, latency=latency, seed=seed)
    except OSError as error:
        raise Failure(f"cannot listen on {host}:{port}: {error.strerror}", UNREACHABLE) from error
