"""Whatever a person gets wrong, or the world does: one clear line that names it, an exit code, and nothing lost."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import Company, Ran, in_qonto, in_xero, payments
from tests.sandbox.world_client import Party, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

BROKEN, USAGE, UNREACHABLE, SETTINGS, RECONNECT = 1, 2, 3, 4, 5
HIDDEN = "canary-password"
NOBODY_LISTENS = "127.0.0.1:1"
ANOTHER_KEY = base64.b64encode(b"k" * 32).decode()


def told(ran: Ran, code: int, *words: str) -> None:
    """One line on standard error that has these words, nothing on standard output, and this exit code."""
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert ran.err.startswith("Error: "), ran.err
    assert ran.err.count("\n") == 1, ran.err
    assert HIDDEN not in ran.err
    for word in words:
        assert word in ran.err


def misused(ran: Ran, *words: str) -> None:
    """Click's own answer to a command it does not understand: the usage, then one line that names the mistake."""
    assert (ran.code, ran.out) == (USAGE, "")
    assert "Usage:" in ran.err
    for word in words:
        assert word in ran.err.splitlines()[-1]


@pytest.fixture
def party(town: WorldClient, small_company: Company) -> Party:
    """A connected organisation with payments that have not been sent."""
    party = town.organisation()
    party.pay(*payments(3))
    connected = small_company.connect(party)
    assert connected.code == 0, connected.err
    return party


@pytest.mark.parametrize(
    "command", [["connections", "show"], ["sync"], ["plan"], ["runs"], ["balance"]], ids=lambda command: command[-1]
)
def test_an_organisation_that_nobody_connected(small_company: Company, command: list[str]) -> None:
    told(small_company.ask(*command, "nobody"), USAGE, "'nobody'", "qonto-xero connections list")


def test_a_transaction_that_nobody_knows(small_company: Company) -> None:
    told(small_company.ask("explain", "no-such-id"), USAGE, "'no-such-id'", "Qonto", "Xero")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["balances"], ["balances"]),
        (["plan"], ["ORG"]),
        (["runs", "--limit", "0"], ["--limit", "0"]),
        (["demo", "--organisations", "many"], ["--organisations", "many"]),
        (["connections", "add", "--from", "yesterday"], ["--from", "yesterday"]),
        (["connections", "add", "--qonto-key-file", "nowhere.txt"], ["--qonto-key-file", "nowhere.txt"]),
        (["worker", "--lane", "fast"], ["--lane", "fast"]),
    ],
    ids=" ".join,
)
def test_a_command_that_does_not_exist_like_that(
    small_company: Company, arguments: list[str], words: list[str]
) -> None:
    misused(small_company.ask(*arguments), *words)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("XERO_API_URL", "not a url", ["is not a URL"]),
        ("XERO_API_URL", "http://api.example.com", ["must use https"]),
        ("XERO_IDENTITY_URL", "ftp://127.0.0.1/identity", ["is not a URL"]),
        ("QONTO_API_URL", "https://api.example.com:port", ["is not a URL"]),
        ("ENCRYPTION_KEYS", "", ["is not set"]),
        ("ENCRYPTION_KEYS", HIDDEN, ["id:base64-of-32-bytes"]),
        ("ENCRYPTION_KEYS", f"new:{ANOTHER_KEY},old:{HIDDEN}", ["id:base64-of-32-bytes"]),
        ("ENCRYPTION_KEYS", "short:" + base64.b64encode(b"16 bytes of them").decode(), ["id:base64-of-32-bytes"]),
        ("ENCRYPTION_KEYS_FILE", "/nowhere/keys", ["cannot be read", "No such file"]),
        ("XERO_CLIENT_SECRET_FILE", "/", ["cannot be read", "Is a directory"]),
        ("OPERATIONS_PASSWORD", HIDDEN, ["at least 16 characters"]),
    ],
)
def test_a_setting_that_makes_no_sense(small_company: Company, setting: str, value: str, words: list[str]) -> None:
    told(small_company.ask("connections", "list", **{setting: value}), SETTINGS, f"QONTO_XERO_{setting}", *words)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"postgresql://user:{HIDDEN}@{NOBODY_LISTENS}/books", f"books at {NOBODY_LISTENS}"),
        ("sqlite:////nowhere/at/all.sqlite3", "/nowhere/at/all.sqlite3"),
    ],
    ids=["closed port", "no such folder"],
)
@pytest.mark.parametrize("command", [["db", "migrate"], ["runs"]], ids=lambda command: command[-1])
def test_a_database_that_cannot_be_reached(small_company: Company, command: list[str], url: str, place: str) -> None:
    told(small_company.ask(*command, DATABASE_URL=url), UNREACHABLE, place)


@pytest.mark.parametrize("command", [["db", "migrate"], ["runs"]], ids=lambda command: command[-1])
def test_a_database_file_that_is_none(small_company: Company, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "letter.txt").write_text("Dear bank, this is no database, whatever you may have heard about it.\n" * 9)
    ran = small_company.ask(*command, DATABASE_URL=f"sqlite:///{tmp_path}/letter.txt")
    told(ran, UNREACHABLE, "letter.txt", "not a database")


def test_a_database_that_was_never_migrated(small_company: Company, tmp_path: Path) -> None:
    new = f"sqlite:///{tmp_path}/new.sqlite3"
    told(small_company.ask("runs", DATABASE_URL=new), SETTINGS, "new.sqlite3", "qonto-xero db migrate")


def test_a_worker_without_a_broker(small_company: Company) -> None:
    told(small_company.ask("worker"), SETTINGS, "QONTO_XERO_BROKER_URL", "qonto-xero scheduler")


