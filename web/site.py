"""One request to one answer: session, checks, view, HTML. Blocking, and run by a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from log_context import logging_with
from models.database import connected
from services.sign_in import session_of
from services.workbench import Workbench
from settings import Secret
from web import connecting, leaving, overview, sign_in
from web.answers import Answer, Away
from web.exchange import Asked, Place, Told
from web.guard import Pace, check_form, check_origin, origin_of
from web.headers import customers_policy, security_headers
from web.languages import Language, negotiate
from web.problems import page_for, refusal
from web.rendering import Renderer
from web.visit import Visit

SESSION_COOKIE, LANGUAGE_COOKIE = "__Host-session", "__Host-language"
HTML = "text/html; charset=utf-8"


class Who(Enum):
    """Who may see what a route leads to."""

    ANYBODY = "anybody"
    MEMBER = "member"  # signed in, and Qonto says at this moment that they may decide


@dataclass(frozen=True)
class Route(Place):
    """`is_paced`: it costs a call or a row even when nobody has signed in."""

    view: Callable[[Visit], Answer]
    who: Who = Who.MEMBER
    is_paced: bool = False


ROUTES = (
    Route("GET", "/", overview.show, Who.ANYBODY),
    Route("POST", "/sign-in", sign_in.go, Who.ANYBODY, is_paced=True),
    Route("GET", "/qonto/callback", sign_in.back, Who.ANYBODY, is_paced=True),
    Route("POST", "/sign-out", sign_in.leave, Who.ANYBODY),
    Route("GET", "/connect", connecting.show),
    Route("POST", "/connect", connecting.go, is_paced=True),
    Route("GET", "/xero/callback", connecting.back, Who.ANYBODY, is_paced=True),
    Route("GET", "/connect/choose", connecting.choose),
    Route("POST", "/connect/choose", connecting.chosen),
    Route("GET", "/connect/confirm", connecting.confirm),
    Route("POST", "/connect/confirm", connecting.confirmed),
    Route("POST", "/connect/cancel", connecting.cancel),
    Route("GET", "/connected", overview.finished),
    Route("GET", "/disconnect", leaving.show),
    Route("POST", "/disconnect", leaving.go),
)

# What a link may lead back to: not what OAuth comes back to, and nothing that somebody made up.
PAGES = {route.path for route in ROUTES if route.method == "GET" and not route.path.endswith("/callback")}


class Site:
    """Made once a process, and used by all its threads. `web_url` is where browsers find it."""

    name = "the page"
    routes = ROUTES

    def __init__(self, workbench: Workbench, web_url: str) -> None:
        self._workbench = workbench
        self._web_url = origin_of(web_url)
        self._host = urlsplit(web_url).netloc
        self._renderer = Renderer()
        self._pace = Pace()
        origins = {origin_of(app.authorise_url) for app in (workbench.qonto_app, workbench.xero_app)}
        self.headers = security_headers(
            customers_policy(sorted(origin for origin in origins if not origin.startswith("https:")))
        )

    def goes_by(self, host: str) -> bool:
        """Under no other name than that at which Qonto and Xero know it."""
        return host == self._host

    def serve(self, asked: Asked[Route]) -> Told:
        """Answer, whatever happens."""
        language = negotiate(
            self._renderer.languages,
            asked.query.get("lang") or asked.cookies.get(LANGUAGE_COOKIE, ""),
            asked.headers.get("Accept-Language", ""),
        )
        visit = Visit(
            workbench=self._workbench,
            path=asked.path if asked.path in PAGES else "/",
            query=asked.query,
            form=asked.form,
            token=Secret(asked.cookies.get(SESSION_COOKIE, "")),
            session=None,
        )
        with logging_with(request_id=asked.reference):
            try:
                with connected():
                    answer = self._answer(asked, visit)
                told = self._told(answer, visit, language, asked)
            except Exception as error:
                told = self._told(page_for(error, asked.reference), visit, language, asked)
        if asked.query.get("lang") == language.code:
            told.cookies[LANGUAGE_COOKIE] = language.code
        return told

    def _answer(self, asked: Asked[Route], visit: Visit) -> Answer:
        if asked.route and asked.route.is_paced:
            self._pace.check(asked.peer)
        visit.session = session_of(self._workbench, visit.token)
        if asked.route is None:
            return refusal(asked.status)
        if asked.route.method == "POST":
            check_origin(asked.headers, self._web_url)
            check_form(visit)
        if asked.route.who is Who.MEMBER:
            visit.admit()
        return asked.route.view(visit)

    def _told(self, answer: Answer, visit: Visit, language: Language, asked: Asked[Route]) -> Told:
        headers = self.headers | {"X-Request-Id": asked.reference, "Content-Language": language.code}
        cookies = {SESSION_COOKIE: ""} if answer.signs_out else {}
        if isinstance(answer, Away):
            if answer.token:
                cookies[SESSION_COOKIE] = answer.token.reveal()
            return Told(303, headers | {"Location": answer.location}, cookies=cookies)
        if answer.retry_after is not None:
            headers["Retry-After"] = str(answer.retry_after)
        body = self._renderer.render(answer.template, language, {**answer.facts, "visit": visit})
        return Told(answer.status, headers | {"Content-Type": HTML}, body, cookies)
