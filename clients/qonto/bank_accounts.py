"""`GET /v2/bank_accounts`: an organisation's accounts, with what the reader's role lets us see."""

from __future__ import annotations

from typing import Annotated

import msgspec

from clients.decoding import MOST_TEXT, SPARE, Cents, Id, Moment, Rows, Text, UnreadableRow, Word, decode_rows
from clients.errors import Permanent, Temporary
from clients.qonto.client import Qonto
from clients.qonto.pages import PAGE, is_followed

PATH = "/v2/bank_accounts"
CALL = f"Qonto GET {PATH}"
MOST_PAGES = 50  # 5,000 accounts; Qonto's largest plan has 25
NO_SUCH_PAGE = {404, 422}


class QontoAccount(msgspec.Struct):
    """A bank account. `status` is open-ended: only `active` means active. `iban` may be hidden from some roles."""

    id: Id
    status: Word
    name: Text = ""
    currency: Word = "EUR"
    iban: Annotated[Word | None, SPARE] = None
    balance_cents: Annotated[Cents | None, SPARE] = None
    is_external_account: bool = False
    updated_at: Annotated[Moment | None, SPARE] = None


class UnreadableAccount(UnreadableRow):
    """A bank account of which at least one field that is needed cannot be read."""

    @property
    def id(self) -> str | None:
        """Return its id, `None` when that cannot be read either."""
        found: str | None = self.field("id", Id)
        return found

    @property
    def is_external(self) -> bool:
        """Return whether Qonto says that it is another bank's."""
        return self.field("is_external_account", bool) is True

    @property
    def name(self) -> str:
        """Return its name, empty when that cannot be read either."""
        return str(self.field("name", str) or "").replace("\x00", "")[:MOST_TEXT]


def list_bank_accounts(qonto: Qonto) -> Rows[QontoAccount, UnreadableAccount]:
    """Return every account, closed and external ones too."""
    accounts: Rows[QontoAccount, UnreadableAccount] = Rows()
    for page in range(1, MOST_PAGES + 1):
        body = _page(qonto, page)
        if body is None:
            return accounts
        found = decode_rows(body, QontoAccount, UnreadableAccount, CALL, "bank_accounts")
        accounts.extend(found)
        accounts.unreadable += found.unreadable
        if not is_followed(body, CALL, page, len(found) + len(found.unreadable)):
            return accounts
    raise Temporary(CALL, f"more than {MOST_PAGES} full pages")


def _page(qonto: Qonto, page: int) -> bytes | None:
    """Return a page, `None` for one behind the last: when Qonto refuses it twice, in words of its own."""
    for _ in range(2):
        try:
            return qonto.body(PATH, {"page": str(page), "per_page": str(PAGE)})
        except Permanent as error:
            if page == 1 or error.status not in NO_SUCH_PAGE or not error.messages:
                raise
    return None
