"""A new connection: its name, Xero's consent, which Xero organisation, what that means, yes."""

from __future__ import annotations

from urllib.parse import urlencode

from clients.xero.connections import authentication_event
from domain.reasons import NotConnected
from domain.text import single_line
from models.authorisation import Authorisation, Side, bring_back, find_open, is_joined
from models.credential import Credential
from models.organisation import current_connection
from models.statements import load
from services.authorise import CameAstray, Stray, begin, recognise, redeem
from services.connect import CannotConnect, Wishes, join
from services.credentials import store_tokens
from services.preview import preview
from services.reach import Choices, abandon, choices_of, forget_attempt, let_go
from services.view_integration import may_connect, suggested_name
from services.workbench import XERO_OAUTH
from web.answers import Answer, Away, Page
from web.visit import Visit

NAME_LENGTH = 100


def show(visit: Visit) -> Answer:
    """What shall it be called?"""
    session = visit.person()
    if not may_connect(session.organisation_id):
        return Away("/")
    return _ask_for_name(visit, suggested_name(session.organisation_id, session.organisation_name))


def go(visit: Visit) -> Answer:
    """To Xero."""
    if not may_connect(visit.person().organisation_id):
        return Away("/")
    name = single_line(visit.form.get("name", ""), NAME_LENGTH)
    if not name:
        return _ask_for_name(visit, name, status=422)
    return Away(begin(visit.workbench, visit.person(), Side.XERO, name))


def _ask_for_name(visit: Visit, name: str, status: int = 200) -> Page:
    again = current_connection(visit.person().organisation_id)
    facts = {"name": name, "again": again, "problem": status != 200, "longest": NAME_LENGTH}
    return Page("connect.html", facts, status=status)


def back(visit: Visit) -> Away:
    """From Xero. What it let us into waits for the person's decision; nothing is connected yet."""
    came = visit.returned()
    authorisation = recognise(visit.workbench, visit.session, Side.XERO, came)
    visit.admit()
    tokens = redeem(visit.workbench, authorisation, came)
    credential = store_tokens(visit.workbench, XERO_OAUTH, tokens)
    bring_back(authorisation, credential.id, authentication_event(tokens.access_token))
    return _to("choose", authorisation)


def choose(visit: Visit) -> Answer:
    """Which Xero organisation? Asked only where there is more than one."""
    authorisation = _open(visit)
    choices = _choices(visit, authorisation)
    if choices.is_certain:
        return _to("confirm", authorisation, tenant=choices.choices[0].tenant_id)
    return Page("choose.html", {"attempt": authorisation.id, "choices": choices, "problem": False})


def chosen(visit: Visit) -> Answer:
    """Which one it is."""
    authorisation = _open(visit)
    choices = _choices(visit, authorisation)
    choice = choices.find(visit.form.get("tenant", ""))
    if choice is None:
        return Page("choose.html", {"attempt": authorisation.id, "choices": choices, "problem": True}, status=422)
    return _to("confirm", authorisation, tenant=choice.tenant_id)


def confirm(visit: Visit) -> Answer:
    """What it would mean tonight."""
    authorisation = _open(visit)
    tenant_id = _chosen(visit, authorisation, visit.query.get("tenant", ""))
    foreseen = preview(visit.workbench, visit.person(), authorisation, tenant_id)
    facts = {"attempt": authorisation.id, "tenant": tenant_id, "name": authorisation.name, "preview": foreseen}
    return Page("confirm.html", facts)


def confirmed(visit: Visit) -> Away:
    """Yes: connected from now on. Whoever presses twice, or in two tabs of one attempt, has said yes once."""
    authorisation = _open(visit)
    if not is_joined(authorisation):
        tenant_id = _chosen(visit, authorisation, visit.form.get("tenant", ""))
        try:
            _join(visit, authorisation, tenant_id)
        except CannotConnect:
            if not is_joined(authorisation):
                abandon(visit.workbench, authorisation)
                raise
        let_go(visit.workbench, authorisation)
    return Away("/connected")


def _join(visit: Visit, authorisation: Authorisation, tenant_id: str) -> None:
    qonto = load(Credential, visit.person().credential_id)
    xero = load(Credential, authorisation.credential_id)
    join(visit.workbench, qonto, xero, Wishes(authorisation.name, tenant_id), who=visit.admit().who)


def cancel(visit: Visit) -> Away:
    """No: as if nobody had gone to Xero."""
    authorisation = _open(visit)
    abandon(visit.workbench, authorisation)
    return Away("/")


def _open(visit: Visit) -> Authorisation:
    named = visit.query.get("attempt", "") or visit.form.get("attempt", "")
    found = find_open(named, visit.person().id, visit.workbench.clock())
    if found is None:
        raise CameAstray(Stray.EXPIRED, Side.XERO)
    return found


def _choices(visit: Visit, authorisation: Authorisation) -> Choices:
    choices = choices_of(visit.workbench, authorisation)
    if not choices.choices:
        forget_attempt(authorisation)
        raise CannotConnect(NotConnected.NOTHING_REACHED, "Xero let us into no organisation")
    return choices


def _chosen(visit: Visit, authorisation: Authorisation, tenant_id: str) -> str:
    """One of those that may be chosen, and no other, whatever a form says."""
    choice = _choices(visit, authorisation).find(tenant_id)
    if choice is None:
        raise CannotConnect(NotConnected.NOT_CHOSEN, "the login does not reach this Xero organisation")
    if choice.is_taken:
        raise CannotConnect(NotConnected.TAKEN, "the Xero organisation is another Qonto organisation's")
    return tenant_id


def _to(page: str, authorisation: Authorisation, **more: str) -> Away:
    return Away(f"/connect/{page}?{urlencode({'attempt': authorisation.id, **more})}")
