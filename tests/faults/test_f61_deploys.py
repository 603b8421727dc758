"""F61 and F62: messages of another version, and workers without the right key."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import pytest

from tests.acceptance.processes import NIGHT, Broker, at, in_qonto, in_xero
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import begin, connected, nightly_state, sends, until_state
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

SILENCE = 5 * 60  # seconds after which an open run that nobody works on is announced again
LEASE = 90
BAD_SETTING = 4
ANNOUNCED = "SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL"
SECRETS = "SELECT id, secret, access_token, version FROM credential ORDER BY id"
VERSIONS = ("today", "option", "argument", "position", "actor", "envelope", "bytes")


@pytest.mark.fault(
    "F61",
    injected="messages with unknown fields, of an old shape, for an actor that is gone",
    holds="I1 I2 I16 I18 I23",
)
def test_messages_of_other_versions_are_understood_or_kept_and_no_work_is_lost(
    company: FaultyCompany, town: WorldClient, broker: Broker
) -> None:
    parties = {name: connected(company, town, name=name) for name in VERSIONS}
    company.keep_running("scheduler", "scheduler")
    at(town, NIGHT)
    company.until(lambda: company.query(ANNOUNCED) == [(len(VERSIONS),)], "every run to be announced")
    messages = sorted((json.loads(body) for body in broker.take("nightly")), key=lambda told: told["kwargs"]["run_id"])
    broker.publish("nightly", [_as_of(name, told) for name, told in zip(VERSIONS, messages, strict=True)])
    company.keep_running("worker", "worker")
    until_state(company, "done", *(parties[name] for name in ("today", "option", "position")))
    company.until(lambda: len(_kept(company)) == 3, "three messages in quarantine")

    assert [nightly_state(company, parties[name]) for name in ("actor", "envelope", "bytes")] == ["due"] * 3
    town.advance(SILENCE + 1)
    company.until_night_is_done(organisations=len(VERSIONS))

    assert [in_xero(party) for party in parties.values()] == [in_qonto(party) for party in parties.values()]
    assert [len(sends(town, party)) for party in parties.values()] == [1] * len(VERSIONS)
    assert company.restarts["worker"] == 0
    payloads = [payload for payload, _ in _kept(company)]
    assert sum(b"organisation.gone" in payload for payload in payloads) == 1
    assert b"\x80not json" in payloads


def _as_of(version: str, told: dict[str, Any]) -> bytes:
    """Today's message as another version would have written it."""
    arguments = told["kwargs"]
    changes: dict[str, dict[str, Any]] = {
        "today": {},
        "option": {"options": told["options"] | {"priority_of_tomorrow": 1}},
        "argument": {"kwargs": arguments | {"field_of_tomorrow": 1}},
        "position": {"args": [arguments["run_id"]], "kwargs": {}},
        "actor": {"actor_name": "organisation.gone"},
        "envelope": {"field_of_tomorrow": 1},
    }
    return b"\x80not json" if version == "bytes" else json.dumps(told | changes[version]).encode()


def _kept(company: FaultyCompany) -> list[tuple[bytes, str]]:
    return [(bytes(payload), reason) for payload, reason in company.query("SELECT payload, reason FROM quarantine")]


@pytest.mark.fault("F62", injected="no encryption key at boot", holds="I2 I19")
def test_without_a_key_no_process_starts(company: FaultyCompany, town: WorldClient) -> None:
    connected(company, town)
    kept = company.query(SECRETS)
    asked = _last_request(town)
    company.routes["ENCRYPTION_KEYS"] = ""
    processes = [company.start(command) for command in ("worker", "scheduler")]

    assert [company.until_ended(process) for process in processes] == [BAD_SETTING] * 2
    assert all("QONTO_XERO_ENCRYPTION_KEYS" in process.log() for process in processes)
    assert company.query(SECRETS) == kept
    assert town.requests_made(f"after={asked}") == []
    company.routes.pop("ENCRYPTION_KEYS")
    begin(company, town)
    company.until_night_is_done()


@pytest.mark.fault("F62", injected="another key than the one that encrypted", holds="I2 I19")
@pytest.mark.parametrize("ring", ["test", "other"], ids=["of the same name", "of another name"])
def test_with_the_wrong_key_no_worker_starts_and_no_token_is_overwritten(
    company: FaultyCompany, town: WorldClient, ring: str
) -> None:
    party = connected(company, town)
    kept = company.query(SECRETS)
    asked = _last_request(town)
    company.keep_running("scheduler", "scheduler")
    company.routes["ENCRYPTION_KEYS"] = f"{ring}:{base64.b64encode(os.urandom(32)).decode()}"
    worker = company.start("worker")
    at(town, NIGHT)

    assert company.until_ended(worker) == BAD_SETTING
    assert company.query(SECRETS) == kept
    assert town.requests_made(f"after={asked}") == []
    assert company.settings["ENCRYPTION_KEYS"].split(":")[1] not in worker.log()
    company.routes.pop("ENCRYPTION_KEYS")
    company.keep_running("worker", "worker")
    town.advance(LEASE + 1)
    company.until_night_is_done()
    assert in_xero(party) == in_qonto(party)


def _last_request(town: WorldClient) -> int:
    return int(town.control("GET", "/requests?limit=0")["last_id"])
