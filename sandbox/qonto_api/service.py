"""thirdparty.qonto.com and oauth.qonto.com."""

from functools import partial

from sandbox.faults import Fault
from sandbox.qonto import errors
from sandbox.qonto.account import BankAccount, Face
from sandbox.qonto.bank import CLIENT_ID, CLIENT_SECRET
from sandbox.qonto.lists import list_transactions
from sandbox.qonto.organisation import Organisation
from sandbox.tokens import CodeClaim, Grant
from sandbox.wire import Answer, Call, json_answer
from sandbox.work import work_among_faults
from sandbox.world import World

_PER_PAGE_MAX = 100


class QontoService:
    """Token or key first, then one organisation's data."""

    def __init__(self, world: World) -> None:
        self._world = world

    def recognise(self, call: Call) -> None:
        """The tenant of a Qonto call is its organisation."""
        organisation = self._organisation(call.headers.get("Authorization", ""))
        call.tenant = organisation.id if organisation is not None else ""

    def spoiled(self, fault: Fault) -> Answer:
        """A `status` fault in Qonto's shape."""
        return errors.spoiled(fault)

    async def answer(self, call: Call) -> Answer:
        """Answer one request to Qonto."""
        latency = self._world.settings.qonto_latency
        return await work_among_faults(self._world.faults, call, latency, partial(self._work, call), errors.spoiled)

    def _work(self, call: Call) -> Answer:
        try:
            if call.path == "/oauth2/token":
                return self._token(call)
            self._check_quota(call)
            return self._read(call, self._authorize(call))
        except errors.Refused as refused:
            return refused.answer

    def _check_quota(self, call: Call) -> None:
        if self._world.settings.qonto_rate_limits:
            seconds = self._world.bank.quota.retry_after_s(call.peer, self._world.clock.now_ms())
            if seconds is not None:
                raise errors.Refused(Answer(429, b"", headers={"Retry-After": str(seconds)}))

    def _authorize(self, call: Call) -> Organisation:
        """The organisation behind `login:secret` or a living bearer token."""
        if not call.headers.get("Authorization"):
            raise errors.refused(401, "authorization_header_missing", "The Authorization header is missing")
        organisation = self._organisation(call.headers["Authorization"])
        if organisation is None:
            raise errors.refused(401, "authorization_token_invalid", "The token or the key is not valid")
        return organisation

    def _organisation(self, authorization: str) -> Organisation | None:
        bank = self._world.bank
        if authorization[:7].lower() == "bearer ":
            token = bank.tokens.access(authorization[7:])
            alive = token is not None and self._world.clock.now_ms() < token.expires_ms
            return bank.organisations.get(token.grant.subject) if token is not None and alive else None
        login, _, secret = authorization.partition(":")
        organisation = bank.by_slug.get(login)
        return organisation if organisation is not None and organisation.secret == secret else None

    def _read(self, call: Call, organisation: Organisation) -> Answer:
        parts = call.path.strip("/").split("/")
        if call.method != "GET":
            raise errors.refused(405, "method_not_allowed", "Only reads are offered here")
        match parts:
            case ["v2", "organization"]:
                external = (call.parameter("include_external_accounts") or "").lower() == "true"
                return Answer(200, b'{"organization":%b}' % organisation.json(external))
            case ["v2", "bank_accounts"]:
                return _bank_accounts(call, self._visible(organisation))
            case ["v2", "bank_accounts", account_id]:
                return _bank_account(self._visible(organisation), account_id)
            case ["v2", "transactions"]:
                return list_transactions(call, organisation, self._world.settings, self._world.clock.now_ms())
            case ["v2", "transactions", transaction_id]:
                row = organisation.transaction(transaction_id)
                if row is None:
                    raise errors.transaction_missing()
                return Answer(200, b'{"transaction":%b}' % row.json())
        raise errors.refused(404, "not_found", "Not found")

    def _visible(self, organisation: Organisation) -> dict[str, tuple[BankAccount, Face]]:
        """The accounts by id as they were a lag ago; those that are younger are missing."""
        lag, accounts = self._world.settings.qonto_account_lag, organisation.accounts
        if not lag:
            return {account.id: (account, account.faces[-1]) for account in accounts.values()}
        at_ms = self._world.clock.now_ms() - round(lag * 1000)
        return {account.id: (account, face) for account in accounts.values() if (face := account.face_at(at_ms))}

    def _token(self, call: Call) -> Answer:
        form, tokens, now_ms = call.form(), self._world.bank.tokens, self._world.clock.now_ms()
        client_id = form.get("client_id", "")
        if client_id != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return json_answer({"error": "invalid_client"}, 401)
        match form.get("grant_type"):
            case "authorization_code":
                grant = tokens.redeem_code(CodeClaim.of(form, client_id), now_ms)
            case "refresh_token":
                grant = tokens.redeem_refresh(form.get("refresh_token", ""), client_id, now_ms)
            case _:
                return json_answer({"error": "unsupported_grant_type"}, 400)
        if grant is None:
            return json_answer({"error": "invalid_grant"}, 400)
        return json_answer(token_set(self._world, grant))


def token_set(world: World, grant: Grant) -> dict[str, object]:
    """A new token set as Qonto's token endpoint answers it."""
    return {"token_type": "bearer", **world.bank.tokens.issue(grant, world.clock.now_ms())}


def _bank_accounts(call: Call, visible: dict[str, tuple[BankAccount, Face]]) -> Answer:
    page = _positive(call, "page", 1)
    per_page = min(_PER_PAGE_MAX, _positive(call, "per_page", _PER_PAGE_MAX))
    rows = list(visible.values())[(page - 1) * per_page : page * per_page]
    return Answer(200, b'{"bank_accounts":[%b]}' % b",".join(account.json(False, face) for account, face in rows))


def _bank_account(visible: dict[str, tuple[BankAccount, Face]], account_id: str) -> Answer:
    if account_id not in visible:
        raise errors.refused(404, "not_found", "Bank account not found")
    account, face = visible[account_id]
    return Answer(200, b'{"bank_account":%b}' % account.json(False, face))


def _positive(call: Call, name: str, default: int) -> int:
    text = call.parameter(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise errors.refused(400, "bad_request", f"{name} must be a positive number", name)
    return int(text)
