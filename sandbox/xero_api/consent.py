"""login.xero.com in a browser: who lets the app into which organisations."""

from functools import partial
from urllib.parse import SplitResult

from sandbox import authorization
from sandbox.authorization import Request, Rules
from sandbox.pages import page
from sandbox.wire import Answer, Call
from sandbox.world import World
from sandbox.xero.office import CLIENT_ID, PROVIDER_NAME, User
from sandbox.xero.scopes import KNOWN


def authorize(world: World, call: Call) -> Answer:
    """GET and POST /connect/authorize."""
    return authorization.authorize(call, _RULES, partial(_log_in, world), partial(_decide, world, call))


def _log_in(world: World, request: Request) -> Answer:
    users = list(world.office.users.values())
    hinted = [user for user in users if request.login_hint in (user.name, user.email)]
    chosen = next(iter(hinted or users), None)
    return page("xero_login.html", provider=_RULES.provider, users=users, chosen=chosen)


def _decide(world: World, call: Call, request: Request) -> Answer:
    """Who has logged in is asked which organisations; who has chosen goes back with a code."""
    form = call.form_values()
    user = world.office.users.get(form.get("user", [""])[-1])
    chosen = form.get("tenant", [])
    if user is None:
        return authorization.refused(_RULES, "There is no such person at Xero.")
    if any(tenant_id not in user.tenants for tenant_id in chosen):
        return authorization.refused(_RULES, "The organisation is not this person's to connect.")
    several = call.parameter("acr_values") != "bulk_connect:false"
    if form.get("decision") != ["allow"]:
        return _ask(user, request, several)
    if not chosen and user.tenants:
        return _ask(user, request, several, "Select at least one organisation.")
    if len(chosen) > 1 and not several:
        return _ask(user, request, several, "Select one organisation only.")
    tenants = [user.tenants[tenant_id] for tenant_id in dict.fromkeys(chosen)]
    keep, now_ms = world.settings.reconnect_keeps_auth_event, world.clock.now_ms()
    grant = world.office.consent(user, tenants, request.scope, now_ms, keep)
    return request.granted(world.office.tokens, grant, now_ms)


def _ask(user: User, request: Request, several: bool, error: str = "") -> Answer:
    return page(
        "xero_consent.html",
        provider=_RULES.provider,
        app=PROVIDER_NAME,
        user=user,
        scopes=request.scopes,
        several=several,
        error=error,
    )


def _accepts(address: SplitResult) -> bool:
    """https anywhere, and http at localhost by that name."""
    host = address.hostname or ""
    return host == "localhost" if address.scheme == "http" else address.scheme == "https" and host != ""


_RULES = Rules("Xero", CLIENT_ID, KNOWN, _accepts)
