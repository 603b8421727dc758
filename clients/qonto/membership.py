"""`GET /v2/membership`: who signed in, and what they may do in their organisation now."""

from __future__ import annotations

import msgspec

from clients.decoding import Id, Text, Word
from clients.qonto.client import Qonto


class Membership(msgspec.Struct):
    """`role` is null for who has only been invited; the values of `role` and `status` are open sets."""

    id: Id
    first_name: Text = ""
    last_name: Text = ""
    role: Word | None = None
    status: Word | None = None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class _Answer(msgspec.Struct):
    membership: Membership


def read_membership(qonto: Qonto) -> Membership:
    """The membership of whoever the token belongs to; it needs the scope `membership.read`."""
    return qonto.get("/v2/membership", _Answer).membership
