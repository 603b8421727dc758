"""What the command line tells clearly: addresses that make no sense, odd secrets, hostile names, taken ports."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import Company
from tests.acceptance.test_cli_mistakes import HIDDEN, NOBODY_LISTENS, SETTINGS, UNREACHABLE, USAGE, refused, told
from tests.acceptance.test_cli_output import HOSTILE
from tests.sandbox.world_client import WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company


@pytest.mark.parametrize(
    "url",
    [f"mysql://user:{HIDDEN}@host/books", "sqlite:////", f"postgresql://user:{HIDDEN}@127.0.0.1:port/books"],
    ids=["another scheme", "no file named", "a port that is no number"],
)
@pytest.mark.parametrize("command", [["db", "migrate"], ["runs"]], ids=lambda command: command[-1])
def test_a_database_url_that_makes_no_sense(small_company: Company, command: list[str], url: str) -> None:
    told(small_company.ask(*command, DATABASE_URL=url), SETTINGS, "QONTO_XERO_DATABASE_URL")


@pytest.mark.parametrize(
    "url",
    [f"redis://user:{HIDDEN}@host", f"amqp://user:{HIDDEN}@127.0.0.1:port/"],
    ids=["another scheme", "a port that is no number"],
)
@pytest.mark.parametrize("command", ["scheduler", "worker"])
def test_a_broker_url_that_makes_no_sense(small_company: Company, command: str, url: str) -> None:
    told(small_company.ask(command, BROKER_URL=url), SETTINGS, "QONTO_XERO_BROKER_URL")


@pytest.mark.parametrize("command", ["scheduler", "worker"])
def test_a_broker_that_cannot_be_reached_is_told_in_one_line(small_company: Company, command: str) -> None:
    ran = small_company.ask(command, BROKER_URL=f"amqp://user:{HIDDEN}@{NOBODY_LISTENS}/")
    told(ran, UNREACHABLE, f"cannot reach RabbitMQ at {NOBODY_LISTENS}")


@pytest.mark.parametrize("secret", [b"\xff\xfe\x00", "cl\u20ac:secret".encode()], ids=["bytes", "not latin"])
def test_connecting_with_a_key_file_that_cannot_hold_a_key(
    small_company: Company, town: WorldClient, tmp_path: Path, secret: bytes
) -> None:
    party = town.organisation()
    key, token = tmp_path / "key", tmp_path / "token"
    key.write_bytes(secret)
    token.write_text(party.known["xero_tokens"]["refresh_token"])
    ran = small_company.ask("connections", "add", "--qonto-key-file", str(key), "--xero-token-file", str(token))
    refused(small_company, ran, USAGE, "key")


def test_connecting_with_an_empty_token_file(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    party.known["xero_tokens"]["refresh_token"] = ""
    refused(small_company, small_company.connect(party), USAGE, "no secret was given")


def test_a_hostile_name_stays_on_its_line_when_it_is_connected(small_company: Company, town: WorldClient) -> None:
    ran = small_company.connect(town.organisation(xero={"tenant_name": HOSTILE}))
    assert ran.out.replace("\n", "").isprintable()
    assert ran.out.count("\n") == 4


def test_hostile_names_stay_on_their_line_when_one_must_be_chosen(small_company: Company, town: WorldClient) -> None:
    parties = [town.organisation(xero={"tenant_name": HOSTILE, "user": "the accountant"}) for _ in range(2)]
    told(small_company.connect(parties[0]), USAGE, "--tenant")


def test_a_port_that_is_taken(small_company: Company) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told(small_company.run("sandbox", "--port", port), UNREACHABLE, port)


def test_a_plan_says_in_words_what_is_left_out(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    party.pay({"amount_cents": 0})
    assert small_company.connect(party).code == 0
    shown = small_company.ask("plan", party.known["slug"]).out
    assert "{" not in shown
    assert "zero_amount: 1" in shown


def test_a_start_before_there_was_a_qonto(small_company: Company, town: WorldClient) -> None:
    ran = small_company.connect(town.organisation(), "--from", "0001-01-01")
    refused(small_company, ran, USAGE, "--from", "0001-01-01")


def test_a_secret_that_cannot_be_asked_for_without_a_terminal(small_company: Company) -> None:
    refused(small_company, small_company.run("connections", "add"), USAGE, "terminal", "file")
