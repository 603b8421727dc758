"""I4 of a check: each active Qonto account has exactly one active account of ours in Xero, or we say why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clients.qonto.bank_accounts import QontoAccount
from clients.xero.accounts import XeroAccount
from domain.account_choice import ACTIVE, GENERATIONS_AHEAD
from domain.marks import account_mark
from models.bank_account import AccountLink, Cursor, current_link, links_of
from models.organisation import Connection
from models.states import LinkState


def missing_accounts(
    connection: Connection, in_qonto: Sequence[QontoAccount], in_xero: Sequence[XeroAccount], *, at_work: bool
) -> Iterator[str]:
    """What a person did since the last run is the next run's, and so is what an open run has not come to."""
    links = links_of(connection.tenant_id, connection.organisation_id)
    read = {c.bank_account_id for c in Cursor.select().where(Cursor.connection_id == connection.id)}
    for account in in_qonto:
        if account.status != "active" or account.is_external_account:
            continue
        generations = links.get(account.id, [])
        link = current_link(generations) if generations else None
        ours = [one for one in in_xero if one.status == ACTIVE and _is_ours(one, account.id, generations)]
        if len(ours) > 1:
            yield f"account {account.id} has {len(ours)} in Xero: {', '.join(one.code for one in ours)}"
        if not ours and not at_work and account.id in read and not _is_said(link):
            yield f"account {account.id} has none in Xero, and its link is {link.state if link else 'not there'}"


def _is_ours(account: XeroAccount, bank_account_id: str, links: Sequence[AccountLink]) -> bool:
    if account.account_id in {link.xero_account_id for link in links}:
        return True
    newest = max((link.generation for link in links), default=0)
    generations = range(1, newest + GENERATIONS_AHEAD)
    return account.code in {account_mark(bank_account_id, generation) for generation in generations}


def _is_said(link: AccountLink | None) -> bool:
    """Xero refuses it and we say why; or a run saw it there, so that a person took it away since."""
    return link is not None and (link.state == LinkState.LIVE or (link.state == LinkState.HELD and bool(link.reason)))
