"""`/connections`: the Xero organisations that a token set reaches, and how the app leaves one."""

from __future__ import annotations

import msgspec

from clients.authorised import TokenSource, with_token
from clients.decoding import decode
from clients.errors import AccessExpired, Temporary
from clients.http import Answer, Http
from settings import Secret


class Tenant(msgspec.Struct, rename="camel"):
    """A connection of the app. `tenant_type` is ORGANISATION for what we can post to; others exist."""

    id: str
    tenant_id: str
    tenant_type: str
    tenant_name: str | None = None


def list_tenants(http: Http, base_url: str, tokens: TokenSource) -> list[Tenant]:
    """The Xero organisations among them, without practices and the like. Never take the first for the right one."""
    return [link for link in list_connections(http, base_url, tokens) if link.tenant_type == "ORGANISATION"]


def list_connections(http: Http, base_url: str, tokens: TokenSource) -> list[Tenant]:
    """Everything that the token's person ever connected to the app, whoever of our customers it was for."""
    body = with_token(tokens, lambda token: _call(http, "GET", f"{base_url}/connections", token, 200)).body
    return decode(body, list[Tenant], "Xero GET /connections")


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
