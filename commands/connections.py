"""Which organisation is connected to which: made, listed, shown."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from commands.accounts import ACCOUNT_COLUMNS
from commands.following import follow, standing_of, who_goes_on
from commands.frame import (
    BROKEN,
    DRY_RUN,
    REASON,
    USAGE,
    WHO,
    WHY,
    YES_MANY,
    Failure,
    as_json,
    at_work,
    check_not_too_many,
    start_log,
    stop_on_signal,
    the_connection,
)
from console import Screen
from domain.calendar import next_night
from domain.time_zones import UnknownTimeZone
from domain.time_zones import time_zone as named_zone
from domain.what_next import waits_for_a_moment
from models.access_refusal import held_back
from models.organisation import Connection
from models.statements import load
from models.states import RunState
from services.connect import Grant, Wishes, connect
from services.disconnect import AGAIN, ask_to_disconnect
from services.judge_refusal import end_held_back
from services.set_time_zone import set_time_zone
from services.view_accounts import view_accounts
from services.view_connections import view_connection, view_connections, view_run
from settings import IN_PROCESS, Secret

QONTO_BEGAN = 2017


@click.group()
def connections() -> None:
    """Which Qonto organisation goes to which Xero organisation."""


@connections.command("add")
@click.option("--tenant", default="", help="The Xero organisation's name or id, if the token reaches several.")
@click.option("--name", default="", help="What to call this connection (default: the Xero organisation's name).")
@click.option("--time-zone", default="Europe/Paris", show_default=True, help="On whose clock it is 23:00.")
@click.option("--from", "starts_at", type=click.DateTime(), help="Send what settled from then on (default: now).")
@click.option("--qonto-key-file", type=click.Path(exists=True, dir_okay=False), help="Holds Qonto's login:secret.")
@click.option(
    "--qonto-token-file", type=click.Path(exists=True, dir_okay=False), help="Or Qonto's OAuth refresh token."
)
@click.option("--xero-token-file", type=click.Path(exists=True, dir_okay=False), help="Holds Xero's refresh token.")
@WHO
@as_json
def connections_add(
    screen: Screen,
    tenant: str,
    name: str,
    time_zone: str,
    starts_at: datetime | None,
    qonto_key_file: str | None,
    qonto_token_file: str | None,
    xero_token_file: str | None,
    who: str,
) -> None:
    """Connect a Qonto organisation to a Xero one. Secrets come from files, or are asked for, never from arguments."""
    try:
        zone = named_zone(time_zone)
    except UnknownTimeZone as error:
        raise Failure(f"--time-zone {error}", USAGE) from error
    if starts_at and starts_at.year < QONTO_BEGAN:
        raise Failure(f"--from {starts_at.date()} is before there was a Qonto", USAGE)
    begins = starts_at.replace(tzinfo=zone) if starts_at else None
    with at_work() as (_, workbench):
        if begins and begins > workbench.clock():
            raise Failure(
                f"--from {begins:%Y-%m-%d %H:%M} is in the future in {time_zone}: name a day that has come", USAGE
            )
        key = Secret("") if qonto_token_file else _secret(qonto_key_file, "Qonto API key (login:secret)")
        grant = Grant(
            qonto_api_key=key,
            qonto_refresh_token=_secret(qonto_token_file, "Qonto refresh token") if qonto_token_file else Secret(""),
            xero_refresh_token=_secret(xero_token_file, "Xero refresh token"),
        )
        connection = connect(workbench, grant, Wishes(name, tenant, time_zone, begins), who=who)
        view = view_connection(connection)
        if screen.as_json:
            screen.json(view)
        else:
            since = f"{view.starts_at.astimezone(zone):%Y-%m-%d %H:%M}"
            screen.say(f"{view.organisation} is connected to {view.tenant_name}.")
            screen.say(f"What settles from {since} on is sent every night at 23:00 {view.time_zone}.")
            screen.say(f"Without waiting for the night: qonto-xero sync {view.organisation}")
            screen.say(who_goes_on(workbench))


def _secret(path: str | None, what: str) -> Secret:
    if not path and not sys.stdin.isatty():
        raise Failure(f"there is no terminal to ask for the {what} on: name a file that holds it", USAGE)
    if not path:
        return Secret(click.prompt(what, hide_input=True, err=True))
    try:
        return Secret(Path(path).read_text().strip())
    except UnicodeDecodeError as error:
        raise Failure(f"{path} does not hold a {what}: it is not text", USAGE) from error


@connections.command("disconnect")
@click.argument("organisation", metavar="ORG")
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Until the secrets are erased: a minute at most."
)
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@REASON
@WHO
@as_json
def connections_disconnect(screen: Screen, organisation: str, wait: bool, yes: bool, reason: str, who: str) -> None:
    """End the connection of ORG: nothing is sent any more, and what lets us into Qonto and Xero is erased.

    Everything in Xero stays as it is, and so does our record of it: connected again to the same Xero organisation,
    nothing is sent twice. It cannot be taken back without signing in at Xero anew.
    """
    start_log(logging.WARNING)
    stop = stop_on_signal()
    with at_work() as (settings, workbench):
        connection = the_connection(organisation)
        _confirm(f"Disconnect {organisation} from {connection.tenant_name or connection.tenant_id}?", yes=yes)
        run = ask_to_disconnect(connection, who, reason, workbench.clock())
        alone = settings.broker_url == IN_PROCESS
        while wait or alone:
            run = follow(screen, run.id, workbench, stop, "taking leave", alone=alone)
            if stop.is_set() or not waits_for_a_moment(standing_of(run)):
                break
            stop.wait(AGAIN.total_seconds())
        found = load(Connection, connection.id)
        columns = ["organisation", "state", "ended_at", "note", "next"]
        following = view_run(run.id, workbench.clock())["next"]
        ended = {"organisation": organisation, "state": found.state, "ended_at": found.ended_at}
        ended |= {"note": run.reason, "next": following}
        screen.rows("Disconnected", columns, [ended])
        if (wait or alone) and run.state != RunState.DONE:
            sys.exit(BROKEN)


def _confirm(question: str, *, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise Failure("there is no terminal to ask whether you are sure on: say --yes", USAGE)
    if not yes:
        click.confirm(question, abort=True, err=True)


@connections.command("time-zone")
@click.argument("organisation", metavar="ORG")
@click.argument("zone", metavar="ZONE")
@WHY
@WHO
@as_json
def connections_time_zone(screen: Screen, organisation: str, zone: str, why: str, who: str) -> None:
    """Have ORG's nights at 23:00 in another ZONE, and date by it what is read from now on.

    ZONE is an IANA name such as Europe/Paris. What has been sent keeps its date.
    """
    with at_work() as (_, workbench):
        connection = the_connection(organisation)
        set_time_zone(connection, zone, who, why, workbench.clock())
        view = view_connection(connection)
        first = next_night(workbench.clock(), zone)
        screen.rows("Time zone", ["organisation", "time_zone", "next_night"], [asdict(view) | {"next_night": first}])


@connections.command("list")
@as_json
def connections_list(screen: Screen) -> None:
    """Every connection, with when it was last synced."""
    with at_work():
        columns = ["organisation", "name", "tenant_name", "state", "time_zone", "last_sync", "reason"]
        screen.rows("Connections", columns, [asdict(view) for view in view_connections()])


@connections.command("release-brake")
@DRY_RUN
@YES_MANY
@WHY
@WHO
@as_json
def connections_release_brake(screen: Screen, dry_run: bool, yes_many: bool, why: str, who: str) -> None:
    """Ask the customers to reconnect whose connections the fleet brake holds.

    The brake holds connections while many would need reconnecting at once: then the cause is mostly not theirs. Use
    this when it is, and only they can mend it. Any other one goes on by itself once the cause is gone.
    """
    with at_work() as (_, workbench):
        now = workbench.clock()
        refusals = held_back(now)
        views = [view_connection(load(Connection, key)) for key in sorted({one.connection_id for one in refusals})]
        screen.rows("Held by the fleet brake", ["organisation", "state", "reason"], [asdict(view) for view in views])
        if not dry_run:
            check_not_too_many(len(views), yes_many=yes_many)
            screen.say(f"{end_held_back(refusals, who, why, now)} now need reconnecting.")


@connections.command("show")
@click.argument("organisation", metavar="ORG")
@as_json
def connections_show(screen: Screen, organisation: str) -> None:
    """One connection: its accounts, and how many transactions are in which state."""
    with at_work():
        connection = the_connection(organisation)
        view, accounts = view_connection(connection), view_accounts(connection)
        if screen.as_json:
            screen.json(asdict(view) | {"accounts": accounts})
            return
        rows = [{"what": key, "is": value} for key, value in asdict(view).items() if key != "postings"]
        screen.rows(view.name, ["what", "is"], rows)
        screen.rows("Accounts", ACCOUNT_COLUMNS, [asdict(account) for account in accounts])
        postings = [{"state": state, "transactions": count} for state, count in view.postings.items()]
        screen.rows("Transactions", ["state", "transactions"], postings)
