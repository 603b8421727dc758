"""oauth.qonto.com in a browser: who lets the client into which organisation."""

from functools import partial
from urllib.parse import SplitResult

from sandbox import authorization
from sandbox.authorization import Request, Rules
from sandbox.pages import page
from sandbox.qonto.bank import CLIENT_ID, SCOPES
from sandbox.wire import Answer, Call
from sandbox.world import World


def authorize(world: World, call: Call) -> Answer:
    """GET and POST /oauth2/auth."""
    return authorization.authorize(call, _RULES, partial(_show, world), partial(_decide, world, call))


def _show(world: World, request: Request) -> Answer:
    """Everybody of every organisation; who has the hinted email comes first."""
    people = [
        (organisation, person)
        for organisation in world.bank.organisations.values()
        for person in organisation.people.values()
    ]
    people.sort(key=lambda one: one[1].email != request.login_hint)
    return page("qonto_sign_in.html", provider=_RULES.provider, people=people, scopes=request.scopes)


def _decide(world: World, call: Call, request: Request) -> Answer:
    found = world.bank.find_person(call.form().get("person", ""))
    if found is None:
        return authorization.refused(_RULES, "There is no such person at Qonto.")
    return request.granted(world.bank.tokens, world.bank.grant(*found, request.scope), world.clock.now_ms())


def _accepts(address: SplitResult) -> bool:
    return address.scheme in ("https", "http") and bool(address.hostname)


_RULES = Rules("Qonto", CLIENT_ID, SCOPES, _accepts)
