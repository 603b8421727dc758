"""`GET /v2/organization`: who the key or token belongs to."""

from __future__ import annotations

import msgspec

from clients.decoding import Id, Text
from clients.qonto.client import Qonto


class Organisation(msgspec.Struct):
    """Qonto's organisation. `slug` is for people and links; `id` is its identity."""

    id: Id
    slug: Id
    legal_name: Text = ""
    name: Text = ""


class _Answer(msgspec.Struct):
    organization: Organisation


def read_organisation(qonto: Qonto) -> Organisation:
    return qonto.get("/v2/organization", _Answer).organization
