"""The script that makes the secrets of a deployment: each once, for one reader, and servers get hashes only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dramatiq.common import dq_name, xq_name

from deploy.make_secrets import BY_A_PERSON, DEFINITIONS, HASHES, Folder, MadeBefore, main
from messaging.event_queues import DEAD, EXCHANGE, QUEUE, ROUTING_KEYS, declare_event_queues
from messaging.queues import queue_arguments
from models.states import Lane
from settings import read_settings


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "secrets", "db.example:5432/qonto_xero", "amqps://mq.example:5671")


def texts(folder: Folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.path.iterdir()}


def test_everything_is_made_once_and_nothing_is_made_again(folder: Folder) -> None:
    made = folder.fill()
    first = texts(folder)

    assert sorted(made) == sorted(first)
    assert folder.fill() == []
    assert texts(folder) == first


def test_only_its_reader_may_read_a_file(folder: Folder) -> None:
    folder.fill()

    assert {path.stat().st_mode & 0o077 for path in folder.path.iterdir()} == {0}
    assert folder.path.stat().st_mode & 0o077 == 0


def test_no_password_is_in_what_a_server_reads_and_no_two_are_the_same(folder: Folder) -> None:
    folder.fill()
    known = texts(folder)
    passwords = [known[name].split("@")[0].rsplit(":", 1)[1] for name in known if "_url_" in name]

    assert len(set(passwords)) == len(passwords) - 1, "the scheduler has two URLs to one broker"
    assert not [word for word in passwords for name in HASHES.values() if word in known[name]]


def test_our_settings_take_what_is_made(folder: Folder) -> None:
    folder.fill()

    settings = read_settings(
        {
            "QONTO_XERO_DATABASE_URL_FILE": str(folder.path / "database_url_worker"),
            "QONTO_XERO_BROKER_URL_FILE": str(folder.path / "broker_url_worker"),
            "QONTO_XERO_EVENTS_BROKER_URL_FILE": str(folder.path / "events_broker_url_listener"),
            "QONTO_XERO_ENCRYPTION_KEYS_FILE": str(folder.path / "encryption_keys"),
            "QONTO_XERO_EVENT_KEYS_FILE": str(folder.path / "event_keys"),
        }
    )

    assert settings.database_url.endswith("@db.example:5432/qonto_xero")
    assert settings.broker_url.startswith("amqps://worker:")
    assert settings.events_broker_url.endswith("@mq.example:5671/qonto-events")
    assert list(settings.encryption_keys) == ["k1"]
    assert settings.event_keys
    assert list(settings.event_keys) == ["core-1"]


def test_a_url_that_is_gone_is_not_made_anew_while_the_server_has_the_hash_of_its_password(folder: Folder) -> None:
    folder.fill()
    (folder.path / "broker_url_worker").unlink()

    with pytest.raises(MadeBefore, match=r"broker_definitions\.json does not fit broker_url_worker"):
        folder.fill()

    (folder.path / "broker_definitions.json").unlink()
    assert folder.fill() == ["broker_url_worker", "broker_definitions.json"]


def test_what_a_person_must_fill_in_is_said_until_they_have(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(folder.path)])
    told = capsys.readouterr().out
    assert all(name in told for name in BY_A_PERSON)

    for name in BY_A_PERSON:
        (folder.path / name).write_text("from their page")
    main([str(folder.path)])
    assert "still to fill in" not in capsys.readouterr().out
    assert texts(folder)["xero_client_secret"] == "from their page"


class Declared:
    """A channel that notes what is declared on it."""

    def __init__(self) -> None:
        self.queues: dict[str, object] = {}
        self.bindings: set[tuple[str, str, str]] = set()

    def exchange_declare(self, *_: object, **__: object) -> None:
        """The test looks at exchanges by their names."""

    def queue_declare(self, queue: str, *, durable: bool, arguments: dict[str, object]) -> None:
        assert durable
        self.queues[queue] = arguments

    def queue_bind(self, queue: str, exchange: str, key: str) -> None:
        self.bindings.add((exchange, queue, key))


def test_rabbitmq_is_given_the_queues_that_our_processes_declare() -> None:
    definitions = json.loads(DEFINITIONS.read_text())
    channel = Declared()
    declare_event_queues(channel)
    lanes = [name for lane in Lane for name in (lane.value, dq_name(lane.value), xq_name(lane.value))]

    given = {queue["name"]: queue["arguments"] for queue in definitions["queues"]}
    assert given == channel.queues | {name: queue_arguments(name) for name in lanes}
    bound = {(one["source"], one["destination"], one["routing_key"]) for one in definitions["bindings"]}
    assert bound == channel.bindings == {(EXCHANGE, QUEUE, key) for key in ROUTING_KEYS}
    assert DEAD in given


def test_rabbitmq_knows_no_guest_and_no_administrator() -> None:
    users = {user["name"]: user["tags"] for user in json.loads(DEFINITIONS.read_text())["users"]}

    assert "guest" not in users
    assert users.pop("monitoring") == ["monitoring"]
    assert set(map(str, users.values())) == {"[]"}
