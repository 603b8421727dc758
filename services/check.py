"""The check: Qonto's truth, our database and Xero's ledger, compared transaction by transaction. It writes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clients.errors import RemoteError
from clients.qonto.bank_accounts import list_bank_accounts
from clients.qonto.client import Qonto
from clients.xero.accounts import list_accounts
from clients.xero.bank_transactions import MOST_PAGES
from clients.xero.client import Xero
from domain.ledger_check import FINE, Class, Finding, InLedger, Said, compare
from domain.ledger_check_lines import Line, lines_of_books, merge
from domain.reasons import Excluded, sentence
from domain.time_zones import UnknownTimeZone
from models.bank_account import AccountLink
from models.once_more import former_rows_in
from models.organisation import Connection, Organisation
from models.posting import Posting, of_organisation, of_tenant
from models.posting_record import known_elsewhere
from models.states import ConnectionState, PostingState, RunKind
from services.check_accounts import missing_accounts
from services.check_database import lines_of_database, open_runs_of
from services.check_qonto import QontoTruth, read_truth
from services.check_xero import read_ledger
from services.workbench import Workbench

log = logging.getLogger(__name__)

A_WHILE = timedelta(minutes=10)  # from Xero's making a row to our knowing of it, at most


@dataclass(frozen=True)
class Check:
    """`edited` are the bank transactions that somebody changed in Xero since we made them, by their ids there.

    `problem`: why an organisation could not be checked, which is no verdict that it holds.
    """

    organisation: str
    at: datetime
    findings: list[Finding] = field(default_factory=list)
    invariants: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def wrong(self) -> list[Finding]:
        """The findings with which something is wrong."""
        return [finding for finding in self.findings if finding.what not in FINE]

    @property
    def holds(self) -> bool:
        return not self.problem and not self.wrong and all(line.holds for line in self.invariants)


def check_all(workbench: Workbench) -> Iterator[Check]:
    """Every connection that has not ended, one after another; one that cannot be checked holds up no other."""
    for connection in Connection.select().where(Connection.state != ConnectionState.DISCONNECTED):
        try:
            yield check_over(connection, workbench)
        except (RemoteError, UnknownTimeZone) as error:
            yield Check(_name(connection), workbench.clock(), problem=str(error))
        except Exception as error:
            log.exception("check failed, organisation %s", connection.organisation_id)
            problem = f"an error of this program: {type(error).__name__}"
            yield Check(_name(connection), workbench.clock(), problem=problem)


def check_over(connection: Connection, workbench: Workbench) -> Check:
    """The same with clients made for it."""
    clients = workbench.qonto(connection), workbench.xero(connection)
    return check(connection, *clients, workbench.clock(), workbench.qonto_app_url)


def check(
    connection: Connection, qonto: Qonto, xero: Xero, now: datetime, app_url: str, most_pages: int = MOST_PAGES
) -> Check:
    """Our own rows are read before Xero's: what a run sends meanwhile is then on its way, and not lost.

    Raises TooManyPages if Xero has more pages of rows than that.
    """
    at_work = any(run.kind != RunKind.INSPECTION for run in open_runs_of(connection))
    accounts = list_bank_accounts(qonto)
    said = _said(connection)
    truth = read_truth(connection, qonto, accounts, {one.transaction_id for one in said})
    in_xero = list_accounts(xero)
    ledger = _ledger(connection, xero, app_url, said, most_pages)
    ledger = [row for row in ledger if row.account not in truth.unread]  # nothing is expected of them, so none is odd
    findings = compare(truth.expected, ledger, said, at_work=at_work, elsewhere=_elsewhere(connection, ledger))
    lines = [
        *lines_of_books(findings, truth.expected, ledger, said),
        *lines_of_database(connection, now),
        Line("I4", list(missing_accounts(connection, accounts, in_xero, at_work=at_work))),
        Line("I11", truth.passed),
        Line("I25", truth.unproved),
    ]
    notes = list(_notes(connection, truth, findings))
    return Check(_name(connection), now, findings, merge(lines), notes, _edited(connection, ledger))


def _edited(connection: Connection, ledger: list[InLedger]) -> list[str]:
    columns = (Posting.bank_transaction_id, Posting.changed_at)
    ours = of_organisation(connection.organisation_id, connection.tenant_id) & (Posting.state == PostingState.POSTED)
    made = {one.bank_transaction_id: one.changed_at + A_WHILE for one in Posting.select(*columns).where(ours)}
    return [row.id for row in ledger if row.id in made and row.changed_at and row.changed_at > made[row.id]]


def _name(connection: Connection) -> str:
    return str(Organisation.get_by_id(connection.organisation_id).slug)


def _said(connection: Connection) -> list[Said]:
    mine = of_organisation(connection.organisation_id, connection.tenant_id)
    columns = (Posting.transaction_id, Posting.state, Posting.reason, Posting.bank_transaction_id)
    return [
        Said(connection.tenant_id, p.transaction_id, p.state, p.reason, p.bank_transaction_id)
        for p in Posting.select(*columns).where(mine).order_by(Posting.id)
    ]


def _ledger(connection: Connection, xero: Xero, app_url: str, said: list[Said], most_pages: int) -> list[InLedger]:
    """Xero's rows of this organisation: those of another that shares its Xero organisation are left out."""
    links = AccountLink.select().where(AccountLink.tenant_id == connection.tenant_id)
    homes = {link.xero_account_id: link.bank_account_id for link in links if link.xero_account_id}
    known = {one.bank_transaction_id: one.transaction_id for one in said if one.bank_transaction_id}
    rows = read_ledger(xero, app_url, homes, known, most_pages)
    neighbours = Posting.select(Posting.transaction_id).where(
        of_tenant(connection.tenant_id) & (Posting.organisation_id != connection.organisation_id)
    )
    theirs = {posting.transaction_id for posting in neighbours}
    former = former_rows_in(connection.tenant_id)
    return [row for row in rows if row.transaction_id not in theirs and row.id not in former]


def _elsewhere(connection: Connection, ledger: list[InLedger]) -> dict[str, str]:
    """Which of these transactions we know for another Xero organisation only."""
    return known_elsewhere(connection.tenant_id, [row.transaction_id for row in ledger])


def _notes(connection: Connection, truth: QontoTruth, findings: list[Finding]) -> Iterator[str]:
    for run in open_runs_of(connection):
        yield f"Run {run.id} ({run.kind}) is {run.state}: what is on its way is no loss. Ask again when it is done."
    if connection.state != ConnectionState.LIVE:
        yield f"The connection is {connection.state}: {connection.reason}"
    left_out = [finding for finding in findings if finding.what == Class.SAID and Excluded.ACCOUNT_GONE in finding.why]
    if left_out:
        yield f"{len(left_out)} transactions are left out: {sentence(Excluded.ACCOUNT_GONE)}"
    for account in truth.hidden:
        yield f"Qonto does not show the balance of account {account}: whether it lists everything cannot be told."
    to_come = sum(finding.what == Class.TO_COME for finding in findings)
    if to_come:
        yield f"{to_come} transactions are to come: no night has had to send them yet."
