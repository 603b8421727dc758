"""What a process works with: one HTTP client, one clock, one key ring, and clients made for a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from clients.clock import Clock, SteadyClock, machine_time, sandbox_time
from clients.http import Http
from clients.oauth import OAuthApp
from clients.qonto.client import Qonto
from clients.xero.client import Xero
from domain.call_limits import IN_PROGRESS, PERSON, QONTO, Share
from models.credential import Credential
from models.database import database_time
from models.encryption import Keyring
from models.organisation import Connection
from models.statements import load
from services.access_tokens import ApiKey, StoredTokens, Watch
from services.app_share import AppShare
from services.call_budget import QontoBudget, StoredBudget
from services.in_flight import Threads
from settings import Settings

FOLLOW_DATABASE = timedelta(seconds=30)  # machines drift far less than a second in that time
FOLLOW_SANDBOX = timedelta(milliseconds=200)  # somebody may move it at any moment

TOKEN_READ_SECONDS = 10.0  # short, so that a token whose answer is lost can be asked for again within Qonto's grace
QONTO_CALLBACK, XERO_CALLBACK = "/qonto/callback", "/xero/callback"  # registered at both, so they never change
QONTO_SCOPE = "offline_access organization.read membership.read"
XERO_SCOPE = "offline_access accounting.settings accounting.banktransactions accounting.contacts"

QONTO_API_KEY = "qonto_api_key"
QONTO_OAUTH = "qonto_oauth"
XERO_OAUTH = "xero_oauth"


@dataclass(frozen=True)
class Workbench:
    """Made once a process, shared by its threads. `clock` is the database's; `machine_clock` is a second opinion.

    `event_keys` are those that Qonto's core signs its events with; `None` takes unsigned ones.
    """

    http: Http
    clock: Clock
    keyring: Keyring
    machine_clock: Clock
    app_share: AppShare
    qonto_share: AppShare
    in_flight: Callable[[], Threads[Any, Any]]
    xero_api_url: str
    xero_app: OAuthApp
    qonto_api_url: str
    qonto_app: OAuthApp
    qonto_app_url: str
    event_keys: Mapping[str, bytes] | None

    def xero(self, connection: Connection, share: Share = PERSON) -> Xero:
        """A client for the connection's Xero organisation, for whoever may use this share of its limits."""
        return self.xero_of(connection.tenant_id, connection.xero_credential_id, share)

    def xero_of(self, tenant_id: str, credential_id: str, share: Share = PERSON) -> Xero:
        """A client for any Xero organisation that a credential reaches."""
        budget = StoredBudget(tenant_id, self.clock, self.app_share, share)
        tokens = self.xero_tokens(credential_id, budget)
        return Xero(self.http, self.xero_api_url, tenant_id, tokens, budget, self.clock)

    def xero_tokens(self, credential_id: str, watch: Watch | None = None) -> StoredTokens:
        """Access to whatever Xero organisations a credential reaches."""
        return StoredTokens(credential_id, self.xero_app, self.keyring, self.http, self.clock, watch)

    def qonto(self, connection: Connection, share: Share = PERSON) -> Qonto:
        """A client for the connection's Qonto organisation, for whoever may use this share of its limits."""
        return self.qonto_as(load(Credential, connection.qonto_credential_id), share)

    def qonto_as(self, credential: Credential, share: Share = PERSON) -> Qonto:
        """A client that shows Qonto this API key, or OAuth token."""
        budget = QontoBudget(self.qonto_share, share)
        if credential.kind == QONTO_API_KEY:
            return Qonto(self.http, self.qonto_api_url, ApiKey(credential, self.keyring), budget, self.clock)
        tokens = StoredTokens(credential.id, self.qonto_app, self.keyring, self.http, self.clock)
        return Qonto(self.http, self.qonto_api_url, tokens, budget, self.clock, scheme="Bearer ")


def make_workbench(settings: Settings) -> Workbench:
    """A workbench from settings. Raises SettingsError when there is no encryption key: no key, no start."""
    http = Http(_peers(settings), dict.fromkeys(("xero_identity", "qonto_oauth"), TOKEN_READ_SECONDS))
    clock = (
        SteadyClock(sandbox_time(http, settings.clock_url), FOLLOW_SANDBOX)
        if settings.clock_url
        else SteadyClock(database_time, FOLLOW_DATABASE)
    )
    return Workbench(
        http=http,
        clock=clock,
        keyring=Keyring(settings.encryption_keys),
        machine_clock=clock if settings.clock_url else machine_time,
        app_share=AppShare(clock),
        qonto_share=AppShare(clock, service=QONTO),
        in_flight=lambda: Threads(IN_PROGRESS),
        xero_api_url=settings.xero_api_url,
        xero_app=OAuthApp(
            name="Xero",
            authorise_url=settings.xero_login_url + "/connect/authorize",
            token_url=settings.xero_identity_url + "/connect/token",
            revoke_url=settings.xero_identity_url + "/connect/revocation",
            client_id=settings.xero_client_id,
            client_secret=settings.xero_client_secret,
            client_in_body=False,
            scope=XERO_SCOPE,
            redirect_uri=settings.web_url + XERO_CALLBACK,
        ),
        qonto_api_url=settings.qonto_api_url,
        qonto_app=OAuthApp(
            name="Qonto",
            authorise_url=settings.qonto_oauth_url + "/oauth2/auth",
            token_url=settings.qonto_oauth_url + "/oauth2/token",
            revoke_url=settings.qonto_oauth_url + "/oauth2/revoke",
            client_id=settings.qonto_client_id,
            client_secret=settings.qonto_client_secret,
            client_in_body=True,
            scope=QONTO_SCOPE,
            redirect_uri=settings.web_url + QONTO_CALLBACK,
        ),
        qonto_app_url=settings.qonto_app_url,
        event_keys=settings.event_keys,
    )


def _peers(settings: Settings) -> dict[str, str]:
    """How metrics and traces call whom we call. In a sandbox all four may stand under one address."""
    return {
        settings.xero_api_url + "/": "xero",
        settings.xero_identity_url + "/connect/": "xero_identity",
        settings.qonto_api_url + "/": "qonto",
        settings.qonto_oauth_url + "/oauth2/": "qonto_oauth",
    }
