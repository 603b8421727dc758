"""Bank transactions: created in batches, read back in pages, always matched by `Url`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import msgspec

from clients.decoding import BIGINT, SPARE, Id, Rows, UnreadableRow, Word, decode, decode_rows, encode
from clients.errors import Permanent, RateLimited, RemoteError, Temporary, TooLarge, Unreadable
from clients.http import Answer
from clients.xero.client import Xero, validation_messages
from clients.xero.dates import day_of, moment_of
from settings import Secret

KEY = "BankTransactions"
GET = "Xero GET /BankTransactions"
PUT = "Xero PUT /BankTransactions"
NO_ID = "00000000-0000-0000-0000-000000000000"  # what Xero echoes for an element it did not create
PAGE = 1000  # the most Xero gives
SMALLER_PAGES = (200, 50)  # each a part of the one before, so that the rows already read end where a page does
MOST_PAGES = 1_000  # of any size: 50,000 rows at least; above 100,000 Xero refuses the list anyway
HIGH_VOLUME = "HighVolumeException"
NO_ANSWER_IN_TIME = {0, 504}
ONE_BAD_ROW_HOLDS_NO_OTHER = {"summarizeErrors": "false"}


class _Account(msgspec.Struct):
    account_id: Word = msgspec.field(name="AccountID", default="")


class _Contact(msgspec.Struct, rename="pascal"):
    name: str | None = None


class BankTransaction(msgspec.Struct, rename="pascal", kw_only=True):
    """A row as Xero lists it. `total` is exact, positive, and a whole number of cents."""

    bank_transaction_id: Id = msgspec.field(name="BankTransactionID")
    type: Word
    total: Decimal
    status: Word = ""
    url: str = ""
    bank_account: _Account = msgspec.field(default_factory=_Account)
    contact: Annotated[_Contact | None, SPARE] = None
    currency_code: Annotated[Word, SPARE] = ""
    date_string: Annotated[Word, SPARE] = ""
    updated_date_utc: Annotated[Word, SPARE] = msgspec.field(name="UpdatedDateUTC", default="")

    def __post_init__(self) -> None:
        """Check what no type says. Raises ValueError."""
        if not self.total.is_finite() or self.total.copy_abs() >= BIGINT // 100 or self.total * 100 % 1:
            raise ValueError("Total is not an amount of money")
        if "\x00" in self.url:
            raise ValueError("Url holds a NUL")

    @property
    def is_deleted(self) -> bool:
        return self.status in {"DELETED", "VOIDED"}

    @property
    def contact_name(self) -> str:
        return (self.contact and self.contact.name) or ""

    @property
    def day(self) -> date | None:
        """Return its date, `None` when that cannot be read."""
        try:
            return day_of(self.date_string)
        except ValueError:
            return None

    @property
    def updated_at(self) -> datetime | None:
        """Return when it last changed, `None` when that cannot be read."""
        try:
            return moment_of(self.updated_date_utc)
        except ValueError:
            return None


class AnsweredElement(BankTransaction, rename="pascal", kw_only=True):
    """What Xero answers for one element of a request, created or refused; of a refused one anything may be absent."""

    bank_transaction_id: Id = msgspec.field(name="BankTransactionID", default=NO_ID)
    type: Word = ""
    total: Decimal = Decimal(0)
    status_attribute_string: Word = "OK"
    reference: Annotated[str, SPARE] = ""
    validation_errors: Annotated[list[Any], SPARE] = []

    @property
    def account_id(self) -> str:
        return self.bank_account.account_id

    @property
    def is_created(self) -> bool:
        return self.status_attribute_string != "ERROR" and self.bank_transaction_id != NO_ID

    @property
    def messages(self) -> list[str]:
        """Why Xero refused it, in Xero's words."""
        return validation_messages(self.validation_errors)


class UnreadableBankTransaction(UnreadableRow):
    """A row that cannot be read; `None` stands for what cannot be read of it either."""

    @property
    def bank_transaction_id(self) -> str | None:
        """Return Xero's id of it."""
        found: str | None = self.field("BankTransactionID", Id)
        return found

    @property
    def url(self) -> str | None:
        """Return its link, which is empty when it carries none."""
        found: str | None = self.field("Url", str, absent="")
        return None if found and "\x00" in found else found

    @property
    def account_id(self) -> str | None:
        """Return the account it stands in."""
        account = self.field("BankAccount", _Account)
        return account.account_id or None if account else None


class _Pagination(msgspec.Struct, rename="camel"):
    page_count: Annotated[int | None, SPARE] = None


class _Answer(msgspec.Struct):
    pagination: Annotated[_Pagination | None, SPARE] = None


def freeze(elements: Sequence[dict[str, Any]]) -> bytes:
    """The exact bytes of a request that creates these elements."""
    return encode({"BankTransactions": list(elements)})


