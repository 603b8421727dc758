"""What a replay would do with a transaction or a run, and why."""

from __future__ import annotations

import pytest

from domain.reasons import Excluded, Held, Rejected
from domain.replay import Outcome, what_of_run, what_of_transaction
from models.states import OPEN_RUN_STATES, PostingState, RunKind, RunState

TRANSACTIONS: dict[tuple[str, str], Outcome] = {
    (PostingState.POSTED, ""): Outcome.NOTHING,
    (PostingState.DUE, ""): Outcome.NOTHING,
    (PostingState.SENDING, ""): Outcome.NOTHING,
    (PostingState.UNCERTAIN, ""): Outcome.NOTHING,
    (PostingState.DELETED, ""): Outcome.STAYS,
    (PostingState.EXCLUDED, Excluded.ZERO_AMOUNT): Outcome.STAYS,
    (PostingState.REJECTED, Rejected.REFUSED): Outcome.AGAIN,
    (PostingState.HELD, Held.LOCK_DATE): Outcome.AGAIN,
    (PostingState.HELD, Held.NO_ANSWER): Outcome.AGAIN,
    (PostingState.HELD, Held.TWICE_IN_XERO): Outcome.STAYS,
    (PostingState.HELD, Held.UNRECOGNISED): Outcome.STAYS,
    (PostingState.HELD, Held.CURRENCY_DIFFERS): Outcome.STAYS,
}


@pytest.mark.parametrize(("state", "reason"), TRANSACTIONS)
def test_a_transaction_is_sent_again_only_if_xero_cannot_have_it(state: str, reason: str) -> None:
    decision = what_of_transaction(state, reason, is_live=True)

    assert decision.outcome == TRANSACTIONS[state, reason]
    assert decision.why.endswith(".")


def test_every_state_of_a_transaction_is_decided() -> None:
    assert {state for state, _ in TRANSACTIONS} == set(PostingState)


@pytest.mark.parametrize("state", PostingState)
def test_only_what_was_deleted_in_xero_is_made_again_there(state: str) -> None:
    recreated = what_of_transaction(state, "", is_live=True, recreate=True).outcome == Outcome.RECREATE

    assert recreated == (state == PostingState.DELETED)


@pytest.mark.parametrize("state", RunState)
def test_a_run_is_done_once_more_when_it_has_ended(state: str) -> None:
    outcome = what_of_run(RunKind.NIGHTLY, state, is_live=True).outcome

    expected = Outcome.NOTHING if state in OPEN_RUN_STATES else Outcome.AGAIN
    assert outcome == (Outcome.STAYS if state == RunState.CAUGHT_UP else expected)


def test_a_connection_is_not_ended_twice_and_a_broken_one_is_not_worked_on() -> None:
    assert what_of_run(RunKind.DISCONNECTION, RunState.DONE, is_live=True).outcome == Outcome.STAYS
    assert what_of_run(RunKind.NIGHTLY, RunState.FAILED, is_live=False).outcome == Outcome.STAYS


@pytest.mark.parametrize("state", PostingState)
def test_nothing_goes_to_a_xero_organisation_that_is_not_connected(state: str) -> None:
    outcome = what_of_transaction(state, Held.NO_ANSWER, is_live=False, recreate=True).outcome

    assert outcome == (Outcome.NOTHING if state == PostingState.POSTED else Outcome.STAYS)


def test_a_verification_is_not_replayed_and_a_look_only_looks() -> None:
    assert what_of_run(RunKind.VERIFICATION, RunState.DONE, is_live=True).outcome == Outcome.STAYS
    assert "sent" not in what_of_run(RunKind.OBSERVATION, RunState.DONE, is_live=True).why
