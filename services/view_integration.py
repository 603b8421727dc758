"""An organisation's integration as its own people want to see it: whether it works, since when, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from domain.account_choice import IN_USE
from domain.calendar import next_night
from domain.reasons import Excluded, Waits, sentence
from domain.time_zones import clock_of
from models import audit
from models.access_refusal import refusals_of
from models.organisation import Connection, current_connection, newest_connection, time_zone_of
from models.posting import Posting, count_by_state, is_left_out
from models.states import ConnectionState, LinkState, PostingState, RunKind
from models.sync_run import is_open, newest_nights
from services.sign_in import name_in
from services.view_accounts import AccountView, view_accounts

IN_NEED = (PostingState.HELD, PostingState.REJECTED)


@dataclass(frozen=True)
class Night:
    """A night's sync: `state` as in RunState, and how many transactions it brought to Xero."""

    local_date: date
    state: str
    posted: int


@dataclass(frozen=True)
class Problem:
    """What keeps something out of Xero, in a sentence that says what to do; of which account, or how many rows."""

    sentence: str
    account: str
    transactions: int


@dataclass(frozen=True)
class Integration:
    """`since` and `by` tell who connected it first; moments are in the organisation's time zone.

    `is_ending`: a person has ended it, and it is being taken leave of. `is_at_work`: something is being done at this
    moment that a person waits for. `last_night` is `None` before the first.
    """

    state: str
    name: str
    tenant_name: str
    since: datetime
    by: str
    next_night: datetime
    last_night: Night | None
    is_ending: bool
    is_at_work: bool
    accounts: tuple[AccountView, ...]
    problems: tuple[Problem, ...]

    @property
    def has_all_accounts(self) -> bool:
        """Whether each account that is in use at Qonto is in Xero."""
        return all(one.in_xero == LinkState.LIVE for one in self.accounts if one.in_qonto == IN_USE)

    @property
    def needs_reconnecting(self) -> bool:
        return self.state == ConnectionState.NEEDS_RECONNECT


def view_integration(organisation_id: str, now: datetime) -> Integration | None:
    """The organisation's own, `None` when it is not connected."""
    is_ending = is_open(organisation_id, RunKind.DISCONNECTION)
    connection = newest_connection(organisation_id) if is_ending else current_connection(organisation_id)
    if connection is None:
        return None
    zone = time_zone_of(organisation_id)
    accounts = _current(view_accounts(connection))
    nights = newest_nights(connection.id, 1)
    return Integration(
        state=connection.state,
        name=connection.name,
        tenant_name=connection.tenant_name or connection.tenant_id,
        since=connection.created_at.astimezone(clock_of(zone)),
        by=name_in(audit.who_did("connection.add", connection.id)),
        next_night=next_night(now, zone),
        last_night=Night(nights[0].local_date, nights[0].state, nights[0].posted) if nights else None,
        is_ending=is_ending,
        is_at_work=is_ending or is_open(organisation_id, RunKind.ACCOUNTS),
        accounts=accounts,
        problems=(*_of_access(connection), *_of_accounts(accounts), *_of_transactions(connection)),
    )


def may_connect(organisation_id: str) -> bool:
    """Whether it is not connected, or needs connecting again; not while its last connection is being taken leave of."""
    found = current_connection(organisation_id)
    is_free = found is None or found.state == ConnectionState.NEEDS_RECONNECT
    return is_free and not is_open(organisation_id, RunKind.DISCONNECTION)


def suggested_name(organisation_id: str, otherwise: str) -> str:
    """What the connection was called last time."""
    last = newest_connection(organisation_id)
    return str(last.name) if last else otherwise


def _current(views: list[AccountView]) -> tuple[AccountView, ...]:
    """Return each bank account once, with the generation of its Xero account that is live, else the newest."""
    current: dict[str, AccountView] = {}
    for view in views:
        if view.bank_account_id not in current or current[view.bank_account_id].in_xero != LinkState.LIVE:
            current[view.bank_account_id] = view
    return tuple(current.values())


def _of_access(connection: Connection) -> Iterator[Problem]:
    if connection.state == ConnectionState.LIVE and refusals_of(connection.id):
        yield Problem(sentence(Waits.REFUSED), "", 0)


def _of_accounts(accounts: tuple[AccountView, ...]) -> Iterator[Problem]:
    for account in accounts:
        if account.in_xero == LinkState.HELD and account.in_qonto == IN_USE:
            yield Problem(account.why, account.name, 0)
        if account.unread_since:
            yield Problem(account.unread_why, account.name, 0)


def _of_transactions(connection: Connection) -> Iterator[Problem]:
    is_in_doubt = (Posting.state == PostingState.UNCERTAIN) & (Posting.reason != "")
    in_need = Posting.state.in_(IN_NEED) | is_left_out(Excluded.ACCOUNT_GONE) | is_in_doubt
    ours = (Posting.connection_id == connection.id) & in_need
    for (_, reason), count in count_by_state(ours).items():
        yield Problem(sentence(reason), "", count)
