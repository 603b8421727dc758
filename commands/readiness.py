"""Whether the process beside this command is well: what a container, or a person, asks."""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection, HTTPException
from typing import Any

import click

from commands.frame import BROKEN, UNREACHABLE, Failure, as_json, the_settings
from console import Screen
from settings import Address, SettingsError

ANSWER_SECONDS = 5  # a process answers within 2 s, whatever hangs in it
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - who listens everywhere is asked here
MOST_BYTES = 64 * 1024


@click.command()
@click.option("--live", is_flag=True, help="Only whether it lives: not what it needs.")
@as_json
def ready(screen: Screen, live: bool) -> None:
    """Ask the process at QONTO_XERO_MONITOR whether it can do its work; exits 1 if not, 3 if nobody answers.

    Set QONTO_XERO_MONITOR to the same fixed port for both: `127.0.0.1:9090`. With 0.0.0.0 as host, 127.0.0.1 is asked.
    """
    monitor = the_settings().monitor
    if monitor is None or monitor.port == 0:
        raise SettingsError("QONTO_XERO_MONITOR names no fixed port to ask: set it to 127.0.0.1:9090, for example")
    answer = _ask(monitor, "/livez" if live else "/readyz")
    checks = answer.get("checks", {"process": "live"})
    if screen.as_json:
        screen.json(answer)
    else:
        screen.rows("Ready", ["check", "says"], [{"check": name, "says": says} for name, says in checks.items()])
    if not answer.get("live" if live else "ready"):
        sys.exit(BROKEN)


def _ask(address: Address, path: str) -> dict[str, Any]:
    host = EVERYWHERE.get(address.host, address.host)
    connection = HTTPConnection(host, address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read(MOST_BYTES))
    except (OSError, HTTPException, ValueError) as error:
        raise Failure(
            f"no process of ours answers at {host}:{address.port}: {type(error).__name__}", UNREACHABLE
        ) from error
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise Failure(f"no process of ours answers at {host}:{address.port}", UNREACHABLE)
    return answer
