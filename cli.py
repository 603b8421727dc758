"""The way in: the one command that all commands belong to. What they do stands in commands/."""

from __future__ import annotations

import click

from commands.checking import check
from commands.connections import connections
from commands.database import db
from commands.frame import EXIT_CODES
from commands.looking import balance, explain, plan, runs
from commands.processes import scheduler, worker
from commands.sandbox import demo, sandbox
from commands.syncing import sync


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


for command in (demo, sandbox, scheduler, worker, db, connections, sync, plan, runs, explain, balance, check):
    main.add_command(command)

if __name__ == "__main__":
    main()
