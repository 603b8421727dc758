"""Qonto's events: what came, what came of it, and once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from clients.qonto.account_events import EventType
from commands.frame import DRY_RUN, REASON, USAGE, WHO, YES_MANY, Failure, as_json, at_work, check_not_too_many
from console import Screen
from models.inbox import InboxEvent, choose_events, events_called
from models.organisation import organisation_called
from services.replay_events import replay_events
from services.view_events import view_events

COLUMNS = ("event", "type", "organisation", "account", "received_at", "handled_at", "outcome", "why")

Command = TypeVar("Command", bound=Callable[..., Any])


def choosing(command: Command) -> Command:
    """The options that choose events, the same for looking and for replaying."""
    for option in (
        click.option("--to", "until", type=click.DateTime(), help="Received before then (UTC)."),
        click.option("--from", "since", type=click.DateTime(), help="Received from then on (UTC)."),
        click.option("--type", "type_", type=click.Choice([one.value for one in EventType]), default=None),
        click.option("--organisation", metavar="ORG", default="", help="Of this Qonto organisation, by slug or id."),
    ):
        command = option(command)
    return command


@click.group()
def events() -> None:
    """What Qonto's core told of accounts. Each event is kept once, without its bytes: an event only says "look"."""


@events.command("list")
@choosing
@click.option("--unhandled", is_flag=True, help="Only those that are still to be followed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def events_list(
    screen: Screen,
    organisation: str,
    type_: str | None,
    since: datetime | None,
    until: datetime | None,
    unhandled: bool,
    limit: int,
) -> None:
    """The newest events first, and what came of each.

    \b
    qonto-xero events list --unhandled               # what nobody has followed yet
    qonto-xero events list --organisation ORG        # what came for one organisation
    """
    with at_work():
        found = choose_events(
            organisation_id=_id_of(organisation),
            type_=type_ or "",
            since=_utc(since),
            until=_utc(until),
            only_unhandled=unhandled,
            limit=limit,
        )
        screen.rows("Events", COLUMNS, [asdict(event) for event in view_events(found)])


@events.command("show")
@click.argument("event")
@as_json
def events_show(screen: Screen, event: str) -> None:
    """Everything about one event, by its number or by the id that the core gave it."""
    with at_work():
        view = view_events(_found([event]))[0]
        if screen.as_json:
            screen.json(view)
        else:
            screen.rows(f"Event {event}", ["what", "is"], [{"what": k, "is": v} for k, v in asdict(view).items()])


@events.command("replay")
@click.argument("names", metavar="[EVENT]...", nargs=-1)
@choosing
@REASON
@WHO
@DRY_RUN
@YES_MANY
@as_json
def events_replay(
    screen: Screen,
    names: tuple[str, ...],
    organisation: str,
    type_: str | None,
    since: datetime | None,
    until: datetime | None,
    reason: str,
    who: str,
    dry_run: bool,
    yes_many: bool,
) -> None:
    """Follow events once more: those with these numbers or ids, or those that the options choose.

    Safe at any time, also during a night: each account is read from Qonto again, and what is in Xero already is not
    made again.
    """
    if not (names or organisation or type_ or since or until):
        raise Failure("name events by their numbers, or choose them by --organisation, --type, --from or --to", USAGE)
    with at_work() as (_, workbench):
        chosen = choose_events(
            ids=[event.id for event in _found(names)],
            organisation_id=_id_of(organisation),
            type_=type_ or "",
            since=_utc(since),
            until=_utc(until),
        )
        if not chosen:
            raise Failure("no event is like that; `qonto-xero events list` shows them", USAGE)
        touched = len({event.organisation_id for event in chosen})
        check_not_too_many(touched, yes_many=dry_run or yes_many)
        if not dry_run:
            with screen.progress() as bar:
                task = bar.add_task("replaying", total=len(chosen))
                for count in replay_events(chosen, who, reason, workbench.clock()):
                    bar.update(task, advance=count)
        what = "would be replayed" if dry_run else "replayed"
        if screen.as_json:
            screen.json({"replayed": 0 if dry_run else len(chosen), "events": [asdict(v) for v in view_events(chosen)]})
        else:
            screen.rows("Events", COLUMNS, [asdict(view) for view in view_events(chosen)])
            screen.say(f"{len(chosen)} events of {touched} organisations {what}")


def _found(names: Sequence[str]) -> list[InboxEvent]:
    found: list[InboxEvent] = []
    for name in names:
        like = events_called(name)
        if not like:
            raise Failure(f"there is no event {name}; `qonto-xero events list` shows them", USAGE)
        found += like
    return found


def _id_of(organisation: str) -> str:
    """The id of an organisation given by slug or id; events of those that never connected are found by id."""
    known = organisation_called(organisation)
    return known.id if known else organisation


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
