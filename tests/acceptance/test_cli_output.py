"""What the command line shows: help that teaches, JSON for scripts, plain lines in a pipe, a demo that proves."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import click
import pytest
import requests
from click.testing import CliRunner

from cli import main
from tests.acceptance import processes
from tests.acceptance.processes import Company, in_qonto, payments
from tests.sandbox.world_client import READY, Party, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

HOSTILE = "Evil \x1b[31mRed\r\nforged\tname [bold]<b>\u202e\u2028 end"


def every_command(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of every command and group."""
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)


@pytest.fixture
def party(town: WorldClient, small_company: Company) -> Party:
    """A connected organisation whose names are hostile, with payments that have been sent and one that was deleted."""
    party = town.organisation(name=HOSTILE, accounts=[{"name": HOSTILE}], xero={"tenant_name": HOSTILE})
    rows = [{**row, "label": HOSTILE, "clean_counterparty_name": HOSTILE} for row in payments(3)]
    party.pay(*rows, {"amount_cents": 0})
    assert small_company.connect(party, "--name", HOSTILE).code == 0
    assert small_company.run("sync", party.known["slug"]).code == 0
    deleted = party.ledger()["bank_transactions"][0]["id"]
    town.control("POST", f"/xero/{party.tenant}/bank-transactions/{deleted}/delete")
    return party


@pytest.mark.parametrize("command", list(every_command(main)), ids=" ".join)
def test_every_command_says_what_it_does(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"])
    usage, _, rest = shown.output.partition("\n\n")
    description = rest.partition("\n\n")[0].strip()
    assert shown.exit_code == 0
    assert usage.startswith("Usage:")
    assert description.endswith((".", ")")), description
    assert len(description.split()) >= 3, description


def test_the_main_help_shows_how_to_begin_and_what_the_exit_codes_mean() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert "qonto-xero demo" in shown
    assert [f"\n    {code}  " in shown for code in range(6)] == [True] * 6
    assert all(f"\n  {command} " in shown for command in main.commands)


def test_json_is_json_and_nothing_else(small_company: Company, party: Party) -> None:
    slug, (transaction, *_) = party.known["slug"], in_qonto(party)
    shapes: dict[str, type[object]] = {
        "db migrate": dict,
        "connections list": list,
        f"connections show {slug}": dict,
        f"plan {slug}": dict,
        "runs": list,
        f"runs {slug}": list,
        f"explain {transaction}": list,
        f"balance {slug}": list,
    }
    for command, kind in shapes.items():
        ran = small_company.ask(*command.split(), "--json")
        assert isinstance(ran.json, kind), command
        assert ran.err == ""
    assert isinstance(small_company.run("sync", slug, "--json").json, list)


def test_in_a_pipe_a_row_is_a_line_without_colour_whatever_a_name_holds(small_company: Company, party: Party) -> None:
    slug, (transaction, *_) = party.known["slug"], in_qonto(party)
    tables = {
        "connections list": [1],
        f"connections show {slug}": [10, 1, 2],
        "runs": [1],
        f"balance {slug}": [1, 1],
    }
    for command, rows_of_tables in tables.items():
        lines = iter(small_company.ask(*command.split()).out.split("\n"))
        for rows in rows_of_tables:
            columns = next(lines).count("\t")
            assert [next(lines).count("\t") for _ in range(rows)] == [columns] * rows, command
        assert list(lines) == [""], command
    for command in (*tables, f"plan {slug}", f"explain {transaction}"):
        shown = small_company.ask(*command.split()).out
        assert shown.replace("\n", "").replace("\t", "").isprintable(), command
    (connection,) = small_company.ask("connections", "list", "--json").json
    assert connection["name"] == HOSTILE


def test_balance_names_the_transaction_that_a_person_deleted(small_company: Company, party: Party) -> None:
    ran = small_company.ask("balance", party.known["slug"], "--json")
    (account,) = ran.json
    (difference,) = account["differences"]
    assert ran.code == 1
    assert difference["why"] == "deleted in Xero"
    assert difference["transaction_id"] in in_qonto(party)
    assert (account["is_equal"], account["is_proved"]) == (False, True)


def test_migrating_twice_changes_nothing(small_company: Company) -> None:
    before = small_company.dump()
    ran = small_company.ask("db", "migrate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("up to date\n")
    assert small_company.dump() == before


def test_the_sandbox_says_where_it_listens_and_ends_when_told(small_company: Company) -> None:
    sandbox = small_company.start("sandbox", "--port", "0")
    small_company.until(lambda: "\n" in sandbox.log(), "the sandbox to be ready")
    url = sandbox.log().strip().removeprefix(READY)
    client = WorldClient(url)
    with client.session:
        assert client.control("GET", "/organisations") == {"organisations": []}
    sandbox.end(signal.SIGTERM)
    assert sandbox.exit_code == 0
    assert sandbox.log() == f"{READY}{url}\n"


def test_one_process_runs_the_nights_of_a_small_company(small_company: Company, town: WorldClient) -> None:
    party = town.organisation()
    party.pay(*payments(60))
    assert small_company.connect(party).code == 0
    alone = small_company.start("scheduler")
    processes.at(town, processes.NIGHT)
    states = "SELECT state FROM sync_run WHERE kind = 'nightly'"
    small_company.until(lambda: small_company.query_file(states) == [("done",)], "the night to be done")
    alone.end(signal.SIGTERM, seconds=10)
    assert alone.exit_code == 0
    assert processes.in_xero(party) == in_qonto(party)


def test_a_small_demo_keeps_every_promise(small_company: Company) -> None:
    ran = small_company.run("demo", "--organisations", "4", "--max-transactions", "60", "--json")
    report = json.loads(ran.out)
    assert ran.code == 0, ran.err
    assert report["promises"]
    assert all(report["promises"].values()), report["promises"]
    posted = {night["night"].partition(":")[0]: night["posted"] for night in report["nights"]}
    assert posted["1"] > 0
    assert posted["2"] > 0
    assert len(report["organisations"]) == 4


def test_a_demo_that_stays_shows_the_page_until_it_is_told_to_stop(small_company: Company) -> None:
    demo = small_company.start("demo", "--organisations", "4", "--max-transactions", "10", "--web")
    small_company.until(lambda: "The page is at" in demo.log() or not demo.is_running(), "the page", seconds=100)
    assert "BROKEN" not in demo.log()
    address = demo.log().split("The page is at ")[1].split()[0]

    page = requests.get(address, timeout=200)

    assert "Sign in with Qonto" in page.text
    demo.end(signal.SIGINT, seconds=20)
    assert demo.exit_code == 0
