"""The account that lines wait in until an accountant codes them."""

from __future__ import annotations

from clients.errors import Permanent, RemoteError, Temporary, Unreadable
from clients.xero.accounts import CODE_TAKEN, NAME_TAKEN, XeroAccount, create_coding_account, list_accounts
from domain.account_choice import ACTIVE
from domain.marks import coding_mark
from domain.naming import free_name
from models.organisation import Connection, default_account_of
from services.chart import Chart, has_waited_for_lists, not_listed
from services.create_account import account_key
from services.job import Job

NAME = "Qonto: to be coded"
GENERATIONS = 20  # should somebody archive it again and again
TRIES = 8  # names and codes that Xero may refuse one after another


def provision_coding_account(job: Job, chart: Chart) -> None:
    """Have one if the connection needs it: the customer may have chosen accounts for money in, money out and fees.

    When Xero does not make it now, the lines that need it are held and nothing else is.
    """
    connection = job.connection
    if connection.money_in_code and connection.money_out_code and connection.fees_code:
        return
    known = default_account_of(connection)
    if known in chart.unclear:
        _report(job, chart.unclear[known])
        return
    try:
        account = _known(chart, known) or _marked(job, chart) or _create(job, chart)
    except (Temporary, LookupError) as error:
        _report(job, error)
        account = None
    if account:
        _store(job, default_code=account.code, default_account_id=account.account_id)
    else:
        _store(job, default_code="")


def codes_to_post_to(job: Job, chart: Chart) -> set[str]:
    """Return the Codes that a line may be coded to: the active ones, and our own account's while its state is unclear.

    Xero judges each line itself: one that is coded to an account which is not active is refused, and held.
    """
    is_unclear = bool(job.connection.default_code) and default_account_of(job.connection) in chart.unclear
    return chart.active_codes() | ({job.connection.default_code} if is_unclear else set())


def _report(job: Job, error: RemoteError | LookupError) -> None:
    """Note what asking again would not change; the rest is a problem, which is tried again this night."""
    is_final = isinstance(error, (Permanent, Unreadable))
    (job.notes if is_final else job.problems).append(f"the account for lines to be coded: {error}")


def _known(chart: Chart, account_id: str) -> XeroAccount | None:
    """Return the account that we made, under whatever Code it has by now."""
    return next((one for one in _usable(chart) if one.account_id == account_id), None)


def _marked(job: Job, chart: Chart) -> XeroAccount | None:
    """Return the account that shows our mark, of several the oldest."""
    marks = _marks(job)
    ours = [account for account in _usable(chart) if account.code in marks]
    return min(ours, key=lambda account: marks.index(account.code), default=None)


def _usable(chart: Chart) -> list[XeroAccount]:
    return [account for account in chart.accounts if account.status == ACTIVE and account.account_id and account.code]


def _marks(job: Job) -> list[str]:
    return [coding_mark(job.organisation.id, generation) for generation in range(1, GENERATIONS + 1)]


def _create(job: Job, chart: Chart) -> XeroAccount | None:
    """Return the new account, or the one that has its Code already; None when Xero refuses to make it.

    Raises Temporary while Xero does not list an account that may be the one that we asked for a moment ago, LookupError
    when no Code or name is left.
    """
    codes = [mark for mark in _marks(job) if mark not in chart.by_code()]
    if not codes:
        raise LookupError(f"each of its {GENERATIONS} Codes is taken in Xero by an account that is not active")
    for _ in range(TRIES):
        name = free_name(NAME, "", chart.names())
        key = account_key(job, codes[0], name, "", job.connection.default_refusals)
        try:
            chart.put(create_coding_account(job.xero, code=codes[0], name=name, key=key))
        except Permanent as error:
            words = " ".join(error.messages).lower()
            if NAME_TAKEN in words:
                chart.note_taken(name)
                continue
            if CODE_TAKEN not in words:
                _store(job, default_refusals=job.connection.default_refusals + 1)
                job.notes.append(f"the account for lines to be coded: {'; '.join(error.messages) or error.problem}")
                return None
            _find_taken(job, chart, codes.pop(0))
        except Unreadable as error:
            raise Temporary(error.call, error.problem) from error  # the next turn finds by its mark what was created
        found = _marked(job, chart)
        if found:
            return found
    return None


def _find_taken(job: Job, chart: Chart, code: str) -> None:
    """Add to the chart the account that has this Code, active or not.

    Raises Unreadable when it may be one that cannot be read.
    """
    listed = list_accounts(job.xero)
    if any(row.code in {None, code} for row in listed.unreadable):
        raise Unreadable("Xero GET /Accounts", "the account that has the Code may be one that cannot be read")
    chart.add_unknown(listed)
    if code not in chart.by_code() and not has_waited_for_lists(job, not_listed(code)):
        raise Temporary("Xero PUT /Accounts", not_listed(code))


def _store(job: Job, **columns: str | int) -> None:
    """Store what is new of the connection's columns."""
    changed = {name: value for name, value in columns.items() if getattr(job.connection, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(job.connection, name, value)
    with job.holding():
        Connection.update(**changed).where(Connection.id == job.connection.id).execute()
