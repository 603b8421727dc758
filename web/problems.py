"""What a person is told when something is not as it should be: what happened, what to do, and nothing of how."""

from __future__ import annotations

import logging

from clients.errors import RateLimited, Refused, RemoteError, Temporary
from domain.reasons import sentence
from models.authorisation import Side
from models.database import DATABASE_OUTAGE
from models.encryption import CannotDecrypt
from services.authorise import CameAstray, Stray, TooManyTries
from services.connect import CannotConnect
from services.sign_in import NotAllowed, SignedOut
from web.answers import Page
from web.guard import Forged, TooFast
from web.visit import NotSignedIn

log = logging.getLogger(__name__)

HOUR_SECONDS, MINUTE_SECONDS = 3600, 60


ALWAYS_THE_SAME: dict[type[Exception], Page] = {
    NotSignedIn: Page("signed_out.html", status=401),
    SignedOut: Page("signed_out.html", status=401, signs_out=True),
    TooManyTries: Page("too_often.html", status=429, retry_after=HOUR_SECONDS),
    TooFast: Page("too_often.html", status=429, retry_after=MINUTE_SECONDS),
}


def page_for(error: Exception, reference: str) -> Page:
    """The page for whatever a view raised. What nobody foresaw is logged, under the reference that the page shows."""
    match error:
        case NotAllowed():
            return Page("not_allowed.html", {"why": sentence(error.why)}, status=403)
        case Forged():
            return Page("astray.html", {"why": "forged", "side": ""}, status=403)
        case CameAstray():
            return _astray(error)
        case CannotConnect():
            return Page("cannot.html", {"why": sentence(error.why)}, status=409)
    return ALWAYS_THE_SAME.get(type(error)) or _unwell(error, reference)


def refusal(status: int) -> Page:
    """What is said of a request that leads to no view of ours."""
    if status in {404, 405}:
        return Page("nowhere.html", status=status)
    return Page("astray.html", {"why": "forged", "side": ""}, status=status)


def _astray(error: CameAstray) -> Page:
    status = 200 if error.why == Stray.DENIED else 400
    facts = {"why": error.why.value, "side": "Xero" if error.side == Side.XERO else "Qonto"}
    return Page("astray.html", facts, status=status)


def _unwell(error: Exception, reference: str) -> Page:
    """Not the person's fault: somebody does not answer, or we are broken."""
    if isinstance(error, Refused):
        log.warning("let out while a person was connecting: %s", error)
        side = "Qonto" if "Qonto" in error.call else "Xero"
        return Page("astray.html", {"why": "dead", "side": side}, status=409)
    if isinstance(error, (Temporary, RateLimited)):
        log.warning("a page had to say later: %s", error)
        return Page("later.html", {"reference": reference}, status=503, retry_after=MINUTE_SECONDS)
    if isinstance(error, DATABASE_OUTAGE):
        log.warning("a page had to say later: the database is away")
        return Page("later.html", {"reference": reference}, status=503, retry_after=MINUTE_SECONDS)
    if isinstance(error, (RemoteError, CannotDecrypt)):
        log.error("a page failed: %s", error)
    else:
        log.error("a page failed", exc_info=error)
    return Page("broken.html", {"reference": reference}, status=500)
