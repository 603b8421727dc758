"""Nights, runs, transactions and quarantine once more: shown first, then done, with a reason in the audit."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from typing import Any, cast

import click

from commands.following import who_goes_on
from commands.frame import (
    BROKEN,
    DRY_RUN,
    USAGE,
    WHO,
    WHY,
    YES_MANY,
    Command,
    Failure,
    as_json,
    at_work,
    check_not_too_many,
)
from commands.quarantine import quarantine_requeue
from console import Screen
from domain.reasons import Broken, Held, Rejected, Unfinished
from domain.replay import Outcome
from models.chosen import (
    ChosenRun,
    newest_night_of_each,
    nights_between,
    nights_that_failed,
    runs_numbered,
    transactions_called,
    transactions_stuck,
)
from models.organisation import organisation_called
from services.replay import Item, Person, acting, runs_once_more, transactions_once_more
from services.replay import replay as do_once_more
from services.workbench import Workbench

MOST_SHOWN = 50  # rows for a person; --json has all
MOST_BITS = 63  # of a number that a database counts with
COLUMNS = ("organisation", "name", "state", "outcome", "why")
CODES = sorted({str(code) for code in (*Held, *Rejected, *Unfinished, *Broken)})
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def replay() -> None:
    """Do something once more. What Xero has is not sent again, so it is safe at any time, also during a night.

    \b
    qonto-xero replay organisation ORG --why "..."                       # its newest night
    qonto-xero replay organisation ORG --date 2026-11-20 --why "..."     # the night of a date
    qonto-xero replay failed --reason no_answer --why "..." --dry-run    # only show what it would do

    What would touch more than 50 organisations is only shown, unless you say --yes-many.
    """


def _once_more(command: Command) -> Command:
    """The options of a replay around what chooses its items."""

    @WHY
    @WHO
    @DRY_RUN
    @YES_MANY
    @as_json
    @wraps(command)
    def with_options(screen: Screen, why: str, who: str, dry_run: bool, yes_many: bool, **chosen: Any) -> None:
        with at_work() as (_, workbench):
            items: list[Item] = command(**chosen)
            if not items:
                raise Failure("nothing is like that, so nothing was done", USAGE)
            _go(screen, items, Person(who, why), workbench, dry_run=dry_run, yes_many=yes_many)

    return cast("Command", with_options)


@replay.command("organisation")
@click.argument("organisations", metavar="[ORG]...", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="Every organisation with a live connection.")
@click.option("--date", "day", type=DAY, help="The night of this local date.")
@click.option("--from", "since", type=DAY, help="Every night from this local date on.")
@click.option("--to", "until", type=DAY, help="And until this one.")
@_once_more
def replay_organisation(
    organisations: tuple[str, ...],
    everybody: bool,
    day: datetime | None,
    since: datetime | None,
    until: datetime | None,
) -> list[Item]:
    """A night of ORG once more: its newest, or those of the dates named. Qonto is read again from before that date on.

    A night that is under way is left alone: it does what a replay would do.
    """
    if bool(organisations) == everybody:
        raise Failure("name organisations, or say --all", USAGE)
    if bool(since) != bool(until) or (day and since):
        raise Failure("say --date, or both --from and --to", USAGE)
    return runs_once_more(_nights([_id_of(name) for name in organisations], since or day, until or day))


@replay.command("run")
@click.argument("numbers", metavar="RUN...", type=int, nargs=-1, required=True)
@_once_more
def replay_run(numbers: tuple[int, ...]) -> list[Item]:
    """Runs once more, by the numbers that `qonto-xero runs` shows."""
    found = runs_numbered([number for number in numbers if 0 < number.bit_length() < MOST_BITS])
    missing = set(numbers) - {run.id for run in found}
    if missing:
        raise Failure(f"there is no run {min(missing)}; `qonto-xero runs` shows them", USAGE)
    return runs_once_more(found)


@replay.command("transaction")
@click.argument("names", metavar="TRANSACTION...", nargs=-1, required=True)
@click.option("--recreate", is_flag=True, help="Also make again in Xero what a person deleted there.")
@_once_more
def replay_transaction(names: tuple[str, ...], recreate: bool) -> list[Item]:
    """Transactions once more, by their ids in Qonto or in Xero: what is held or was rejected is sent again.

    What Xero has is left alone, and what a person deleted there stays deleted, unless you say --recreate.
    """
    found = {name: transactions_called(name) for name in names}
    unknown = [name for name, ours in found.items() if not ours]
    if unknown:
        raise Failure(f"no transaction {unknown[0]!r} is known here, neither by Qonto's id nor by Xero's", USAGE)
    return transactions_once_more([one for ours in found.values() for one in ours], recreate=recreate)


@replay.command("failed")
@click.option("--reason", "code", required=True, metavar="CODE", type=click.Choice(CODES), help="As `status` names it.")
@_once_more
def replay_failed(code: str) -> list[Item]:
    """All that was held, rejected or given up for one reason, and may go now that it is mended.

    Transactions that are held or rejected for it are sent again; organisations' newest nights that failed for it are
    done once more. CODE is one that `qonto-xero status` shows.
    """
    return [*transactions_once_more(transactions_stuck(code)), *runs_once_more(nights_that_failed(code))]


replay.add_command(quarantine_requeue, "quarantine")


def _nights(organisations: Sequence[str], since: datetime | None, until: datetime | None) -> list[ChosenRun]:
    if since and until:
        return nights_between(organisations, since.date(), until.date())
    return newest_night_of_each(organisations)


def _id_of(name: str) -> str:
    known = organisation_called(name)
    if known is None:
        raise Failure(f"no organisation was ever connected that is called {name!r}", USAGE)
    return str(known.id)


def _go(
    screen: Screen, items: Sequence[Item], person: Person, workbench: Workbench, *, dry_run: bool, yes_many: bool
) -> None:
    """Show what it does, and do it unless it is a trial or too much."""
    to_do = acting(items)
    organisations = len({item.organisation_id for item in to_do})
    if not screen.as_json:
        _show(screen, items, organisations)
    if not dry_run:
        check_not_too_many(organisations, yes_many=yes_many)
    done = 0 if dry_run else _done(screen, to_do, person, workbench)
    _tell(screen, items, done, dry_run=dry_run)
    if done and not screen.as_json:
        screen.say(who_goes_on(workbench))
    if not (dry_run or to_do) and any(item.outcome == Outcome.STAYS for item in items):
        sys.exit(BROKEN)


def _tell(screen: Screen, items: Sequence[Item], done: int, *, dry_run: bool) -> None:
    if screen.as_json:
        screen.json({"done": done, "items": [asdict(item) for item in items]})
    else:
        screen.say("nothing was done: this is a dry run" if dry_run else f"{done} done")


def _show(screen: Screen, items: Sequence[Item], organisations: int) -> None:
    screen.rows("Once more", COLUMNS, [asdict(item) for item in items[:MOST_SHOWN]])
    if len(items) > MOST_SHOWN:
        screen.say(f"... and {len(items) - MOST_SHOWN} more; --json shows all")
    counts = Counter(str(item.outcome) for item in items)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    screen.say(f"{len(items)} chosen: {told}, in {organisations} organisations")


def _done(screen: Screen, to_do: Sequence[Item], person: Person, workbench: Workbench) -> int:
    """How many. What ends it half-way is told with what was done until then, which stays done."""
    done = 0
    try:
        with screen.progress() as bar:
            task = bar.add_task("replaying", total=len(to_do))
            for count in do_once_more(to_do, person, workbench.clock()):
                done += count
                bar.update(task, advance=count)
    except Exception:
        click.echo(f"{done} of {len(to_do)} were done before this; say it again for the others", err=True)
        raise
    return done
