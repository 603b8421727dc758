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


UNDER_WAY = {"due", "sending", "uncertain"}
SYNCS = {"nightly", "manual"}  # kinds of run that read Qonto's transactions and send them
NOT_LIVE = "A person must connect its organisation to this Xero organisation."

# Held, and sending it again would double it, or could only end the same way.
NEVER_AGAIN = {Held.TWICE_IN_XERO, Held.UNRECOGNISED, Held.CURRENCY_DIFFERS}


def what_of_transaction(state: str, reason: str, *, is_live: bool, recreate: bool = False) -> Decision:
    """What a replay does with a transaction in this state, held or rejected for this reason.

    `is_live`: its organisation has a live connection to the Xero organisation that it is for.
    """
    if state == "posted":
        return Decision(Outcome.NOTHING, "Xero has it.")
    why_not = _why_transaction_stays(state, reason, is_live=is_live, recreate=recreate)
    if why_not:
        return Decision(Outcome.STAYS, why_not)
    if state in UNDER_WAY:
        return Decision(Outcome.NOTHING, "It is on its way.")
    if state == "deleted_in_xero":
        return Decision(Outcome.RECREATE, "A person deleted it in Xero; it is made there again.")
    return Decision(Outcome.AGAIN, f"It is sent once more. {sentence(reason)}")


def _why_transaction_stays(state: str, reason: str, *, is_live: bool, recreate: bool) -> str:
    if state == "deleted_in_xero" and not recreate:
        return "A person deleted it in Xero, and it stays deleted; see --recreate."
    if state == "excluded" or (state == "held" and reason in NEVER_AGAIN):
        return sentence(reason)
    return "" if is_live else NOT_LIVE


def what_of_run(kind: str, state: str, *, is_live: bool) -> Decision:
    """What a replay does with a run of this kind and state; `is_live`: the connection that it went over is."""
    why_not = _why_run_stays(kind, state, is_live=is_live)
    if why_not:
        return Decision(Outcome.STAYS, why_not)
    if state not in {"done", "failed"}:
        return Decision(Outcome.NOTHING, "It is under way.")
    if kind in SYNCS:
        return Decision(Outcome.AGAIN, "Qonto is read again from its date on, and what is not in Xero is sent.")
    return Decision(Outcome.AGAIN, "It looks once more.")


def _why_run_stays(kind: str, state: str, *, is_live: bool) -> str:
    if kind == "disconnection":
        return "It ended a connection; `connections disconnect` ends one."
    if kind == "verification":
        return "It held our record against Xero; `verify` does so anew."
    if state == "caught_up":
        return "A later night did what it had missed."
    return (
        "" if is_live else "It went over a connection that is not live. If there is another one, `sync` does its work."
    )
