"""Numbers that stand in different files and owe something to each other."""

from __future__ import annotations

from datetime import timedelta

from clients.http import DRIP_SECONDS, TOTAL_SECONDS
from domain.recovery import MOST_SENDS, ON_THE_WIRE, PROOF_AFTER, REPLAY_WINDOW, SEND_WITHIN
from models.credential import CLAIM
from models.lease import LEASE
from services.access_tokens import PEER_SECONDS, RESTS_SECONDS, TRY_WITHIN
from services.workbench import TOKEN_READ_SECONDS

XERO_REMEMBERS = timedelta(minutes=6)
QONTO_FORGIVES = timedelta(seconds=60)  # a refresh token that was used before
LONGEST_TRY = timedelta(seconds=TOKEN_READ_SECONDS + DRIP_SECONDS)
LONGEST_CALL = timedelta(seconds=TOTAL_SECONDS)


def test_no_call_outlives_what_protects_it() -> None:
    assert ON_THE_WIRE >= LONGEST_CALL
    assert SEND_WITHIN + LONGEST_CALL < LEASE
    assert LONGEST_TRY < CLAIM


def test_a_lost_token_is_asked_for_again_within_qontos_grace_and_no_longer_than_a_call() -> None:
    assert TRY_WITHIN + LONGEST_TRY <= LONGEST_CALL < QONTO_FORGIVES
    assert timedelta(seconds=sum(RESTS_SECONDS)) < TRY_WITHIN
    assert LONGEST_CALL.total_seconds() < PEER_SECONDS


def test_a_key_is_used_only_while_xero_remembers_it_and_a_look_waits_longer() -> None:
    assert REPLAY_WINDOW + SEND_WITHIN + LONGEST_CALL < XERO_REMEMBERS
    assert PROOF_AFTER > XERO_REMEMBERS


def test_every_replay_fits_into_the_window() -> None:
    assert MOST_SENDS * ON_THE_WIRE < REPLAY_WINDOW
