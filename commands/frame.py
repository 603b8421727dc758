"""What every command stands in: its settings, its database, and how it ends when something is wrong."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Event
from typing import Any, TypeVar, cast

import click

from clients.errors import Reconnect, Refused, RemoteError
from console import Screen, plain
from domain.time_zones import UnknownTimeZone
from failpoints import watch
from logs import log_to_stderr
from messaging import BrokerUnreachable
from models.database import DATABASE_OUTAGE, configure, connected, where
from models.encryption import CannotDecrypt
from models.migrate import SchemaOutOfDate, check_schema
from models.organisation import Connection, connection_of
from services.check_keys import check_keys
from services.connect import CannotConnect
from services.disconnect import CannotDisconnect
from services.workbench import Workbench, make_workbench
from settings import IN_PROCESS, Settings, SettingsError, read_settings

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

POOL_WITH_JOBS = 20  # connections to the database where one process schedules and runs the jobs too
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
    except (CannotConnect, CannotDisconnect, UnknownTimeZone) as error:
        raise Failure(str(error), USAGE) from error
    except Reconnect as error:
        raise Failure(f"{error}. Connect again.", RECONNECT) from error
    except Refused as error:
        raise Failure(f"{error}. Try again in a while. Connect again if it stays so.", RECONNECT) from error
    except (RemoteError, BrokerUnreachable) as error:
        raise Failure(str(error), UNREACHABLE) from error
    except DATABASE_OUTAGE as error:
        raise Failure(f"the database {where()} failed: {str(error).strip().splitlines()[0]}", UNREACHABLE) from error


def _said(_context: click.Context, _parameter: click.Parameter, reason: str) -> str:
    if not reason.strip():
        raise click.BadParameter("it is empty: whoever reads the audit wants to know why")
    return reason


WHO = click.option("--who", default="operator", show_default=True, help="Your name, for the audit.")
REASON = click.option("--reason", "--why", "reason", required=True, callback=_said, help="Why; kept in the audit.")
WHY = click.option("--why", required=True, callback=_said, help="Why; kept in the audit.")

MOST_ORGANISATIONS = 50  # that anything done once more may touch without being told that it may
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show what it would do.")
YES_MANY = click.option("--yes-many", is_flag=True, help=f"Also for more than {MOST_ORGANISATIONS} organisations.")


def check_not_too_many(organisations: int, *, yes_many: bool) -> None:
    """Call it once what would be done has been shown. Fails, with nothing done, if it touches too many."""
    if organisations > MOST_ORGANISATIONS and not yes_many:
        told = f"this touches {organisations} organisations, so nothing was done"
        raise Failure(f"{told}: look with --dry-run, then say --yes-many", USAGE)


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


def start_log(level: int = logging.INFO) -> None:
    """Send this process's log to standard error, written as QONTO_XERO_LOG_FORMAT says."""
    with told_clearly():
        log_to_stderr(level, the_settings().log_format)


@contextmanager
def at_work() -> Iterator[tuple[Settings, Workbench]]:
    """Settings, a connection to an up-to-date database, and a workbench."""
    settings = the_settings()
    pool = {"pool_size": POOL_WITH_JOBS} if settings.broker_url == IN_PROCESS else {}
    configure(settings.database_url, **pool)
    workbench = make_workbench(settings)
    with connected():
        check_schema()
        check_keys(workbench.keyring)
        yield settings, workbench


def the_connection(organisation: str) -> Connection:
    """The connection of the organisation with this slug or id, or a failure that says where to look."""
    found = connection_of(organisation)
    if found is None:
        raise Failure(
            f"no connected organisation is called {organisation!r}; `qonto-xero connections list` shows them", USAGE
        )
    return found


def stop_on_signal() -> Event:
    """An event that is set once this process is asked to end (SIGTERM, Ctrl-C)."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
