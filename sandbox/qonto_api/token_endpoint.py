"""oauth.qonto.com behind the browser's back: token sets and their revocation."""

from sandbox.qonto.bank import CLIENT_ID, CLIENT_SECRET
from sandbox.tokens import CodeClaim, Grant
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


def token(world: World, call: Call) -> Answer:
    """POST /oauth2/token: a code or a refresh token for a token set."""
    form, tokens, now_ms = call.form(), world.bank.tokens, world.clock.now_ms()
    if not _is_our_client(form):
        return json_answer({"error": "invalid_client"}, 401)
    match form.get("grant_type"):
        case "authorization_code":
            grant = tokens.redeem_code(CodeClaim.of(form, CLIENT_ID), now_ms)
        case "refresh_token":
            grant = tokens.redeem_refresh(form.get("refresh_token", ""), CLIENT_ID, now_ms)
        case _:
            return json_answer({"error": "unsupported_grant_type"}, 400)
    if grant is None:
        return json_answer({"error": "invalid_grant"}, 400)
    return json_answer(token_set(world, grant))


def revoke(world: World, call: Call) -> Answer:
    """POST /oauth2/revoke: the token's whole set dies; an unknown token is dead already."""
    form = call.form()
    if not _is_our_client(form):
        return json_answer({"error": "invalid_client"}, 401)
    world.bank.tokens.revoke_token_set(form.get("token", ""))
    return Answer(200)


def token_set(world: World, grant: Grant) -> dict[str, object]:
    """A new token set as Qonto's token endpoint answers it."""
    return {"token_type": "bearer", **world.bank.tokens.issue(grant, world.clock.now_ms())}


def _is_our_client(form: dict[str, str]) -> bool:
    return form.get("client_id") == CLIENT_ID and form.get("client_secret") == CLIENT_SECRET
