"""GET /v2/transactions: every documented filter, by offset pages over rows that move when edited."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.instants import parse_instant
from sandbox.qonto.account import BankAccount
from sandbox.qonto.errors import refused
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.paging import Page, read_page
from sandbox.qonto.transaction import Transaction
from sandbox.settings import Settings
from sandbox.wire import Answer, Call, encode_json

_TIMES = ("updated_at", "settled_at", "emitted_at", "created_at")
_STATUSES = ("pending", "declined", "completed")
_FOREVER_MS = 1 << 62
_KNOWN = {
    *(f"{time}_{end}" for time in _TIMES for end in ("from", "to")),
    *("bank_account_id", "iban", "includes[]", "includes", "status[]", "status", "side", "operation_type[]"),
    *("operation_type", "with_attachments", "sort_by", "page", "per_page", "current_page"),
}
Check = Callable[[Transaction], bool]


@dataclass(slots=True)
class Query:
    """What a list request asks for; bounds are half-open milliseconds per time."""

    account: BankAccount
    statuses: list[str]
    order: str
    descending: bool
    bounds: dict[str, tuple[int, int]]
    checks: list[Check]
    page: Page


def list_transactions(call: Call, organisation: Organisation, settings: Settings, now_ms: int) -> Answer:
    """One page of one account's rows, with `meta`. Raises Refused."""
    query = _read_query(call, organisation, settings, now_ms)
    rows, total = _find(query)
    meta = encode_json(query.page.meta(total))
    return Answer(200, b'{"transactions":[%b],"meta":%b}' % (b",".join(row.json() for row in rows), meta))


def _find(query: Query) -> tuple[list[Transaction], int]:
    """The page's rows and how many there are: by bisection alone when one status and its own order suffice."""
    from_ms, to_ms = query.bounds.pop(query.order, (0, _FOREVER_MS))
    start, stop = query.page.start, query.page.stop
    if len(query.statuses) == 1 and not query.checks and not query.bounds:
        timeline = query.account.index(query.statuses[0], query.order)
        low, high = timeline.position(from_ms), timeline.position(to_ms)
        if query.descending:
            return timeline.slice(max(low, high - stop), max(low, high - start))[::-1], high - low
        return timeline.slice(min(high, low + start), min(high, low + stop)), high - low
    rows: list[Transaction] = []
    for status in query.statuses:
        timeline = query.account.index(status, query.order)
        rows += timeline.slice(timeline.position(from_ms), timeline.position(to_ms))
    rows = [row for row in rows if _is_within(row, query.bounds) and all(check(row) for check in query.checks)]
    rows.sort(key=lambda row: (row.time(query.order), row.sequence), reverse=query.descending)
    return rows[start:stop], len(rows)


def _is_within(row: Transaction, bounds: dict[str, tuple[int, int]]) -> bool:
    return all(from_ms <= row.time(name) < to_ms for name, (from_ms, to_ms) in bounds.items())


def _read_query(call: Call, organisation: Organisation, settings: Settings, now_ms: int) -> Query:
    for name in call.query:
        if name not in _KNOWN:
            raise refused(400, "bad_request", f"{name} is not a known parameter", name)
    order, _, direction = (call.parameter("sort_by") or "settled_at:desc").partition(":")
    if order not in _TIMES or direction not in ("", "asc", "desc"):
        raise refused(400, "bad_request", "sort_by is not valid", "sort_by")
    return Query(
        account=_account(call, organisation),
        statuses=_statuses(call, settings),
        order=order,
        descending=direction == "desc",
        bounds=_bounds(call, settings),
        checks=_checks(call, settings, now_ms),
        page=read_page(call),
    )


def _account(call: Call, organisation: Organisation) -> BankAccount:
    """The account named by id, which wins, or by IBAN."""
    account_id, iban = call.parameter("bank_account_id"), call.parameter("iban")
    if not account_id and not iban:
        raise refused(400, "bad_request", "bank_account_id or iban is required", "bank_account_id")
    if account_id:
        account = organisation.accounts.get(account_id)
    else:
        account = next((account for account in organisation.accounts.values() if account.iban == iban), None)
    if account is None:
        raise refused(404, "not_found", "Bank account not found", "bank_account_id" if account_id else "iban")
    return account


def _statuses(call: Call, settings: Settings) -> list[str]:
    wanted = [*call.query.get("status[]", []), *call.query.get("status", [])] or ["completed"]
    if any(status not in _STATUSES for status in wanted):
        raise refused(400, "bad_request", "status is not valid", "status[]")
    return wanted[:1] if settings.qonto_one_status else list(dict.fromkeys(wanted))


def _bounds(call: Call, settings: Settings) -> dict[str, tuple[int, int]]:
    """Half-open bounds of each time; `_to` is inclusive, `_from` as the settings say."""
    bounds = {}
    for time in _TIMES:
        from_ms, to_ms = _instant(call, f"{time}_from"), _instant(call, f"{time}_to")
        if from_ms is None and to_ms is None:
            continue
        exclusive = settings.updated_at_from == "exclusive"
        low_ms = 0 if from_ms is None else from_ms + exclusive
        bounds[time] = (max(low_ms, 1), _FOREVER_MS if to_ms is None else to_ms + 1)
    return bounds


def _checks(call: Call, settings: Settings, now_ms: int) -> list[Check]:
    checks: list[Check] = []
    side, attachments = call.parameter("side"), call.parameter("with_attachments")
    kinds = [*call.query.get("operation_type[]", []), *call.query.get("operation_type", [])]
    if side is not None:
        if side not in ("credit", "debit"):
            raise refused(400, "bad_request", "side is not valid", "side")
        checks.append(lambda row: row.side == side)
    if kinds:
        checks.append(lambda row: row.operation_type in kinds)
    if attachments is not None:
        wanted = attachments.lower() == "true"
        checks.append(lambda row: bool(row.attachment_ids) == wanted)
    if settings.qonto_list_lag:
        newest_ms = now_ms - int(settings.qonto_list_lag * 1000)
        checks.append(lambda row: row.seen_ms <= newest_ms)
    return checks


def _instant(call: Call, name: str) -> int | None:
    text = call.parameter(name)
    if text is None:
        return None
    try:
        return parse_instant(text.replace(" ", "+"))
    except ValueError as error:
        raise refused(400, "bad_request", f"{name} is not an ISO 8601 time", name) from error
