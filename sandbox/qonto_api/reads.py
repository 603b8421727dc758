"""thirdparty.qonto.com, Business API v2: one organisation's data, read only."""

from collections.abc import Callable

from sandbox.qonto.account import BankAccount, Face
from sandbox.qonto.errors import refused, transaction_missing
from sandbox.qonto.lists import list_transactions
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.paging import read_page
from sandbox.qonto_api.callers import Caller
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


def read(world: World, call: Call, caller: Caller) -> Answer:
    """Answer one read. Raises Refused."""
    if call.method != "GET":
        raise refused(405, "method_not_allowed", "Only reads are offered here")
    match call.path.strip("/").split("/"):
        case ["v2", "membership"]:
            caller.needs("membership.read")
            return json_answer({"membership": caller.person().membership()})
        case ["v2", name] if name in _WHOLES:
            caller.needs("organization.read")
            return _WHOLES[name](world, call, caller.organisation)
        case ["v2", name, one_id] if name in _PARTS:
            caller.needs("organization.read")
            return _PARTS[name](world, caller.organisation, one_id)
    raise refused(404, "not_found", "Not found")


def _organization(_world: World, call: Call, organisation: Organisation) -> Answer:
    external = (call.parameter("include_external_accounts") or "").lower() == "true"
    return Answer(200, b'{"organization":%b}' % organisation.json(external))


def _memberships(_world: World, call: Call, organisation: Organisation) -> Answer:
    page, people = read_page(call), list(organisation.people.values())
    rows = [person.listed() for person in people[page.start : page.stop]]
    return json_answer({"memberships": rows, "meta": page.meta(len(people))})


def _bank_accounts(world: World, call: Call, organisation: Organisation) -> Answer:
    page = read_page(call)
    rows = list(_visible(world, organisation).values())[page.start : page.stop]
    return Answer(200, b'{"bank_accounts":[%b]}' % b",".join(account.json(False, face) for account, face in rows))


def _transactions(world: World, call: Call, organisation: Organisation) -> Answer:
    return list_transactions(call, organisation, world.settings, world.clock.now_ms())


def _bank_account(world: World, organisation: Organisation, account_id: str) -> Answer:
    visible = _visible(world, organisation)
    if account_id not in visible:
        raise refused(404, "not_found", "Bank account not found")
    account, face = visible[account_id]
    return Answer(200, b'{"bank_account":%b}' % account.json(False, face))


def _transaction(_world: World, organisation: Organisation, transaction_id: str) -> Answer:
    row = organisation.transaction(transaction_id)
    if row is None:
        raise transaction_missing()
    return Answer(200, b'{"transaction":%b}' % row.json())


def _visible(world: World, organisation: Organisation) -> dict[str, tuple[BankAccount, Face]]:
    """The accounts by id as they were a lag ago; those that are younger are missing."""
    lag, accounts = world.settings.qonto_account_lag, organisation.accounts
    if not lag:
        return {account.id: (account, account.faces[-1]) for account in accounts.values()}
    at_ms = world.clock.now_ms() - round(lag * 1000)
    return {account.id: (account, face) for account in accounts.values() if (face := account.face_at(at_ms))}


_WHOLES: dict[str, Callable[[World, Call, Organisation], Answer]] = {
    "organization": _organization,
    "memberships": _memberships,
    "bank_accounts": _bank_accounts,
    "transactions": _transactions,
}
_PARTS: dict[str, Callable[[World, Organisation, str], Answer]] = {
    "bank_accounts": _bank_account,
    "transactions": _transaction,
}
