"""Look in Xero for postings, by the link that only ours carry. Deleted rows count as found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.xero.bank_transactions import BankTransaction, list_bank_transactions, refuse_links
from domain.bank_transaction import deep_link
from domain.money import signed, to_cents
from domain.text import contact_name
from models.bank_account import links_of
from models.once_more import former_rows
from models.posting import Posting, of_tenant
from services.job import Job
from services.store_outcome import Known, store_posted

CLOCK_MARGIN = timedelta(minutes=5)  # Xero's clock against ours
ASKED_OTHERWISE = timedelta(minutes=1)  # further back: a second look is no copy of the first one's answer

Rows = dict[int, list[BankTransaction]]  # by posting id; empty for a posting of which Xero shows nothing


@dataclass(frozen=True)
class Found:
    """What Xero has of each posting, and the postings that it may have without showing their link."""

    rows: Rows
    alike: dict[int, str]  # by posting id, what makes it doubtful; such a posting is neither found nor absent


def find_in_xero(job: Job, postings: Sequence[Known], since: datetime) -> Found:
    """Return what Xero has of these among the rows changed since a moment. Complete when it returns; raises otherwise.

    What one list leaves out is looked for in a second one: an answer may lack rows, and what is absent is sent again.
    A row that a person deleted and another wanted made again does not count.
    """
    found = _look(job, postings, since)
    absent = [posting for posting in postings if posting.id not in found.rows]
    if not absent:
        return found
    second = _look(job, absent, since - ASKED_OTHERWISE)
    found.rows.update(second.rows)
    alike = found.alike | second.alike
    return Found(found.rows, {key: doubt for key, doubt in alike.items() if key not in found.rows})


def _look(job: Job, postings: Sequence[Known], since: datetime) -> Found:
    former = former_rows([posting.id for posting in postings])
    by_url = {posting.url: posting.id for posting in postings}
    found: Rows = defaultdict(list)
    without_link = []
    for row in rows_changed(job, since, by_url.__contains__):
        if row.url in by_url and row.bank_transaction_id not in former:
            found[by_url[row.url]].append(row)
        elif not row.url:
            without_link.append(row)
    absent = [posting.id for posting in postings if posting.id not in found]
    return Found(found, _alike(job, absent, without_link))


def _alike(job: Job, absent: Sequence[int], rows: Sequence[BankTransaction]) -> dict[int, str]:
    """Return the postings that a row without a link may stand for: same account, amount, day and contact.

    To send such a posting again would make it twice if Xero only did not show its link.
    """
    links = [link for generations in links_of(job.tenant_id, job.organisation.id).values() for link in generations]
    accounts = {link.xero_account_id for link in links}
    rows = [row for row in rows if row.bank_account.account_id in accounts]
    if not absent or not rows:
        return {}
    columns = (Posting.id, Posting.side, Posting.amount_cents, Posting.date, Posting.counterparty, Posting.label)
    wanted = {
        one.id: (signed(one.side, one.amount_cents), one.date, contact_name(one.counterparty, one.label).casefold())
        for one in Posting.select(*columns).where(Posting.id.in_(list(absent)))
    }
    likenesses = {row.bank_transaction_id: (_cents(row), row.day, row.contact_name.casefold()) for row in rows}
    shown = set(wanted.values())
    alike = {key: likeness for key, likeness in likenesses.items() if likeness in shown}
    ours = of_tenant(job.tenant_id) & Posting.bank_transaction_id.in_(list(alike))
    known = {one.bank_transaction_id for one in Posting.select(Posting.bank_transaction_id).where(ours)}
    by_likeness = {likeness: key for key, likeness in sorted(alike.items()) if key not in known}
    return {
        posting_id: f"row {by_likeness[likeness]} in Xero shows no link and is like this transaction"
        for posting_id, likeness in wanted.items()
        if likeness in by_likeness
    }


def _cents(row: BankTransaction) -> int:
    return signed("credit" if row.type.startswith("RECEIVE") else "debit", to_cents(row.total))


def rows_changed(
    job: Job, since: datetime, is_wanted: Callable[[str], bool] | None = None
) -> Iterator[BankTransaction]:
    """Yield each row that changed since a moment, with a margin, once. The lease is kept however long it takes.

    A row that is made while the pages are read may shift one that was listed to the next page.
    Raises Unreadable if a row cannot be read that may carry a wanted link, which is any of the connection's by default.
    """
    report = refuse_links(is_wanted or (lambda url: url.startswith(deep_link(job.app_url, ""))))
    seen: set[str] = set()
    for row in list_bank_transactions(job.xero, since - CLOCK_MARGIN, job.patiently, report=report):
        if row.bank_transaction_id not in seen:
            seen.add(row.bank_transaction_id)
            yield row


def the_one(rows: Sequence[BankTransaction]) -> BankTransaction | None:
    """The row that stands for a posting: the one that is not deleted, or a deleted one; `None` when several live."""
    live = [row for row in rows if not row.is_deleted]
    if len(live) > 1 or not rows:
        return None
    return live[0] if live else rows[0]


def store_found(job: Job, postings: Sequence[Known], found: Found) -> None:
    """Adopt what is there exactly once. Call it inside `job.holding()`."""
    adopted = [(posting, row) for posting in postings if (row := the_one(found.rows[posting.id]))]
    store_posted(job, adopted, detail="found in Xero")
