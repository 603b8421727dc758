"""What both providers' authorization endpoints have in common (RFC 6749, 4.1): checks, redirects, codes."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from sandbox.pages import page
from sandbox.pkce import is_challenge
from sandbox.tokens import Grant, TokenIssuer
from sandbox.wire import TEXT, Answer, Call

DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a provider accepts of an authorization request."""

    provider: str
    client_id: str
    scopes: frozenset[str]
    accepts_address: Callable[[SplitResult], bool]


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request that may be put to a person."""

    redirect_uri: str
    state: str | None
    scope: str
    challenge: str | None
    login_hint: str

    @property
    def scopes(self) -> list[str]:
        """The scopes asked for, in the order asked."""
        return self.scope.split()

    def granted(self, tokens: TokenIssuer, grant: Grant, now_ms: int) -> Answer:
        """Back to the client, with a code."""
        return self._back({"code": tokens.make_code(grant, self.redirect_uri, self.challenge, now_ms)})

    def failed(self, error: str) -> Answer:
        """Back to the client, with an error's code."""
        return self._back({"error": error})

    def _back(self, parameters: dict[str, str]) -> Answer:
        if self.state is not None:
            parameters["state"] = self.state
        mark = "&" if "?" in self.redirect_uri else "?"
        location = f"{self.redirect_uri}{mark}{urlencode(parameters, quote_via=quote)}"
        return Answer(302, content_type=TEXT, headers={"Location": location, "Cache-Control": "no-store"})


Step = Callable[[Request], Answer]


def authorize(call: Call, rules: Rules, show: Step, decide: Step) -> Answer:
    """GET shows the request to a person, POST does what they decided; one that cannot be trusted gets a 400 page."""
    reason = _why_not_to_redirect(call, rules)
    if reason is not None:
        return refused(rules, reason)
    request = Request(
        redirect_uri=call.parameter("redirect_uri") or "",
        state=call.parameter("state"),
        scope=call.parameter("scope") or "",
        challenge=call.parameter("code_challenge") or None,
        login_hint=call.parameter("login_hint") or "",
    )
    error = _error(call, request, rules)
    if error is not None:
        return request.failed(error)
    if call.method != "POST":
        return show(request)
    return request.failed("access_denied") if call.form().get("decision") == DENY else decide(request)


def refused(rules: Rules, reason: str) -> Answer:
    """A page for the person, and no redirect: whoever sent them here is wrong or unknown."""
    return page("refused.html", 400, provider=rules.provider, reason=reason)


def _why_not_to_redirect(call: Call, rules: Rules) -> str | None:
    """Why the client or its address is not to be trusted with a redirect; None when it is."""
    address = call.parameter("redirect_uri")
    if call.parameter("client_id") != rules.client_id:
        return "The client_id is not known."
    if not address:
        return "The redirect_uri is missing."
    if not _is_address(address, rules):
        return f"The redirect_uri is not one that {rules.provider} accepts."
    if call.parameter("response_type") != "code":
        return "The response_type must be code."
    return None


def _is_address(text: str, rules: Rules) -> bool:
    """Whether a browser can be sent there as it stands, with a query added, by this provider's rules."""
    if not text.isprintable() or " " in text or "#" in text:
        return False
    try:
        return rules.accepts_address(urlsplit(text))
    except ValueError:
        return False


def _error(call: Call, request: Request, rules: Rules) -> str | None:
    """What the client is told by redirect when it asks for what is not offered."""
    method = call.parameter("code_challenge_method")
    if (request.challenge or method) and not (method == "S256" and is_challenge(request.challenge or "")):
        return "invalid_request"
    if not request.scopes or not rules.scopes.issuperset(request.scopes):
        return "invalid_scope"
    return None
