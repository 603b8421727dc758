"""The command line: starts every process, runs every operator's action."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo, available_timezones

import click

import demo as demonstration
from clients.errors import Reconnect, RemoteError
from console import Screen, plain
from domain.ledger_check import count as count_findings
from domain.money import to_decimal
from failpoints import watch
from logs import log_to_stderr
from messaging import BrokerUnreachable, ConfirmingPublisher, InProcessPublisher, Lane, run_worker
from messaging.outbox_relay import Relay
from messaging.reachable import check_broker
from models.database import DATABASE_OUTAGE, configure, connected, where
from models.encryption import CannotDecrypt
from models.migrate import SchemaOutOfDate, check_schema, migrate
from models.organisation import Connection, connection_of
from models.states import OPEN_RUN_STATES
from models.sync_run import SyncRun
from sandbox import serve
from scheduler.loop import Scheduler
from services.access_tokens import check_keys
from services.check import Check, check_all
from services.check import check as check_organisation
from services.connect import CannotConnect, Grant, Wishes, connect
from services.explain import explain as explain_transaction
from services.plan_night import plan_night
from services.prove_balance import prove_balance
from services.request_sync import request_sync
from services.sync_organisation import sync_organisation
from services.verify import distrust_record
from services.view_connections import view_accounts, view_connection, view_connections, view_runs
from services.workbench import Workbench, make_workbench
from settings import IN_PROCESS, Secret, Settings, SettingsError, read_settings
from workers.process import worker_broker

QONTO_BEGAN = 2017
FOLLOW_SECONDS = 0.1  # between two looks at a run
BROKEN, USAGE, UNREACHABLE, SETTINGS, RECONNECT = 1, 2, 3, 4, 5
EXIT_CODES = """\b
Exit codes:
  0  done, and what was asked for holds
  1  done, and something does not hold (a balance differs, a promise is broken, a run failed)
  2  the command was not understood, or names something that does not exist
  3  the database, the broker, Qonto or Xero cannot be reached
  4  a setting is missing or malformed (QONTO_XERO_...)
  5  Qonto or Xero no longer lets us in: connect again
"""

Command = TypeVar("Command", bound=Callable[..., Any])


class Failure(click.ClickException):
    """An error with an exit code of its own, told on one line."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(plain(message))
        self.exit_code = exit_code  # type: ignore[misc] # click declares it for the class; it is read from the instance


@contextmanager
def told_clearly() -> Iterator[None]:
    """Every error that a person can do something about, as one line that names it, with its exit code."""
    try:
        yield
    except SettingsError as error:
        raise Failure(str(error), SETTINGS) from error
    except (CannotDecrypt, SchemaOutOfDate) as error:
        raise Failure(str(error), SETTINGS) from error
    except CannotConnect as error:
        raise Failure(str(error), USAGE) from error
    except Reconnect as error:
        raise Failure(f"{error}. Connect again.", RECONNECT) from error
    except (RemoteError, BrokerUnreachable) as error:
        raise Failure(str(error), UNREACHABLE) from error
    except DATABASE_OUTAGE as error:
        raise Failure(f"the database {where()} failed: {str(error).strip().splitlines()[0]}", UNREACHABLE) from error


def as_json(command: Command) -> Command:
    """The `--json` option, as a `screen` argument."""

    @click.option("--json", "json_wanted", is_flag=True, help="The result as JSON, for scripts.")
    @wraps(command)
    def with_screen(*args: Any, json_wanted: bool, **kwargs: Any) -> Any:
        with told_clearly():
            return command(*args, screen=Screen(as_json=json_wanted), **kwargs)

    return cast("Command", with_screen)


def the_settings() -> Settings:
    """This process's settings; failpoints, which only a test arms, are watched for from here on."""
    settings = read_settings(os.environ)
    watch(settings.failpoints)
    return settings


@contextmanager
def at_work() -> Iterator[tuple[Settings, Workbench]]:
    """Settings, a connection to an up-to-date database, and a workbench."""
    settings = the_settings()
    configure(settings.database_url)
    workbench = make_workbench(settings)
    with connected():
        check_schema()
        check_keys(workbench.keyring)
        yield settings, workbench


