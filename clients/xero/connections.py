"""`/connections`: the Xero organisations that a token set reaches, and how the app leaves one."""

from __future__ import annotations

import base64
from urllib.parse import quote

import msgspec

from clients.authorised import TokenSource, with_token
from clients.decoding import MOST_TEXT, Id, Rows, Text, UnreadableRow, Word, decode_leniently, decode_rows
from clients.errors import AccessExpired, Temporary
from clients.http import Answer, Http
from settings import Secret


class Tenant(msgspec.Struct, rename="camel"):
    """A connection of the app. `tenant_type` is ORGANISATION for what we can post to; others exist.

    `auth_event_id` is of the consent that made it, or of a later one: Xero's own accounts of this differ.
    """

    id: Id
    tenant_id: Id
    tenant_type: Word
    tenant_name: Text = ""
    auth_event_id: Text = ""
    updated_date_utc: Text = ""


class UnreadableTenant(UnreadableRow):
    """A connection that cannot be read."""

    @property
    def tenant_id(self) -> str | None:
        """Return whose it is, `None` when that cannot be read either."""
        found: str | None = self.field("tenantId", Id)
        return found


def list_tenants(http: Http, base_url: str, tokens: TokenSource, auth_event_id: str = "") -> list[Tenant]:
    """The Xero organisations among them, without practices and the like. Never take the first for the right one.

    With `auth_event_id`, only those of this consent, as far as Xero says so.
    """
    links = list_connections(http, base_url, tokens, auth_event_id)
    return [link for link in links if link.tenant_type == "ORGANISATION"]


def list_connections(
    http: Http, base_url: str, tokens: TokenSource, auth_event_id: str = ""
) -> Rows[Tenant, UnreadableTenant]:
    """Return everything that the token's person ever connected to the app, for any of our customers."""
    url = f"{base_url}/connections" + (f"?authEventId={quote(auth_event_id)}" if auth_event_id else "")
    body = with_token(tokens, lambda token: _call(http, "GET", url, token, 200)).body
    return decode_rows(body, Tenant, UnreadableTenant, "Xero GET /connections")


def may_reach(links: Rows[Tenant, UnreadableTenant], tenant_id: str) -> bool:
    """Return whether an organisation is among the connections, or may be one that cannot be read."""
    unreadable = {link.tenant_id for link in links.unreadable}
    return tenant_id in {link.tenant_id for link in links} or bool(unreadable & {None, tenant_id})


def authentication_event(access_token: Secret) -> str:
    """The consent that an access token comes from, as its claims say; empty if they do not. Nothing is verified."""
    _, _, claims = access_token.reveal().partition(".")
    claims = claims.partition(".")[0]
    try:
        read = decode_leniently(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except ValueError:
        return ""
    return str(read.get("authentication_event_id") or "")[:MOST_TEXT] if isinstance(read, dict) else ""


def delete_connection(http: Http, base_url: str, tokens: TokenSource, connection_id: str) -> None:
    """The app is let out of this tenant; one that is gone already (404) is as good."""
    url = f"{base_url}/connections/{connection_id}"
    with_token(tokens, lambda token: _call(http, "DELETE", url, token, 204, 404))


def _call(http: Http, method: str, url: str, token: Secret, *expected: int) -> Answer:
    headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"}
    answer = http.call(method, url, headers=headers)
    if answer.status == 401:
        raise AccessExpired(f"Xero {method} /connections", "401: the access token is not accepted")
    if answer.status not in expected:
        raise Temporary(f"Xero {method} /connections", f"answered {answer.status}")
    return answer
