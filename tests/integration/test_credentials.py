"""Credentials: one refresh at a time, and no refreshed token is overwritten by an older one."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from models.credential import CLAIM, Credential, claim_refresh, release_claim, store_refreshed
from tests.factories import NOW, make_credential
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)
FRESH = {"secret": "new secret", "access_token": "new token", "expires_at": NOW + timedelta(minutes=30)}


@pytest.fixture
def credential(database: str) -> Credential:
    return make_credential()


def test_one_claimant_may_refresh_for_a_minute(credential: Credential) -> None:
    assert claim_refresh(credential, "first", NOW)
    assert not claim_refresh(credential, "second", NOW + CLAIM)
    assert not claim_refresh(credential, "first", NOW)

    assert claim_refresh(credential, "second", NOW + CLAIM + MOMENT)


def test_of_eight_claimants_at_one_moment_exactly_one_refreshes(database: str, at_once: AtOnce) -> None:
    for _ in range(5):
        credential = make_credential()

        claimed = at_once([partial(claim_refresh, credential, f"claimant-{n}", NOW) for n in range(8)])

        assert claimed.count(True) == 1


def test_a_new_token_set_replaces_the_old_one_and_ends_the_claim(credential: Credential) -> None:
    claim_refresh(credential, "first", NOW)

    assert store_refreshed(credential, "first", **FRESH)  # type: ignore[arg-type]

    kept = Credential.get_by_id(credential.id)
    assert (kept.secret, kept.access_token, kept.expires_at) == ("new secret", "new token", FRESH["expires_at"])
    assert (kept.version, kept.claimed_by, kept.claimed_until) == (2, "", None)


def test_who_read_the_row_before_a_peer_refreshed_it_cannot_claim_it(credential: Credential) -> None:
    claim_refresh(credential, "first", NOW)
    store_refreshed(credential, "first", **FRESH)  # type: ignore[arg-type]

    assert not claim_refresh(credential, "second", NOW)
    assert claim_refresh(Credential.get_by_id(credential.id), "second", NOW)


def test_who_lost_the_claim_stores_nothing(credential: Credential) -> None:
    claim_refresh(credential, "first", NOW)
    claim_refresh(credential, "second", NOW + CLAIM + MOMENT)

    assert not store_refreshed(credential, "first", **FRESH)  # type: ignore[arg-type]
    assert Credential.get_by_id(credential.id).secret == "ciphertext"


def test_who_comes_after_a_peer_stored_a_newer_version_stores_nothing(credential: Credential) -> None:
    claim_refresh(credential, "first", NOW)
    store_refreshed(credential, "first", **FRESH)  # type: ignore[arg-type]
    claim_refresh(Credential.get_by_id(credential.id), "first", NOW)

    assert not store_refreshed(credential, "first", secret="older", access_token="", expires_at=NOW)
    assert Credential.get_by_id(credential.id).secret == "new secret"


def test_a_refresh_that_failed_lets_the_next_one_try_at_once(credential: Credential) -> None:
    claim_refresh(credential, "first", NOW)

    release_claim(credential, "second")
    assert not claim_refresh(credential, "third", NOW)

    release_claim(credential, "first")
    assert claim_refresh(credential, "third", NOW)
    assert Credential.get_by_id(credential.id).secret == "ciphertext"
