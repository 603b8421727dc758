"""What doing it once more would do to a run or to a transaction: a decision with its reason, whoever acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.reasons import Held, sentence


class Outcome(StrEnum):
    """What a replay does with one thing."""

    AGAIN = "again"  # done once more
    RECREATE = "recreate"  # made again in Xero, although a person deleted it there
    NOTHING = "nothing"  # it is where it should be, or on its way
    STAYS = "stays"  # it would be wrong, or of no use


@dataclass(frozen=True)
class Decision:
    """`why` is a sentence for a person."""

    outcome: Outcome
    why: str


# Held, and sending it again would double it, or could only end the same way.
NEVER_AGAIN = {Held.TWICE_IN_XERO, Held.UNRECOGNISED, Held.CURRENCY_DIFFERS}


def what_of_transaction(state: str, reason: str, *, recreate: bool) -> Decision:
    """What a replay does with a transaction in this state, held or rejected for this reason."""
    if state == "posted":
        return Decision(Outcome.NOTHING, "Xero has it.")
    if state == "deleted_in_xero":
        if recreate:
            return Decision(Outcome.RECREATE, "A person deleted it in Xero; it is made there again.")
        return Decision(Outcome.STAYS, "A person deleted it in Xero, and it stays deleted; see --recreate.")
    if state in {"due", "sending", "uncertain"}:
        return Decision(Outcome.NOTHING, "It is on its way.")
    if state == "rejected" or (state == "held" and reason not in NEVER_AGAIN):
        return Decision(Outcome.AGAIN, f"It is sent once more. {sentence(reason)}")
    return Decision(Outcome.STAYS, sentence(reason))


def what_of_run(kind: str, state: str, *, is_live: bool) -> Decision:
    """What a replay does with a run of this kind and state; `is_live`: its connection is."""
    if kind == "disconnection":
        return Decision(Outcome.STAYS, "It ended a connection; `connections disconnect` ends one.")
    if not is_live:
        return Decision(Outcome.STAYS, "Its connection is not live: a person must connect again.")
    if state == "caught_up":
        return Decision(Outcome.STAYS, "A later night did what it had missed.")
    if state not in {"done", "failed"}:
        return Decision(Outcome.NOTHING, "It is under way.")
    return Decision(Outcome.AGAIN, "Qonto is read again from its date on, and what is not in Xero is sent.")
