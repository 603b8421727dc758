"""The SDK's token handling with its one hard-coded address replaced, by subclassing only."""

from __future__ import annotations

from typing import Any

from xero_python.api_client.oauth2 import OAuth2Token, TokenApi


class SandboxToken(OAuth2Token):  # type: ignore[misc] # the SDK is untyped
    """Refreshes and revokes at the sandbox's identity service."""

    def __init__(self, sandbox_url: str, client_id: str, client_secret: str) -> None:
        super().__init__(client_id=client_id, client_secret=client_secret)
        self.sandbox_url = sandbox_url

    def token_api(self, api_client: Any) -> TokenApi:
        """The SDK's token client at the sandbox's addresses."""
        api = TokenApi(api_client, self.client_id, self.client_secret)
        api.refresh_token_url = f"{self.sandbox_url}/identity/connect/token"
        api.revoke_token_url = f"{self.sandbox_url}/identity/connect/revocation"
        return api

    def refresh_access_token(self, api_client: Any) -> bool:
        """As the SDK does it, at another address."""
        tokens = self.fetch_access_token(self.token_api(api_client))
        self.update_token(**tokens)
        api_client.set_oauth2_token(tokens)
        return True
