"""docker-compose.yml is one by the specification, and holds what the specification does not ask for."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from deploy.make_secrets import Folder
from settings import PREFIX, Settings
from tests.compose import COMPOSE, ROOT, SANDBOX, going_on, grace, ours, read_compose, secrets_of

SCHEMA = Path(__file__).with_name("compose-spec.schema.json")
EXACT = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?")
DRAIN_SECONDS = 60  # of a worker
compose = read_compose(COMPOSE)
SERVICES: dict[str, Any] = compose["services"]
every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_one_of_ours = pytest.mark.parametrize("name", sorted(ours(compose)))


@pytest.mark.parametrize("files", [[COMPOSE], [COMPOSE, SANDBOX]], ids=["alone", "with a sandbox"])
def test_it_is_valid_by_the_specification(files: list[Path]) -> None:
    problems = Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(read_compose(*files))

    assert [f"{'/'.join(map(str, problem.path))}: {problem.message}" for problem in problems] == []


@every_service
def test_every_image_is_one_exact_version(name: str) -> None:
    assert EXACT.fullmatch(SERVICES[name]["image"])


@every_service
def test_every_service_is_hardened_and_its_log_ends(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["logging"]["options"]["max-size"]


@every_service
def test_what_goes_on_is_looked_at_started_again_and_given_time_to_end(name: str) -> None:
    service = SERVICES[name]
    if name in {"migrate", "operator"}:
        assert "restart" not in service
        return

    assert service["restart"] == "always"
    assert service["healthcheck"]["test"]
    assert grace(service) >= 30


@pytest.mark.parametrize("name", sorted(going_on(compose)))
def test_ours_are_looked_at_by_asking_whether_they_are_ready(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]["test"] == ["CMD", "qonto-xero", "ready"]
    assert service["environment"]["QONTO_XERO_MONITOR"].endswith(":9100")


def test_a_worker_may_drain_before_it_is_killed() -> None:
    assert grace(SERVICES["worker"]) > DRAIN_SECONDS


@every_service
def test_what_is_published_is_published_to_this_machine_alone_and_no_monitor_is(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)
        assert not port.endswith(":9100")


def test_who_needs_no_way_out_has_none() -> None:
    assert compose["networks"]["back"]["internal"] is True
    closed = {name for name, service in SERVICES.items() if service["networks"] == ["back"]}
    assert closed == {"database", "broker", "migrate", "scheduler", "listener"}


def test_every_secret_is_declared_used_and_made_by_the_script(tmp_path: Path) -> None:
    declared = {name: Path(secret["file"]) for name, secret in compose["secrets"].items()}
    used = {secret for service in SERVICES.values() for secret in secrets_of(service).values()}

    assert used == set(declared)
    assert {path.parent for path in declared.values()} == {Path("secrets")}
    made = Folder(tmp_path / "secrets", "database:5432/qonto_xero", "amqp://broker:5672").fill()
    assert {path.name for path in declared.values()} <= set(made)


@every_service
def test_every_file_that_is_named_is_there(name: str) -> None:
    mounted = [volume.split(":")[0] for volume in SERVICES[name].get("volumes", []) if volume.startswith(".")]

    assert [path for path in mounted if not (ROOT / path).exists()] == []


@every_service
def test_no_secret_is_in_the_environment_and_those_named_there_are_given(name: str) -> None:
    given = secrets_of(SERVICES[name])
    for variable, text in SERVICES[name].get("environment", {}).items():
        is_secret = re.search("PASSWORD|SECRET|KEYS|_URL_FILE", variable)
        assert not is_secret or text in given, variable
        assert "@" not in text, f"{variable} may hold a password"


@every_one_of_ours
def test_every_setting_is_one_that_our_settings_know(name: str) -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    named = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}

    assert named - known == set()
