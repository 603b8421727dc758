"""A world of our own: to play with, and to live three nights in."""

from __future__ import annotations

import sys
from typing import Any

import click

import demo as demonstration
from clients.http import Http
from clients.qonto.account_events import EventType
from clients.sandbox import Sandbox
from commands.frame import (
    BROKEN,
    SETTINGS,
    UNREACHABLE,
    USAGE,
    Failure,
    as_json,
    stop_on_signal,
    the_settings,
    told_clearly,
)
from console import Screen
from logs import log_to_stderr
from sandbox import serve
from settings import IN_PROCESS

PORT = 8900


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed makes another world.")
@click.option("--organisations", default=25, show_default=True, type=click.IntRange(4, 500))
@click.option("--max-transactions", default=2000, show_default=True, type=click.IntRange(10, 2000))
@click.option("--web", is_flag=True, help="Then leave it all running, with the page where a customer connects Xero.")
@as_json
def demo(screen: Screen, seed: int, organisations: int, max_transactions: int, web: bool) -> None:
    """Three nights in a world of our own, on this machine, with faults; exits 1 if any promise is broken."""
    log_to_stderr(level=40)
    report = demonstration.run(screen, seed, organisations, max_transactions, stop_on_signal() if web else None)
    if not report.all_promises_hold:
        sys.exit(BROKEN)


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds that each request takes.")
@click.option("--seed", type=int, help="Makes the ids of everything in it repeatable.")
@click.pass_context
def sandbox(context: click.Context, host: str, port: int, latency: float, seed: int | None) -> None:
    """A Qonto and a Xero on this machine, with faults on demand (sandbox/README.md).

    With a broker in our settings, it publishes there as Qonto's core does whenever an account is opened or closed, and
    signs under the first of our event keys.
    """
    if context.invoked_subcommand:
        return
    with told_clearly():
        settings = the_settings()
        key_id = next(iter(settings.event_keys or {}), None)
        try:
            serve(
                host,
                port,
                latency=latency,
                seed=seed,
                events_broker=None if settings.events_broker_url == IN_PROCESS else settings.events_broker_url,
                events_key_id=key_id,
                events_key=(settings.event_keys or {}).get(key_id or ""),
            )
        except OSError as error:
            raise Failure(f"cannot listen on {host}:{port}: {error.strerror}", UNREACHABLE) from error
        except ValueError as error:  # of the broker's address; its text does not quote it
            raise Failure(f"the broker of events is {error}", SETTINGS) from error


@sandbox.command()
@click.argument("type_", metavar="TYPE", type=click.Choice([one.value for one in EventType]))
@click.option("--organisation", required=True, metavar="ORG", help="A Qonto organisation of it, by slug or id.")
@click.option("--account", default="", help="One of its accounts, by name or id (default: the first).")
@click.option("--times", default=1, show_default=True, type=click.IntRange(1, 1000), help="The same bytes so often.")
@click.option("--unsigned", is_flag=True, help="Without a signature, as somebody else might.")
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="Where the sandbox listens.")
@as_json
def emit(screen: Screen, type_: str, organisation: str, account: str, times: int, unsigned: bool, url: str) -> None:
    """Let Qonto's core tell of an account: publish an event, whatever the account is really like.

    \b
    qonto-xero sandbox                                             # in one terminal
    qonto-xero sandbox emit account.created --organisation ORG     # in another
    """
    world = Sandbox(Http(), url.rstrip("/"))
    found = next((one for one in world.get("/organisations")["organisations"] if organisation in _names(one)), None)
    if found is None:
        raise Failure(f"the sandbox knows no organisation {organisation!r}", USAGE)
    known = world.get(f"/qonto/{found['organisation_id']}/ledger")["accounts"]
    chosen = next((one for one in known if account in {"", one["id"], one["name"]}), None)
    if chosen is None:
        raise Failure(f"{organisation} has no account {account!r}; it has {[one['name'] for one in known]}", USAGE)
    told = {"type": type_, "times": times, "signed": not unsigned}
    emitted = world.post(f"/qonto/{found['organisation_id']}/accounts/{chosen['id']}/emit", told)["events"]
    rows = [event | {"account": chosen["name"]} for event in emitted]
    screen.rows("Emitted", ["number", "type", "id", "account"], rows)


def _names(organisation: dict[str, Any]) -> tuple[str, str]:
    return organisation["organisation_id"], organisation["slug"]
