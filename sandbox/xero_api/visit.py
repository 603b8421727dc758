"""What an endpoint of the Accounting API is given."""

from dataclasses import dataclass
from typing import Any

from sandbox.instants import parse_instant
from sandbox.wire import Answer, Call
from sandbox.world import World
from sandbox.xero.errors import BadQuery
from sandbox.xero.notation import envelope
from sandbox.xero.office import PROVIDER_NAME
from sandbox.xero.tenant import Tenant

_XML = '<Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Id>{}</Id><Status>OK</Status></Response>'


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that passed the gates: whose books, what is asked, when."""

    world: World
    tenant: Tenant
    call: Call
    now_ms: int

    def guid(self) -> str:
        """A new id."""
        return self.world.ids.guid()

    def collection(self, name: str, rows: list[bytes], extra: dict[str, Any] | None = None) -> Answer:
        """200 with these rows in Xero's envelope; XML for who does not accept JSON, as Xero does."""
        guid = self.guid()
        headers = {"Xero-Correlation-Id": guid, "Cache-Control": "max-age=0, no-cache, no-store"}
        if "json" not in self.call.headers.get("Accept", "").lower():
            return Answer(200, _XML.format(guid).encode(), "text/xml; charset=utf-8", headers)
        body = envelope(guid, PROVIDER_NAME, self.now_ms, name, rows, extra)
        return Answer(200, body, headers=headers)

    def modified_since_ms(self) -> int | None:
        """If-Modified-Since in whole seconds, None when absent. Raises BadQuery."""
        text = self.call.headers.get("If-Modified-Since")
        if not text:
            return None
        try:
            return parse_instant(text) // 1000 * 1000
        except ValueError as error:
            raise BadQuery(f"If-Modified-Since could not be read: {text}") from error

    @property
    def invisible_after_ms(self) -> int | None:
        """Rows created after this instant are not in lists yet; None when lists do not lag."""
        lag = self.world.settings.xero_list_lag
        return self.now_ms - int(lag * 1000) if lag else None
