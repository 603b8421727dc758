"""The way in: the one command that all commands belong to. What they do stands in commands/."""

from __future__ import annotations

import click

from commands.accounts import accounts
from commands.checking import check
from commands.connections import connections
from commands.database import db
from commands.events import events
from commands.frame import EXIT_CODES
from commands.keys import keys
from commands.looking import audit, balance, explain, plan, runs
from commands.processes import listener, operations, scheduler, web, worker
from commands.quarantine import quarantine
from commands.readiness import ready
from commands.replay import replay
from commands.sandbox import demo, sandbox
from commands.status import status
from commands.syncing import sync, verify


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Every night at 23:00, each settled Qonto transaction appears in Xero exactly once.

    \b
    Try it:     qonto-xero demo
    Set up:     qonto-xero db migrate, then qonto-xero connections add
    Run it:     qonto-xero scheduler, qonto-xero worker, qonto-xero listener and qonto-xero web
    Look:       qonto-xero status, operations, runs, plan ORG, accounts ORG, explain TRANSACTION, balance ORG
    Mend:       qonto-xero verify ORG, replay, events replay, quarantine list

    ORG is a Qonto organisation's slug or id. Settings are QONTO_XERO_... variables; docs/operations lists them.
    """


for command in (
    *(
        demo,
        sandbox,
        scheduler,
        worker,
        listener,
        web,
        operations,
        ready,
        db,
        connections,
        status,
        sync,
        plan,
        runs,
        explain,
        balance,
        check,
    ),
    *(check, verify, accounts, replay, events, quarantine, keys, audit),
):
    main.add_command(command)

if __name__ == "__main__":
    main()
