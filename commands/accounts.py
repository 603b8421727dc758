"""How an organisation's accounts stand: in Qonto, in Xero, and why."""

from __future__ import annotations

from dataclasses import asdict

import click

from commands.frame import as_json, at_work, the_connection
from console import Screen
from services.view_accounts import view_accounts

ACCOUNT_COLUMNS = ("name", "iban_last4", "in_qonto", "in_xero", "xero_name", "generation", "code", "why")


@click.command()
@click.argument("organisation", metavar="ORG")
@as_json
def accounts(screen: Screen, organisation: str) -> None:
    """Each bank account of ORG, its account in Xero, and why it has none, as of the last run.

    An account that a person deletes or archives in Xero is made again there, as the next generation, while it is active
    in Qonto. One that is closed in Qonto, at another bank, or not active yet is not made.
    """
    with at_work():
        rows = [asdict(account) for account in view_accounts(the_connection(organisation))]
        screen.rows("Accounts", ACCOUNT_COLUMNS, rows)
