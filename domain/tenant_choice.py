"""Which of the Xero organisations that a login reaches a person has just let us into."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reached:
    """A Xero organisation that the login reaches. `updated_at` is Xero's text, which sorts."""

    tenant_id: str
    auth_event_id: str
    updated_at: str


@dataclass(frozen=True)
class Offer:
    """What a person may choose from, by tenant id. `suggested` may be empty; `is_certain`: there is nothing to ask."""

    tenant_ids: tuple[str, ...]
    suggested: str
    is_certain: bool


def offer(reached: Sequence[Reached], auth_event_id: str, known: Collection[str]) -> Offer:
    """What was chosen in this very consent; where Xero does not say, everything, with the likeliest suggested.

    A tenant that is authorised again keeps the event of its first consent, so that none may fit. `known` are the
    tenants that this customer has had; next likeliest is the one that Xero touched last. Never the first of a list.
    """
    chosen = [one for one in reached if auth_event_id and one.auth_event_id == auth_event_id]
    offered = chosen or list(reached)
    familiar = [one.tenant_id for one in offered if one.tenant_id in known]
    if len(familiar) == 1:
        [suggested] = familiar
    elif chosen or not offered:
        suggested = ""
    else:
        suggested = max(offered, key=lambda one: one.updated_at).tenant_id
    return Offer(tuple(one.tenant_id for one in offered), suggested, is_certain=len(offered) == 1)
