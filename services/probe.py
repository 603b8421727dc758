"""See whether a broken connection works again, and bring it back to life if it does."""

from __future__ import annotations

from clients.errors import Reconnect, Refused
from clients.qonto.organisation import read_organisation
from clients.xero.connections import list_connections, may_reach
from clients.xero.organisation import read_organisation as read_xero_organisation
from domain.access import Side, side_of
from domain.core_event import Told
from models import audit
from models.access_refusal import forget_refusals
from models.organisation import heal
from models.states import RunState
from services.job import Job
from services.judge_refusal import WHO_BROKE
from services.tell_core import tell_core
from services.verdict import Verdict

HEALED = "connection.healed"


def probe(job: Job) -> Verdict:
    """Ask Qonto and Xero for something small; if both answer, the next night catches up what the connection missed."""
    try:
        _knock(job)
    except Refused as error:
        return Verdict(RunState.FAILED, f"still refused: {error}", code=WHO_BROKE[side_of(error.call)])
    with job.holding():
        if heal(job.connection):
            now, connection = job.now(), job.connection
            forget_refusals(connection.id, list(Side))
            audit.record("system", HEALED, connection.id, now, "Qonto and Xero let us in again")
            tell_core(Told.CREATED, connection, now, reconnected=True, starts_at=connection.starts_at)
    return Verdict(RunState.DONE)


def _knock(job: Job) -> None:
    """Raises Refused unless both sides let us in, Qonto to the same organisation and Xero to the same tenant."""
    if read_organisation(job.qonto).id != job.organisation.id:
        raise Reconnect("Qonto GET /v2/organization", "the login is another organisation's")
    if not may_reach(list_connections(job.xero.http, job.xero.base_url, job.xero.tokens), job.tenant_id):
        raise Reconnect("Xero GET /connections", "the login does not reach the organisation")
    read_xero_organisation(job.xero)