def test_a_clock_that_does_not_answer(small_company: Company, party: Party) -> None:
    ran = small_company.ask("sync", party.known["slug"], CLOCK_URL=f"http://{NOBODY_LISTENS}")
    told(ran, UNREACHABLE, "/control/clock")


@pytest.mark.parametrize(
    ("keys", "words"),
    [(f"test:{ANOTHER_KEY}", ["wrong key"]), (f"another:{ANOTHER_KEY}", ["'test'", "not in the ring"])],
    ids=["another key of that name", "another name"],
)
def test_stored_secrets_without_their_key_are_left_as_they_are(
    small_company: Company, party: Party, keys: str, words: list[str]
) -> None:
    before = small_company.query_file("SELECT * FROM credential")
    for command in ("plan", "balance"):
        told(small_company.ask(command, party.known["slug"], ENCRYPTION_KEYS=keys), SETTINGS, *words)
    assert small_company.ask("sync", party.known["slug"], ENCRYPTION_KEYS=keys).code == SETTINGS
    assert small_company.query_file("SELECT * FROM credential") == before

    assert small_company.ask("sync", party.known["slug"]).code == 0
    assert in_xero(party) == in_qonto(party)


def refused(company: Company, ran: Ran, code: int, *words: str) -> None:
    """Not connected: told so, and nothing is stored."""
    told(ran, code, *words)
    for table in ("connection", "credential", "organisation", "audit_entry"):
        assert company.query_file(f"SELECT * FROM {table}") == []


def test_connecting_with_a_wrong_qonto_key(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    party.known["qonto_secret"] = HIDDEN
    refused(small_company, small_company.connect(party), RECONNECT, "Qonto", "Connect again")


def test_connecting_with_a_wrong_xero_token(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    party.known["xero_tokens"]["refresh_token"] = HIDDEN
    refused(small_company, small_company.connect(party), RECONNECT, "token", "Connect again")


def test_connecting_with_a_token_that_reaches_no_organisation(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    town.control("POST", f"/xero/{party.tenant}/disconnect")
    refused(small_company, small_company.connect(party), USAGE, "reaches no organisation")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "+01:00", "../../etc/passwd"])
def test_connecting_in_a_time_zone_that_does_not_exist(small_company: Company, town: WorldClient, zone: str) -> None:
    ran = small_company.connect(town.organisation(), "--time-zone", zone)
    refused(small_company, ran, USAGE, "--time-zone", repr(zone), "Europe/Paris")


def test_connecting_to_one_of_several_xero_organisations_which_must_be_named(
    small_company: Company, town: WorldClient
) -> None:
    first, second = (
        town.organisation(name=name, xero={"tenant_name": name, "user": "the accountant"}) for name in ("Ada", "Bo")
    )
    ran = small_company.connect(first)
    refused(small_company, ran, USAGE, "--tenant", f"Ada ({first.tenant})", f"Bo ({second.tenant})")
    refused(small_company, small_company.connect(first, "--tenant", "Cy"), USAGE, "--tenant", "Ada", "Bo")

    assert small_company.connect(first, "--tenant", "Bo", "--json").json["tenant_id"] == second.tenant


def test_connecting_to_a_xero_organisation_that_another_one_has(small_company: Company, town: WorldClient) -> None:
    first, second = (
        town.organisation(name=name, xero={"tenant_name": name, "user": "the accountant"}) for name in ("Ada", "Bo")
    )
    assert small_company.connect(first, "--tenant", "Ada").code == 0

    told(small_company.connect(second, "--tenant", "Ada"), USAGE, "Ada", "disconnect it there first")
    assert len(small_company.query_file("SELECT * FROM credential")) == 2

    assert small_company.connect(second, "--tenant", "Bo").code == 0


def test_connecting_while_xero_answers_garbage(small_company: Company, town: WorldClient) -> None:
    town.fault("garbage", match={"service": "xero"}, when="after", times=None)
    refused(small_company, small_company.connect(town.organisation()), UNREACHABLE, "Xero")


def test_an_organisation_is_not_connected_twice(small_company: Company, town: WorldClient, party: Party) -> None:
    before = small_company.dump()
    told(small_company.connect(party), USAGE, party.known["slug"], "connected already", "Farolillo SL")
    assert small_company.dump() == before


@pytest.mark.parametrize("service", ["xero", "qonto"])
@pytest.mark.parametrize("command", ["plan", "balance"])
def test_an_answer_that_nobody_can_read(
    small_company: Company, town: WorldClient, party: Party, command: str, service: str
) -> None:
    before = small_company.dump()
    town.fault("garbage", match={"service": service}, when="after", times=None)
    told(small_company.ask(command, party.known["slug"]), UNREACHABLE, service.capitalize())
    assert small_company.dump() == before


def test_a_xero_that_let_us_go_asks_to_connect_again_and_keeps_what_is_due(
    small_company: Company, town: WorldClient, party: Party
) -> None:
    slug = party.known["slug"]
    town.control("POST", f"/xero/{party.tenant}/disconnect")
    for command in ("plan", "balance"):
        told(small_company.ask(command, slug), RECONNECT, "Xero", "Connect again")

    ran = small_company.ask("sync", slug, "--json")
    assert ran.code == BROKEN, ran.err
    assert ran.json[0]["state"] == "failed"
    assert "reconnect" in ran.json[0]["reason"]
    assert "Traceback" not in ran.err
    assert small_company.ask("connections", "show", slug, "--json").json["state"] == "needs_reconnect"
