"""The mark we give an account in Xero: by its `Code` we know our own again, even if an answer was lost."""

from __future__ import annotations

import base64
import hashlib

MARK_LENGTH = 10  # Xero's limit for an account Code


def account_mark(bank_account_id: str, generation: int) -> str:
    """The Code of the `generation`-th Xero account for a Qonto bank account: Q and nine characters of a hash."""
    return _mark(f"bank account:{bank_account_id}:{generation}")


def coding_mark(organisation_id: str, generation: int) -> str:
    """The Code of the account that an organisation's lines wait in until an accountant codes them."""
    return _mark(f"coding account:{organisation_id}:{generation}")


def _mark(of: str) -> str:
    digest = base64.b32encode(hashlib.sha256(of.encode()).digest()).decode()
    return "Q" + digest[: MARK_LENGTH - 1]
