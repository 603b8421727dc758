"""Numbers that stand in different files and owe something to each other."""

from __future__ import annotations

from datetime import timedelta

from clients.http import TOTAL_SECONDS
from domain.recovery import MOST_SENDS, ON_THE_WIRE, PROOF_AFTER, REPLAY_WINDOW, SEND_WITHIN
from models.credential import CLAIM
from models.lease import LEASE

XERO_REMEMBERS = timedelta(minutes=6)
LONGEST_CALL = timedelta(seconds=TOTAL_SECONDS)


def test_no_call_outlives_what_protects_it() -> None:
    assert ON_THE_WIRE >= LONGEST_CALL
    assert SEND_WITHIN + LONGEST_CALL < LEASE
    assert LONGEST_CALL < CLAIM


def test_a_key_is_used_only_while_xero_remembers_it_and_a_look_waits_longer() -> None:
    assert REPLAY_WINDOW + SEND_WITHIN + LONGEST_CALL < XERO_REMEMBERS
    assert PROOF_AFTER > XERO_REMEMBERS


def test_every_replay_fits_into_the_window() -> None:
    assert MOST_SENDS * ON_THE_WIRE < REPLAY_WINDOW
