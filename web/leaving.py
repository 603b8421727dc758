"""Disconnect, after a question."""

from __future__ import annotations

from contextlib import suppress

from domain.text import single_line
from models.organisation import current_connection
from services.disconnect import CannotDisconnect, ask_to_disconnect
from services.view_integration import view_integration
from web.answers import Answer, Away, Page
from web.visit import Visit

REASON_LENGTH = 200
UNSAID = "asked for on the page"


def show(visit: Visit) -> Answer:
    integration = view_integration(visit.person().organisation_id, visit.workbench.clock())
    if integration is None or integration.is_ending:
        return Away("/")
    return Page("disconnect.html", {"integration": integration, "longest": REASON_LENGTH})


def go(visit: Visit) -> Away:
    """It ends at once; what lets us in is erased within a minute."""
    connection = current_connection(visit.person().organisation_id)
    if connection is not None:
        reason = single_line(visit.form.get("reason", ""), REASON_LENGTH) or UNSAID
        with suppress(CannotDisconnect):  # it has ended at this moment
            ask_to_disconnect(connection, visit.admit().who, reason, visit.workbench.clock())
    return Away("/")
