"""What lets us in, stored under the key ring."""

from __future__ import annotations

from uuid import uuid4

from clients.oauth import TokenSet
from models.credential import Credential
from services.access_tokens import access_context, secret_context
from services.workbench import Workbench
from settings import Secret


def store_secret(workbench: Workbench, kind: str, secret: Secret) -> Credential:
    """An API key, or a refresh token that nobody has used yet."""
    credential_id = uuid4().hex
    sealed = workbench.keyring.encrypt(secret, secret_context(credential_id))
    return Credential.create(id=credential_id, kind=kind, secret=sealed, created_at=workbench.clock())


def store_tokens(workbench: Workbench, kind: str, tokens: TokenSet) -> Credential:
    """A whole token set, durable before anything is asked with it."""
    credential_id = uuid4().hex
    return Credential.create(
        id=credential_id,
        kind=kind,
        secret=workbench.keyring.encrypt(tokens.refresh_token, secret_context(credential_id)),
        access_token=workbench.keyring.encrypt(tokens.access_token, access_context(credential_id)),
        expires_at=tokens.expires_at,
        created_at=workbench.clock(),
    )