def the_connection(organisation: str) -> Connection:
    found = connection_of(organisation)
    if found is None:
        raise Failure(
            f"no connected organisation is called {organisation!r}; `qonto-xero connections list` shows them", USAGE
        )
    return found


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Every night at 23:00, each settled Qonto transaction appears in Xero exactly once.

    \b
    Try it:     qonto-xero demo
    Set up:     qonto-xero db migrate, then qonto-xero connections add
    Run it:     qonto-xero scheduler   and   qonto-xero worker
    Look:       qonto-xero runs, plan ORG, explain TRANSACTION, balance ORG

    ORG is a Qonto organisation's slug or id. Settings are QONTO_XERO_... variables; docs/operations lists them.
    """


@main.command()
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


@main.command()
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


@main.command()
def scheduler() -> None:
    """Open the runs that fall due, publish their messages. Any number may run.

    Without a broker (QONTO_XERO_BROKER_URL=memory://, the default) it runs the jobs too, in this one process.
    """
    log_to_stderr()
    stop = _stop_on_signal()
    with told_clearly(), at_work() as (settings, workbench):
        if settings.broker_url == IN_PROCESS:
            _schedule_and_work(settings, workbench, stop)
        else:
            check_broker(settings.broker_url)
            publisher = ConfirmingPublisher(settings.broker_url)
            Scheduler(Relay(publisher, workbench.clock), workbench.clock).run(stop)
            publisher.close()


def _schedule_and_work(settings: Settings, workbench: Workbench, stop: Event) -> None:
    broker = worker_broker(settings.broker_url, workbench, stop)
    relay = Relay(InProcessPublisher(broker), workbench.clock)
    clockwork = Thread(target=Scheduler(relay, workbench.clock).run, args=(stop,), name="scheduler")
    clockwork.start()
    run_worker(broker, list(Lane), 4, stop)
    clockwork.join()


@main.command()
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Jobs at once.")
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice([lane.value for lane in Lane]),
    help="Only these (default: all).",
)
def worker(threads: int, lanes: tuple[str, ...]) -> None:
    """Run jobs from RabbitMQ until SIGTERM, then finish the requests in flight and exit. Any number may run."""
    log_to_stderr()
    stop = _stop_on_signal()
    with told_clearly():
        settings = the_settings()
        if settings.broker_url == IN_PROCESS:
            raise SettingsError(
                "QONTO_XERO_BROKER_URL is not set: without a broker, `qonto-xero scheduler` runs the jobs"
            )
        configure(settings.database_url, pool_size=threads + 2)
        workbench = make_workbench(settings)
        with connected():
            check_schema()
            check_keys(workbench.keyring)
        check_broker(settings.broker_url)
        broker = worker_broker(settings.broker_url, workbench, stop)
        run_worker(broker, [Lane(lane) for lane in lanes] or list(Lane), threads, stop)


def _stop_on_signal() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@main.group()
def db() -> None:
    """The database's schema."""


@db.command("migrate")
@as_json
def db_migrate(screen: Screen) -> None:
    """Bring the schema up to date; safe to say again."""
    configure(the_settings().database_url)
    with connected():
        applied = migrate()
        if screen.as_json:
            screen.json({"database": where(), "applied": applied})
        else:
            screen.say(f"{where()}: " + (f"applied {', '.join(applied)}" if applied else "up to date"))


@db.command("restored")
@click.option("--taken-at", type=click.DateTime(), required=True, help="When the backup was taken (UTC).")
@click.option("--reason", required=True, help="Why it was restored; kept in the audit.")
@click.option("--who", default="operator", show_default=True, help="Your name, for the audit.")
@as_json
def db_restored(taken_at: datetime, reason: str, who: str, screen: Screen) -> None:
    """Say it before any worker runs on a database that was restored from a backup.

    What was posted since the backup is due again by its record. So each organisation is looked up in Xero before
    anything of it is sent, and nobody calls Xero for seven minutes, for what may still be under way.
    """
    with at_work() as (_, workbench):
        count = distrust_record(taken_at.replace(tzinfo=UTC), who, reason, workbench.clock())
        if screen.as_json:
            screen.json({"connections": count})
        else:
            screen.say(f"{count} connections look in Xero for what is there before they send anything")


@main.group()
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
@click.option("--who", default="operator", show_default=True, help="Your name, for the audit.")
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
    if time_zone not in available_timezones():
        raise Failure(f"--time-zone {time_zone!r} is not an IANA time zone such as Europe/Paris", USAGE)
    if starts_at and starts_at.year < QONTO_BEGAN:
        raise Failure(f"--from {starts_at.date()} is before there was a Qonto", USAGE)
    with at_work() as (_, workbench):
        key = Secret("") if qonto_token_file else _secret(qonto_key_file, "Qonto API key (login:secret)")
        grant = Grant(
            qonto_api_key=key,
            qonto_refresh_token=_secret(qonto_token_file, "Qonto refresh token") if qonto_token_file else Secret(""),
            xero_refresh_token=_secret(xero_token_file, "Xero refresh token"),
        )
        begins = starts_at.replace(tzinfo=ZoneInfo(time_zone)) if starts_at else None
        connection = connect(workbench, grant, Wishes(name, tenant, time_zone, begins), who=who)
        view = view_connection(connection)
        if screen.as_json:
            screen.json(view)
        else:
            screen.say(f"{view.organisation} is connected to {view.tenant_name}; it syncs at 23:00 {view.time_zone}.")
            screen.say(f"Not waiting: qonto-xero sync {view.organisation}")


def _secret(path: str | None, what: str) -> Secret:
    if not path and not sys.stdin.isatty():
        raise Failure(f"there is no terminal to ask for the {what} on: name a file that holds it", USAGE)
    if not path:
        return Secret(click.prompt(what, hide_input=True, err=True))
    try:
        return Secret(Path(path).read_text().strip())
    except UnicodeDecodeError as error:
        raise Failure(f"{path} does not hold a {what}: it is not text", USAGE) from error


@connections.command("list")
@as_json
def connections_list(screen: Screen) -> None:
    """Every connection, with when it was last synced."""
    with at_work():
        columns = ["organisation", "name", "tenant_name", "state", "time_zone", "last_sync"]
        screen.rows("Connections", columns, [asdict(view) for view in view_connections()])


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
        screen.rows("Accounts", ["name", "in_qonto", "in_xero", "generation", "code", "why"], accounts)
        postings = [{"state": state, "transactions": count} for state, count in view.postings.items()]
        screen.rows("Transactions", ["state", "transactions"], postings)


@main.command()
@click.argument("organisation", metavar="ORG")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the run until it ends.")
@click.option("--who", default="operator", show_default=True, help="Your name, for the audit.")
@as_json
def sync(screen: Screen, organisation: str, wait: bool, who: str) -> None:
    """Sync ORG now. With a broker a worker does it; without one, this command does."""
    log_to_stderr(level=30)
    stop = _stop_on_signal()
    with at_work() as (settings, workbench):
        run = request_sync(the_connection(organisation), Lane.INTERACTIVE, who, workbench.clock())
        alone = settings.broker_url == IN_PROCESS
        if wait or alone:
            _follow(screen, run.id, workbench, stop, alone=alone)
        found = next(row for row in view_runs(the_connection(organisation), 100) if row["run"] == run.id)
        screen.rows("Sync", ["organisation", "state", "imported", "posted", "accounts_created", "reason"], [found])
        if (wait or alone) and found["state"] != "done":
            sys.exit(BROKEN)


def _follow(screen: Screen, run_id: int, workbench: Workbench, stop: Event, *, alone: bool) -> None:
    """Show a run until it ends, or waits for a later moment; `alone`, work on it here too."""
    with screen.progress() as bar:
        task = bar.add_task("sending", total=None)
        while not stop.is_set():
            if alone:
                sync_organisation(run_id, workbench, stop.is_set)
            run = SyncRun.get_by_id(run_id)
            bar.update(task, completed=run.posted, total=run.imported or None)
            if run.state not in OPEN_RUN_STATES or run.state == "waiting":
                return
            stop.wait(FOLLOW_SECONDS)


@main.command()
@click.argument("organisation", metavar="ORG")
@as_json
def plan(screen: Screen, organisation: str) -> None:
    """What tonight would do for ORG. Reads both sides; sends and stores nothing."""
    with at_work() as (_, workbench):
        planned = plan_night(the_connection(organisation), workbench)
        if screen.as_json:
            screen.json(planned)
            return
        rows = [
            asdict(account) | {"sum": to_decimal(account.cents), "excluded": _counts(account.excluded)}
            for account in planned.accounts
        ]
        screen.rows("Tonight", ["name", "in_xero", "to_send", "sum", "excluded"], rows)
        screen.say(f"{planned.writes} writes to Xero. Stored and waiting: {_counts(planned.waiting) or 'nothing'}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{what}: {count}" for what, count in counts.items())


@main.command()
@click.argument("organisation", metavar="[ORG]", required=False)
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@as_json
def runs(screen: Screen, organisation: str | None, limit: int) -> None:
    """The newest runs, of all organisations or of ORG."""
    with at_work():
        connection = the_connection(organisation) if organisation else None
        columns = [
            "run",
            "organisation",
            "kind",
            "local_date",
            "state",
            "imported",
            "posted",
            "accounts_created",
            "reason",
        ]
        screen.rows("Runs", columns, view_runs(connection, limit))


@main.command()
@click.argument("transaction")
@as_json
def explain(screen: Screen, transaction: str) -> None:
    """The whole story of a TRANSACTION, by its id in Qonto or in Xero."""
    with at_work():
        stories = explain_transaction(transaction)
        if not stories:
            raise Failure(f"no transaction {transaction!r} is known here, neither by Qonto's id nor by Xero's", USAGE)
        if screen.as_json:
            screen.json([asdict(story) for story in stories])
            return
        for story in stories:
            screen.say(f"{story.transaction_id}  {story.amount} on {story.date}  {story.organisation}")
            screen.say(f"{story.state.replace('_', ' ')}. {story.reason} {story.detail}".rstrip(), style="bold")
            screen.rows("Story", ["at", "what"], [asdict(step) for step in story.steps])


@main.command()
@click.argument("organisation", metavar="ORG")
@as_json
def balance(screen: Screen, organisation: str) -> None:
    """Qonto's balance against Xero's, per account, and the exact ids of what differs; exits 1 if any does."""
    with at_work() as (_, workbench):
        proofs = prove_balance(the_connection(organisation), workbench)
    if screen.as_json:
        screen.json([asdict(proof) | {"is_equal": proof.is_equal, "is_proved": proof.is_proved} for proof in proofs])
    else:
        money = ("qonto", "opening", "to_come", "xero", "unexplained")
        rows = [
            asdict(proof) | {key: to_decimal(getattr(proof, key)) for key in money} | {"equal": proof.is_equal}
            for proof in proofs
        ]
        screen.rows("Balance", ["name", "currency", *money, "equal"], rows)
        named = [asdict(d) | {"amount": to_decimal(d.cents)} for proof in proofs for d in proof.differences]
        if named:
            screen.rows("What differs", ["transaction_id", "bank_transaction_id", "amount", "why"], named)
    if not all(proof.is_equal for proof in proofs):
        sys.exit(BROKEN)


@main.command()
@click.argument("organisation", metavar="[ORG]", required=False)
@as_json
def check(screen: Screen, organisation: str | None) -> None:
    """Hold Qonto, Xero and our database against each other; exits 1 if anything is violated.

    Every transaction of ORG, or of each connected organisation, is lost, duplicated, unexpected, recovered (in Xero,
    but we do not say so), of a wrong amount (or side, currency, day), in a wrong tenant or account, or right. What is
    held, rejected or excluded with a reason is said, and not lost; what no night has had to send yet is to come.

    Then each invariant that can be judged from here: it holds, or the ids that violate it.

    It writes nothing and may be run at any time, best when no run is open. Reading Xero costs one call for each 1,000
    transactions that are there, deleted ones too, and one for the accounts; Qonto one for each 100 and account.

    \b
    qonto-xero check farolillo-sl-1           # one organisation
    qonto-xero check --json                   # all of them, for a monitor
    qonto-xero explain TRANSACTION            # then: the story of an id that it names
    """
    with at_work() as (_, workbench):
        if organisation:
            checks = [check_organisation(the_connection(organisation), workbench)]
        else:
            checks = list(check_all(workbench))
    if screen.as_json:
        screen.json([_check_content(one) for one in checks])
    else:
        for one in checks:
            _show_check(screen, one)
    if not all(one.holds for one in checks):
        sys.exit(BROKEN)


def _check_content(one: Check) -> dict[str, Any]:
    lines = [asdict(line) | {"meaning": line.meaning, "holds": line.holds} for line in one.invariants]
    classes = dict(count_findings(one.findings))
    return asdict(one) | {"holds": one.holds, "classes": classes, "invariants": lines}


def _show_check(screen: Screen, one: Check) -> None:
    if one.problem:
        screen.say(f"{one.organisation} could not be checked: {one.problem}")
        return
    classes = [{"transactions": what, "number": number} for what, number in count_findings(one.findings).items()]
    screen.rows(one.organisation, ["transactions", "number"], classes)
    lines = [
        {"invariant": line.name, "says": line.meaning, "holds": line.holds, "violations": len(line.violations)}
        for line in one.invariants
    ]
    screen.rows("Invariants", ["invariant", "says", "holds", "violations"], lines)
    named = [{"what": line.name, "violation": text} for line in one.invariants for text in line.violations]
    named += [{"what": finding.what, "violation": str(finding)} for finding in one.wrong]
    if named:
        screen.rows("What is violated", ["what", "violation"], named)
    for note in one.notes:
        screen.say(note)


if __name__ == "__main__":
    main()
