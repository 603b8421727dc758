"""login.xero.com and identity.xero.com: consent, token sets and their revocation."""

import base64
import binascii
from functools import partial
from urllib.parse import unquote

from sandbox.faults import Fault
from sandbox.tokens import CodeClaim, Grant
from sandbox.wire import Answer, Call, json_answer
from sandbox.work import work_among_faults
from sandbox.world import World
from sandbox.xero.errors import spoiled
from sandbox.xero.office import CLIENT_ID, CLIENT_SECRET, make_jwt
from sandbox.xero_api import consent

_ID_TOKEN_SECONDS = 300


class IdentityService:
    """The consent that a browser sees; tokens and revocation, for a client by Basic auth or by its body."""

    def __init__(self, world: World) -> None:
        self._world = world

    def recognise(self, call: Call) -> None:
        """A token set is of a person, not of a tenant."""

    async def answer(self, call: Call) -> Answer:
        """Answer one request to identity.xero.com."""
        latency = self._world.settings.identity_latency
        return await work_among_faults(self._world.faults, call, latency, partial(self._work, call), spoiled)

    def spoiled(self, fault: Fault) -> Answer:
        """A `status` fault in Xero's shapes."""
        return spoiled(fault)

    def _work(self, call: Call) -> Answer:
        path = call.path.lower()
        if path == "/connect/authorize":
            return consent.authorize(self._world, call)
        if path not in ("/connect/token", "/connect/revocation"):
            return json_answer({"error": "not_found"}, 404)
        if call.method != "POST":
            return json_answer({"error": "invalid_request"}, 405)
        form = call.form()
        client_id, client_secret = _client(call, form)
        if not client_id:
            return _refused("unauthorized_client")
        if client_id != CLIENT_ID or client_secret != CLIENT_SECRET:
            return _refused("invalid_client")
        return self._revoke(form) if path == "/connect/revocation" else self._token(form, client_id)

    def _token(self, form: dict[str, str], client_id: str) -> Answer:
        now_ms = self._world.clock.now_ms()
        tokens = self._world.office.tokens
        match form.get("grant_type"):
            case "authorization_code":
                grant = tokens.redeem_code(CodeClaim.of(form, client_id), now_ms)
            case "refresh_token":
                grant = tokens.redeem_refresh(form.get("refresh_token", ""), client_id, now_ms)
            case _:
                return _refused("unsupported_grant_type")
        if grant is None:
            return _refused("invalid_grant")
        return json_answer(token_set(self._world, grant), headers={"Cache-Control": "no-store, no-cache, max-age=0"})

    def _revoke(self, form: dict[str, str]) -> Answer:
        """Xero, "Revoking tokens": the refresh token dies and all of the person's connections to the app go."""
        office = self._world.office
        subject = office.tokens.subject_of_refresh(form.get("token", ""))
        if subject is not None:
            office.tokens.revoke_refresh_tokens(subject)
            office.connections.pop(subject, None)
        return Answer(200)


def token_set(world: World, grant: Grant) -> dict[str, object]:
    """A new token set as the token endpoint answers it; an id_token only to who asked for `openid`."""
    now_ms = world.clock.now_ms()
    issued = {"token_type": "Bearer", **world.office.tokens.issue(grant, now_ms)}
    if not grant.covers("openid"):
        return issued
    claims: dict[str, object] = {
        "iss": "https://identity.xero.com",
        "aud": grant.client_id,
        "exp": now_ms // 1000 + _ID_TOKEN_SECONDS,
        "sub": grant.subject.replace("-", ""),
        "xero_userid": grant.subject,
        "email": world.office.users[grant.subject].email,
    }
    return {"id_token": make_jwt(claims, world.ids.secret()), **issued}


def _client(call: Call, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, credentials = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)


def _refused(error: str) -> Answer:
    return json_answer({"error": error}, 400)
