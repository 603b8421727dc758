"""docker-compose.yml is one by the specification, and holds what the specification does not ask for."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from commands.processes import LISTENER_POOL, OPERATIONS_POOL, PAGE_POOL, worker_pool
from deploy.make_secrets import Folder
from models.database import configure
from settings import PREFIX, Settings
from tests.compose import (
    COMPOSE,
    EXAMPLE,
    ROOT,
    SANDBOX,
    VARIABLE,
    filled_in,
    going_on,
    grace,
    ours,
    read_compose,
    replicas,
    secrets_of,
)

SCHEMA = Path(__file__).with_name("compose-spec.schema.json")
EXACT = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?")
DRAIN_SECONDS = 60  # of a worker
MOST_WORKERS = 10  # that deploy/env.example speaks of
ROOM = 40  # connections for people, backups and whoever looks at the database
compose = read_compose(COMPOSE)
SERVICES: dict[str, Any] = compose["services"]
every_file = pytest.mark.parametrize("files", [[COMPOSE], [COMPOSE, SANDBOX]], ids=["alone", "with a sandbox"])
every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_one_of_ours = pytest.mark.parametrize("name", sorted(ours(compose)))


@every_file
def test_it_is_valid_by_the_specification(files: list[Path]) -> None:
    problems = Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(read_compose(*files))

    assert [f"{'/'.join(map(str, problem.path))}: {problem.message}" for problem in problems] == []


@pytest.mark.parametrize(
    "text",
    ["x-beside: &beside\n  ports: !reset []\n", "services:\n  a: &a\n    ports: !reset []\n  b:\n    <<: *a\n"],
    ids=["in an anchor", "by an anchor"],
)
def test_a_reset_that_compose_would_not_see_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(text)

    with pytest.raises(ValueError, match="outside a service does nothing"):
        read_compose(path)


@every_file
def test_an_image_is_built_by_one_service_and_fetched_by_none_of_those_that_share_it(files: list[Path]) -> None:
    together = read_compose(*files)
    built = Counter(service["image"] for service in together["services"].values() if "build" in service)

    assert set(built.values()) == {1}
    assert {service["image"] for service in ours(together).values()} == set(built)
    assert {service["pull_policy"] for service in ours(together).values()} == {"never"}


@every_service
def test_every_image_is_one_exact_version(name: str) -> None:
    assert EXACT.fullmatch(filled_in(SERVICES[name]["image"], {}))


def test_our_image_has_this_release_s_version_unless_somebody_goes_back() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    (image,) = {filled_in(service["image"], {}) for service in ours(compose).values()}
    assert image == f"qonto-xero-sync:{version}"
    assert f'image.version="{version}"' in (ROOT / "Dockerfile").read_text()


def test_the_example_of_env_names_every_variable_and_no_secret() -> None:
    asked = {name for name, _ in VARIABLE.findall(COMPOSE.read_text())}

    assert set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)) == asked
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    assert ".*" in (ROOT / ".dockerignore").read_text().splitlines()


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


def test_the_database_takes_every_connection_that_our_processes_may_hold_and_has_room_for_people() -> None:
    threads = int(SERVICES["worker"]["command"][-1])
    pools = {
        "scheduler": signature(configure).parameters["pool_size"].default,
        "worker": worker_pool(threads),
        "listener": LISTENER_POOL,
        "web": PAGE_POOL,
        "operations": OPERATIONS_POOL,
    }
    assert set(pools) == set(going_on(compose))

    taken = sum(pool * replicas(SERVICES[name], WORKERS=str(MOST_WORKERS)) for name, pool in pools.items())

    (most,) = re.findall(r"max_connections=(\d+)", " ".join(SERVICES["database"]["command"]))
    assert taken + ROOM <= int(most)


def test_there_are_as_many_workers_as_env_says() -> None:
    assert replicas(SERVICES["worker"]) == 2
    assert replicas(SERVICES["worker"], WORKERS="6") == 6


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