def put_bank_transactions(xero: Xero, token: Secret, body: bytes, key: str, not_after: float) -> Answer:
    """Send a frozen request, once, for which the budget was asked; `read_created` reads the answer.

    Any thread may call it: it touches nothing but the network. Raises Temporary, and TooLate after `not_after`.
    """
    return xero.ask(
        token,
        "PUT",
        "/BankTransactions",
        params=ONE_BAD_ROW_HOLDS_NO_OTHER,
        body=body,
        key=key,
        not_after=not_after,
    )


def read_created(xero: Xero, answered: Callable[[], Answer]) -> Rows[AnsweredElement, UnreadableBankTransaction]:
    """What came of a frozen request. Each element speaks for itself; match them by `url`, not by position.

    One that cannot be read is as if it were not answered.
    Raises AccessExpired too: sending again, even for that, is for whoever keeps the record of what was sent.
    """
    answer = xero.outcome("PUT /BankTransactions", answered)
    return decode_rows(answer.body, AnsweredElement, UnreadableBankTransaction, PUT, KEY)


Ask = Callable[[], Answer]
Report = Callable[[UnreadableBankTransaction], None]


class TooManyPages(Unreadable):
    """The list has more pages than the caller wants to read."""


def refuse_links(is_wanted: Callable[[str], bool] = bool) -> Report:
    """Return a report that raises Unreadable if a row's link may be a wanted one, and passes over all other rows."""

    def refuse(row: UnreadableBankTransaction) -> None:
        if row.url is None or is_wanted(row.url):
            raise Unreadable(GET, f"a row with a link cannot be read: {row.problem}")

    return refuse


def list_bank_transactions(
    xero: Xero,
    modified_since: datetime | None = None,
    patiently: Callable[[Ask], Answer] = lambda ask: ask(),
    *,
    report: Report = refuse_links(),  # noqa: B008 - it holds no state
    most_pages: int = MOST_PAGES,
) -> Iterator[BankTransaction]:
    """Yield every row created or changed since a moment, deleted ones too.

    In order of id, which nobody can change: while the pages are read, edits only add rows and so hide none. The
    listing is complete when the iterator ends; until then nothing may be concluded from a row that was not in it.
    A page that cannot be had is asked for again with fewer rows. All calls but the first are made by `patiently`.
    A row that cannot be read goes to `report`. Raises TooManyPages as soon as Xero counts more than `most_pages`.
    """

    def ask(page: int, size: int) -> Answer:
        params = {"order": "BankTransactionID", "page": str(page), "pageSize": str(size)}
        return xero.call("GET", "/BankTransactions", params=params, modified_since=modified_since)

    before: list[str] = []
    for page, size, body in _pages(ask, patiently, most_pages):
        read = decode_rows(body, BankTransaction, UnreadableBankTransaction, GET, KEY)
        for row in read.unreadable:
            report(row)
        yield from read
        rows, pages = len(read) + len(read.unreadable), _page_count(body)
        ids = [row.bank_transaction_id for row in read]
        if _is_last(page, pages, is_short=rows < size, repeats=ids == before):
            return
        before = ids
        if pages and pages > most_pages:
            break
        if not rows:
            raise Unreadable(GET, f"page {page} of {pages} is empty")
    raise TooManyPages(GET, f"more than {most_pages} pages")


def _pages(
    ask: Callable[[int, int], Answer], patiently: Callable[[Ask], Answer], most_calls: int
) -> Iterator[tuple[int, int, bytes]]:
    """Yield one page after the other: its number, counted in pages of its size, that size, and its body."""
    page, size = 1, PAGE
    refusal: RemoteError | None = None  # of this page in a larger size
    for asked in range(most_calls):
        call = partial(ask, page, size)
        try:
            body = (patiently(call) if asked else call()).body
        except (Temporary, Permanent) as error:
            smaller = next((fewer for fewer in SMALLER_PAGES if fewer < size), None)
            if smaller is None or not _fewer_rows_may_help(error):
                raise
            page, size, refusal = (page - 1) * size // smaller + 1, smaller, error
        except RateLimited as limited:
            raise refusal or limited from limited
        else:
            yield page, size, body
            page, refusal = page + 1, None


def _fewer_rows_may_help(error: Temporary | Permanent) -> bool:
    """Return whether the size of a page may be why it cannot be had: its bytes, the time that it takes, its rows."""
    if isinstance(error, Permanent):
        return error.kind == HIGH_VOLUME
    if isinstance(error, Unreadable):
        return isinstance(error, TooLarge)
    return error.status in NO_ANSWER_IN_TIME


def _is_last(page: int, pages: int | None, *, is_short: bool, repeats: bool) -> bool:
    """Return whether a page ends the list: by Xero's count of pages, or without one by being short.

    A count of 0 beside rows contradicts itself; it is believed when the next page repeats the one before.
    """
    if pages:
        return page >= pages
    return is_short or (pages == 0 and repeats)


def _page_count(body: bytes) -> int | None:
    """How many pages there are, `None` when Xero does not say so."""
    pagination = decode(body, _Answer, GET).pagination
    count = pagination.page_count if pagination else None
    return count if count is not None and count >= 0 else None
