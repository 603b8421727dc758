"""`GET /connections`: the Xero organisations that a token set reaches."""

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

    def call(token: Secret) -> Answer:
        headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"}
        answer = http.call("GET", f"{base_url}/connections", headers=headers)
        if answer.status == 401:
            raise AccessExpired("Xero GET /connections", "401: the access token is not accepted")
        if answer.status != 200:
            raise Temporary("Xero GET /connections", f"answered {answer.status}")
        return answer

    found = decode(with_token(tokens, call).body, list[Tenant], "Xero GET /connections")
    return [tenant for tenant in found if tenant.tenant_type == "ORGANISATION"]
