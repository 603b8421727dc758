"""Sign in with Qonto, and out."""

from __future__ import annotations

from models.authorisation import Side
from models.web_session import end_session
from services.authorise import begin, recognise, redeem
from services.sign_in import open_session, sign_in
from web.answers import Away, Page
from web.visit import Visit


def show(_visit: Visit) -> Page:
    return Page("sign_in.html")


def go(visit: Visit) -> Away:
    """To Qonto, with a session of nobody yet that the answer is bound to."""
    if visit.session is not None:
        end_session(visit.session.id)
    token, session = open_session(visit.workbench)
    return Away(begin(visit.workbench, session, Side.QONTO), token=token)


def back(visit: Visit) -> Away:
    """From Qonto. The session gets a new name, so that nobody who knew the old one is signed in too."""
    came = visit.returned()
    authorisation = recognise(visit.workbench, visit.session, Side.QONTO, came)
    tokens = redeem(visit.workbench, authorisation, came)
    return Away("/", token=sign_in(visit.workbench, str(authorisation.session_id), tokens))


def leave(visit: Visit) -> Away:
    if visit.session is not None:
        end_session(visit.session.id)
    return Away("/", signs_out=True)
