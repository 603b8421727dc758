"""Which transactions go to Xero, and why the others do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.eligibility import why_excluded
from domain.reasons import Excluded, Held, Rejected, sentence
from tests.unit.fakes import NOW


@pytest.fixture
def completed() -> dict[str, Any]:
    """A transaction that goes to Xero."""
    return {"status": "completed", "settled_at": NOW, "amount_cents": 1, "is_external": False, "starts_at": NOW}


def test_a_completed_transaction_of_our_own_settled_since_the_start_is_sent(completed: dict[str, Any]) -> None:
    assert why_excluded(**completed) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "pending"}, Excluded.NOT_COMPLETED),
        ({"status": "declined"}, Excluded.NOT_COMPLETED),
        ({"status": "reversed"}, Excluded.NOT_COMPLETED),
        ({"settled_at": None}, Excluded.NOT_SETTLED),
        ({"is_external": True}, Excluded.EXTERNAL),
        ({"settled_at": NOW - timedelta(microseconds=1)}, Excluded.BEFORE_START),
        ({"amount_cents": 0}, Excluded.ZERO_AMOUNT),
    ],
)
def test_any_other_transaction_is_never_sent_and_says_why(
    completed: dict[str, Any], change: dict[str, Any], why: Excluded
) -> None:
    assert why_excluded(**completed | change) == why


@pytest.mark.parametrize("reason", [*Excluded, *Held, *Rejected])
def test_every_reason_has_a_sentence_for_people(reason: str) -> None:
    assert sentence(reason) != reason
    assert sentence(reason).endswith(".")


def test_a_reason_nobody_knows_speaks_for_itself() -> None:
    assert sentence("from_a_newer_version") == "from_a_newer_version"
