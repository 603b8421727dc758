"""What connecting to a Xero organisation would mean tonight: read before a person says yes, nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from clients.errors import Unreadable
from clients.qonto.bank_accounts import list_bank_accounts
from clients.xero.currencies import list_currencies
from clients.xero.organisation import XeroOrganisation, read_organisation
from domain.account_choice import why_left_out
from domain.calendar import local_date, next_night
from models.authorisation import Authorisation
from models.credential import Credential
from models.organisation import current_connection, former_tenants, newest_connection, time_zone_of
from models.statements import load
from models.web_session import WebSession
from services.workbench import Workbench


@dataclass(frozen=True)
class Preview:
    """`accounts` are the names of those that will be in Xero; `missing` currencies are not added there yet, so that
    accounts in them wait; `foreign` ones are, but are not the base.

    `locked_until` is the last locked day; `is_locked_tonight`: what settles today is dated within it. `is_revived`: a
    connection that ails goes on; `is_continued`: so does the last one, which ended; `is_known`: the company was
    connected to this Xero organisation before.
    """

    name: str
    base_currency: str
    foreign: tuple[str, ...]
    missing: tuple[str, ...]
    locked_until: date | None
    is_locked_tonight: bool
    accounts: tuple[str, ...]
    first_night: datetime
    is_revived: bool
    is_continued: bool
    is_known: bool


def preview(workbench: Workbench, session: WebSession, authorisation: Authorisation, tenant_id: str) -> Preview:
    """As both sides are now. Raises the clients' errors."""
    xero = workbench.xero_of(tenant_id, str(authorisation.credential_id))
    organisation, added = read_organisation(xero), list_currencies(xero)
    qonto = workbench.qonto_as(load(Credential, session.credential_id))
    accounts = [
        account
        for account in list_bank_accounts(qonto)
        if why_left_out(account.status, is_external=account.is_external_account) is None
    ]
    used = sorted({account.currency for account in accounts})
    last = newest_connection(session.organisation_id)
    now, zone = workbench.clock(), time_zone_of(session.organisation_id)
    locked_until = _locked_until(organisation)
    return Preview(
        name=organisation.name,
        base_currency=organisation.base_currency,
        foreign=tuple(code for code in used if code in added and code != organisation.base_currency),
        missing=tuple(code for code in used if code not in added),
        locked_until=locked_until,
        is_locked_tonight=locked_until is not None and locked_until >= local_date(now, zone),
        accounts=tuple(account.name for account in accounts),
        first_night=next_night(now, zone),
        is_revived=current_connection(session.organisation_id) is not None,
        is_continued=last is not None and last.tenant_id == tenant_id,
        is_known=tenant_id in former_tenants(session.organisation_id),
    )


def _locked_until(organisation: XeroOrganisation) -> date | None:
    """Xero's lock date if it can be read: what it holds is held all the same, by Xero."""
    try:
        return organisation.locked_until()
    except Unreadable:
        return None
