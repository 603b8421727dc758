"""`keys`: which key encrypts how much, and everything under the newest."""

from __future__ import annotations

import base64

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import Company
from tests.acceptance.test_cli_mistakes import BROKEN, misused
from tests.sandbox.world_client import WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

NEW = "new:" + base64.b64encode(b"n" * 32).decode()
WHY = ("--reason", "every year", "--who", "ada")
AUDIT = "SELECT who, subject, reason FROM audit_entry WHERE action = 'keys.rotate'"


def listed(company: Company) -> dict[str, int]:
    """How many secrets each key encrypts."""
    return {row["key"]: row["secrets"] for row in company.ask("keys", "list", "--json").json}


def test_after_a_rotation_the_old_key_can_be_thrown_away(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    assert small_company.connect(party).code == 0
    old = small_company.settings["ENCRYPTION_KEYS"]
    (old_id,) = listed(small_company)
    before = listed(small_company)[old_id]
    assert before >= 3, "Qonto's key, Xero's refresh and access token"

    small_company.settings["ENCRYPTION_KEYS"] = f"{NEW},{old}"
    assert listed(small_company) == {"new": 0, old_id: before}
    ran = small_company.ask("keys", "rotate", *WHY, "--json")

    assert (ran.code, ran.err) == (0, "")
    assert {row["key"]: row["secrets"] for row in ran.json} == {"new": before, old_id: 0}
    assert small_company.query_file(AUDIT) == [("ada", "new", "every year")]
    small_company.settings["ENCRYPTION_KEYS"] = NEW
    assert small_company.ask("sync", party.known["slug"]).code == 0


def test_it_says_which_key_still_encrypts_something(small_company: Company, town: WorldClient) -> None:
    for _ in range(2):
        assert small_company.connect(town.organisation()).code == 0
    newest = "SELECT qonto_credential_id FROM connection ORDER BY created_at DESC LIMIT 1"
    small_company.execute(f"UPDATE credential SET secret = 'lost:00' WHERE id = ({newest})")
    small_company.settings["ENCRYPTION_KEYS"] = f"{NEW},{small_company.settings['ENCRYPTION_KEYS']}"

    ran = small_company.ask("keys", "rotate", *WHY, "--json")

    assert ran.code == BROKEN
    assert {row["key"]: (row["secrets"], row["is_in_the_ring"]) for row in ran.json if row["key"] == "lost"} == {
        "lost": (1, False)
    }
    assert "'lost', which is not in the ring" in ran.err


def test_it_wants_to_know_why(small_company: Company) -> None:
    misused(small_company.ask("keys", "rotate"), "--reason")
    assert small_company.query_file(AUDIT) == []
