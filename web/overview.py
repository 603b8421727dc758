"""The integration: not connected, connected, or needs reconnecting."""

from __future__ import annotations

from services.view_integration import view_integration
from web.answers import Answer, Away, Page
from web.visit import Visit


def show(visit: Visit) -> Page:
    """Whoever has not signed in is asked to; whoever may not decide learns who can."""
    if not visit.is_signed_in:
        return Page("sign_in.html")
    visit.admit()
    integration = view_integration(visit.person().organisation_id, visit.workbench.clock())
    return Page("connected.html" if integration else "start.html", {"integration": integration})


def finished(visit: Visit) -> Answer:
    """Just connected: the accounts as they come into being in Xero."""
    integration = view_integration(visit.person().organisation_id, visit.workbench.clock())
    if integration is None or integration.is_ending or integration.needs_reconnecting:
        return Away("/")
    return Page("finished.html", {"integration": integration})
