"""The account that lines wait in until an accountant codes them."""

from __future__ import annotations

from clients.errors import Permanent, Temporary
from clients.xero.accounts import CODE_TAKEN, NAME_TAKEN, create_coding_account, list_accounts
from domain.marks import coding_mark
from domain.naming import free_name
from models.organisation import Connection
from services.chart import Chart
from services.create_account import account_key
from services.job import Job

NAME = "Qonto: to be coded"
GENERATIONS = 20  # should somebody archive it again and again


def provision_coding_account(job: Job, chart: Chart) -> None:
    """Have one if the connection needs it: the customer may have chosen accounts for money in, money out and fees.

    When Xero does not make it now, the lines that need it are held and nothing else is.
    """
    connection = job.connection
    if connection.money_in_code and connection.money_out_code and connection.fees_code:
        return
    code = _active_code(job, chart) or _create(job, chart)
    if code != connection.default_code:
        connection.default_code = code
        with job.holding():
            Connection.update(default_code=code).where(Connection.id == connection.id).execute()


def _active_code(job: Job, chart: Chart) -> str:
    ours = {coding_mark(job.organisation.id, generation) for generation in range(1, GENERATIONS + 1)}
    return min(ours & chart.active_codes(), default="")


def _create(job: Job, chart: Chart) -> str:
    """The new account's Code; empty when Xero does not make it now."""
    for generation in range(1, GENERATIONS + 1):
        code = coding_mark(job.organisation.id, generation)
        if code in chart.by_code():
            continue
        name = free_name(NAME, "", chart.names())
        key = account_key(job, code, name)
        try:
            chart.accounts.append(create_coding_account(job.xero, code=code, name=name, key=key))
        except (Permanent, Temporary) as error:
            if not _is_taken(error):
                job.problems.append(f"the account for lines to be coded: {error}")
                return ""
            chart.accounts = list_accounts(job.xero)
            chart.note_taken(name)
        if code in chart.active_codes():
            return code
    return ""


def _is_taken(error: Permanent | Temporary) -> bool:
    words = " ".join(error.messages).lower() if isinstance(error, Permanent) else ""
    return NAME_TAKEN in words or CODE_TAKEN in words
