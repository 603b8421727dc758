"""/BankTransactions: list, one, create many, update, delete."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.wire import Answer, encode_json
from sandbox.xero import bookkeeping
from sandbox.xero.drafts import read_draft
from sandbox.xero.errors import Invalid, Missing, messages_json, refused_element
from sandbox.xero.ledger import BankTransaction
from sandbox.xero.notation import ZERO_GUID, read_elements, read_text
from sandbox.xero_api.transaction_list import find_rows
from sandbox.xero_api.visit import Visit

_COLLECTION = "BankTransactions"
_RECONCILED = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."
_DELETED = "This Bank Transaction cannot be edited as it has been deleted."
_LOCKED = "The document cannot be edited as it is currently dated before the {} date"


@dataclass(slots=True)
class Outcome:
    """What becomes of one element of a batch: problems, or a change to make."""

    element: dict[str, Any]
    row_id: str
    problems: list[str]
    perform: Callable[[], BankTransaction] | None = None

    def refused(self) -> dict[str, Any]:
        """The element as Xero echoes it when it is refused."""
        return {
            **self.element,
            "BankTransactionID": self.row_id,
            "StatusAttributeString": "ERROR",
            "ValidationErrors": messages_json(self.problems),
        }


def list_transactions(visit: Visit) -> Answer:
    """GET /BankTransactions: deleted rows too; line items only with `page`."""
    rows, pagination = find_rows(visit)
    shown = [row.json(pagination is not None) for row in rows]
    return visit.collection(_COLLECTION, shown, {"pagination": pagination} if pagination else None)


def show(visit: Visit, transaction_id: str) -> Answer:
    """GET /BankTransactions/{id}: readable for ever, deleted or not."""
    return visit.collection(_COLLECTION, [_find(visit, transaction_id).json(True)])


def create_many(visit: Visit) -> Answer:
    """PUT /BankTransactions: create only."""
    return _batch(visit, [_creation(visit, element) for element in _elements(visit)])


def create_or_update_many(visit: Visit) -> Answer:
    """POST /BankTransactions: elements with an id are updated."""
    outcomes = []
    for element in _elements(visit):
        transaction_id = read_text(element, "BankTransactionID")
        if not transaction_id:
            outcomes.append(_creation(visit, element))
        else:
            outcomes.append(_change(visit, element, visit.tenant.ledger.get(transaction_id)))
    return _batch(visit, outcomes)


def update(visit: Visit, transaction_id: str) -> Answer:
    """POST /BankTransactions/{id}: change it, or delete it by its Status."""
    row = _find(visit, transaction_id)
    elements = _elements(visit)
    if len(elements) != 1:
        raise refused_element({}, "Only one bank transaction can be updated at this address")
    return _batch(visit, [_change(visit, elements[0], row)])


def _elements(visit: Visit) -> list[dict[str, Any]]:
    return read_elements(visit.call.body, _COLLECTION)


def _find(visit: Visit, transaction_id: str) -> BankTransaction:
    row = visit.tenant.ledger.get(transaction_id)
    if row is None:
        raise Missing
    return row


def _decimals(visit: Visit) -> int:
    return 4 if visit.call.parameter("unitdp") == "4" else 2


def _creation(visit: Visit, element: dict[str, Any]) -> Outcome:
    draft = read_draft(visit.tenant, element, _decimals(visit), visit.now_ms)
    if read_text(element, "Status") not in (None, "", "AUTHORISED"):
        draft.problems.append("A bank transaction can only be created with the status AUTHORISED")
    key = visit.call.key or None
    perform = partial(bookkeeping.book, visit.tenant, draft, visit.now_ms, visit.world.ids, key, "api")
    return Outcome(element, ZERO_GUID, draft.problems, perform)


def _change(visit: Visit, element: dict[str, Any], row: BankTransaction | None) -> Outcome:
    if row is None:
        return Outcome(element, ZERO_GUID, ["The document with the supplied id was not found for this endpoint."])
    problems = _change_problems(visit, row)
    if problems or read_text(element, "Status") == "DELETED":
        return Outcome(element, row.id, problems, partial(bookkeeping.delete, visit.tenant, row, visit.now_ms))
    draft = read_draft(visit.tenant, element, _decimals(visit), visit.now_ms, row)
    if draft.account not in (None, row.account):
        draft.problems.append("The bank account of a bank transaction cannot be changed")
    perform = partial(bookkeeping.rebook, visit.tenant, row, draft, visit.now_ms, visit.world.ids)
    return Outcome(element, row.id, draft.problems, perform)


def _change_problems(visit: Visit, row: BankTransaction) -> list[str]:
    if row.status == "DELETED":
        return [_DELETED]
    return [_RECONCILED] if row.is_reconciled else _lock_problems(visit, row)


def _lock_problems(visit: Visit, row: BankTransaction) -> list[str]:
    tenant = visit.tenant
    locks = ((tenant.period_lock_date, "period lock"), (tenant.end_of_year_lock_date, "end of year lock"))
    return [_LOCKED.format(name) for lock, name in locks if lock is not None and row.date <= lock]


def _batch(visit: Visit, outcomes: list[Outcome]) -> Answer:
    """Do what may be done: all or nothing, or with summarizeErrors=false each element for itself."""
    summarize = (visit.call.parameter("summarizeErrors") or "true").lower() != "false"
    refused = [outcome for outcome in outcomes if outcome.problems]
    if summarize and refused:
        raise Invalid([outcome.refused() for outcome in refused])
    texts = [_perform(outcome, summarize) for outcome in outcomes]
    if visit.world.settings.batch_order == "reversed":
        texts.reverse()
    return visit.collection(_COLLECTION, texts)


def _perform(outcome: Outcome, summarize: bool) -> bytes:
    if outcome.problems or outcome.perform is None:
        return encode_json(outcome.refused())
    text = outcome.perform().json(True)
    return text if summarize else text[:-1] + b',"StatusAttributeString":"OK"}'
