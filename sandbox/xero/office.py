"""All of Xero: its tenants, the app that talks to them, and who connected what."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.ids import Ids
from sandbox.instants import MINUTE_MS, xero_identity_text
from sandbox.tokens import XERO_LIVES, Grant, TokenIssuer
from sandbox.wire import encode_json
from sandbox.xero.idempotency import KeyStore
from sandbox.xero.limits import Window
from sandbox.xero.tenant import Tenant

CLIENT_ID = "sandbox-xero-client"
CLIENT_SECRET = "sandbox-xero-secret"  # noqa: S105 - opens nothing but this sandbox
PROVIDER_NAME = "Sandbox app"
DEFAULT_SCOPE = (
    "openid profile email offline_access accounting.settings accounting.banktransactions accounting.contacts"
)


@dataclass(slots=True)
class User:
    """A person at Xero, who is known by their name; `tenants` are those they may connect, by id."""

    id: str
    name: str
    tenants: dict[str, Tenant] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """Where they are written to."""
        return f"{self.id[:8]}@example.com"

    def may_connect(self, tenant: Tenant) -> None:
        """Let them connect one more tenant."""
        self.tenants[tenant.id] = tenant


@dataclass(slots=True)
class Connection:
    """A person's link of one tenant to the app."""

    id: str
    user_id: str
    tenant: Tenant
    auth_event_id: str
    created_ms: int
    updated_ms: int

    def content(self) -> dict[str, str]:
        """The connection as GET /connections shows it."""
        return {
            "id": self.id,
            "authEventId": self.auth_event_id,
            "tenantId": self.tenant.id,
            "tenantType": self.tenant.type,
            "tenantName": self.tenant.name,
            "createdDateUtc": xero_identity_text(self.created_ms),
            "updatedDateUtc": xero_identity_text(self.updated_ms),
        }


class Office:
    """Xero's state: one app, its tokens and keys, people, connections, tenants."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.tenants: dict[str, Tenant] = {}
        self.users: dict[str, User] = {}
        self._users_by_name: dict[str, User] = {}
        self.connections: dict[str, dict[str, Connection]] = {}
        self.tokens = TokenIssuer(XERO_LIVES, self._mint, ids.secret)
        self.keys = KeyStore()
        self.app_window = Window(MINUTE_MS)

    def user(self, name: str) -> User:
        """The person of this name, who comes into being when first named."""
        if name not in self._users_by_name:
            user = User(self.ids.guid(), name)
            self.users[user.id] = self._users_by_name[name] = user
        return self._users_by_name[name]

    def consent(self, user: User, tenants: Iterable[Tenant], scope: str, now_ms: int, keep_event: bool) -> Grant:
        """A person lets the app into tenants, in one event; a link that exists keeps its id and may keep its event."""
        event_id = self.ids.guid()
        links = self.connections.setdefault(user.id, {})
        for tenant in tenants:
            link = links.get(tenant.id)
            if link is None:
                links[tenant.id] = Connection(self.ids.guid(), user.id, tenant, event_id, now_ms, now_ms)
            else:
                link.updated_ms = now_ms
                link.auth_event_id = link.auth_event_id if keep_event else event_id
        return Grant(user.id, CLIENT_ID, event_id, scope)

    def link(self, user_id: str, tenant_id: str) -> Connection | None:
        """A person's connection to a tenant."""
        return self.connections.get(user_id, {}).get(tenant_id)

    def users_of(self, tenant_id: str) -> list[str]:
        """The ids of everyone who connected this tenant."""
        return [user_id for user_id, links in self.connections.items() if tenant_id in links]

    def _mint(self, grant: Grant, now_ms: int) -> str:
        """A text with the claims and the look of Xero's access tokens; its signature is no signature."""
        seconds = now_ms // 1000
        claims = {
            "nbf": seconds,
            "exp": seconds + self.tokens.lives.access_ms // 1000,
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": grant.client_id,
            "sub": grant.subject.replace("-", ""),
            "auth_time": seconds,
            "xero_userid": grant.subject,
            "global_session_id": grant.consent_id.replace("-", ""),
            "jti": self.ids.guid(),
            "authentication_event_id": grant.consent_id,
            "scope": grant.scope.split(),
            "amr": ["pwd"],
        }
        return make_jwt(claims, self.ids.secret())


def make_jwt(claims: dict[str, object], signature: str) -> str:
    """Claims in the shape of a signed token."""
    header = {"alg": "RS256", "kid": "sandbox", "typ": "JWT"}
    parts = [base64.urlsafe_b64encode(encode_json(part)).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, signature])
