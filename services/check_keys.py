"""Whether this process's keys open what is stored: if not, it must not start."""

from __future__ import annotations

from models.credential import Credential, oldest_and_newest
from models.database import may_read
from models.encryption import Keyring
from models.quarantine import Quarantine, newest_sealed, sealing_context
from services.access_tokens import secret_context


def check_keys(keyring: Keyring) -> None:
    """Raises CannotDecrypt. Tried on credentials; by a process that may not read those, on what quarantine has sealed;
    by one that may read neither, on nothing.
    """
    if may_read(Credential):
        for credential in oldest_and_newest():
            keyring.decrypt(credential.secret, secret_context(credential.id))
    elif may_read(Quarantine) and (row := newest_sealed()):
        keyring.unseal(bytes(row.payload), sealing_context(row.digest))
