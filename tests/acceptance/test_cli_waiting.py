"""What a person learns while a run waits: until when, why, and what to do if nobody goes on with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from commands import following
from domain.what_next import NO_SCHEDULER
from tests.acceptance import processes
from tests.acceptance.processes import Company, in_qonto, in_xero, payments
from tests.acceptance.test_cli_mistakes import USAGE, told
from tests.sandbox.world_client import Party, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

BROKEN = 1
BROKER = {"BROKER_URL": "amqp://127.0.0.1:1"}  # which these commands never speak to: what is asked for is a row


@pytest.fixture
def party(town: WorldClient) -> Party:
    """An organisation with payments that have settled, not connected yet."""
    party = town.organisation()
    party.pay(*payments(3))
    return party


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person waits for a worker as short as can be."""
    monkeypatch.setattr(following, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(following, "PATIENCE_SECONDS", 0.5)


def test_a_sync_alone_does_first_what_goes_before_it(small_company: Company, party: Party) -> None:
    assert small_company.connect(party, follow=True).code == 0

    ran = small_company.run("sync", party.known["slug"], "--json")

    assert (ran.code, ran.err) == (0, "")
    assert in_xero(party) == in_qonto(party)
    runs = small_company.query_file("SELECT kind, state FROM sync_run ORDER BY kind")
    assert runs == [("accounts", "done"), ("manual", "done")]


@pytest.mark.parametrize("command", [["verify"], ["connections", "disconnect"]], ids=lambda words: words[-1])
def test_what_else_a_person_waits_for_is_done_alone_too(
    small_company: Company, town: WorldClient, party: Party, command: list[str]
) -> None:
    assert small_company.connect(party, follow=True).code == 0
    town.advance(480)  # nothing that an earlier connection sent can come late any more
    options = ["--yes"] if command[-1] == "disconnect" else []

    ran = small_company.run(*command, party.known["slug"], "--why", "tried", *options, "--json")

    assert ran.code == 0, ran.err
    (shown,) = ran.json
    assert shown["state"] in {"done", "disconnected"}


def test_a_sync_that_is_asked_to_wait_says_until_when_and_what_to_do(
    small_company: Company, town: WorldClient, party: Party
) -> None:
    assert small_company.connect(party).code == 0
    town.fault("status", status=429, retry_after=70, match={"service": "xero", "path": "/Accounts$"}, times=1)

    ran = small_company.run("sync", party.known["slug"], "--json")

    (shown,) = ran.json
    assert (ran.code, shown["state"]) == (BROKEN, "waiting")
    until = f"waits until {datetime.fromisoformat(shown['wake_at']):%H:%M:%S} UTC, then {NO_SCHEDULER}, or ask again"
    assert shown["next"] == until
    assert until in small_company.ask("runs").out
    status = small_company.ask("status").out
    assert f"waiting: rate_limited\t1 runs wait {until[6:].partition(',')[0]}" in status
    assert "NONE IS RUNNING" in status


@pytest.mark.usefixtures("impatient")
def test_a_sync_that_no_worker_takes_up_says_so_and_ends(small_company: Company, party: Party) -> None:
    assert small_company.connect(party).code == 0

    ran = small_company.ask("sync", party.known["slug"], "--json", **BROKER)

    (shown,) = ran.json
    assert (ran.code, shown["state"]) == (BROKEN, "due")
    waits, ended = ran.err.splitlines()
    assert waits.startswith("waiting until ")
    assert waits.endswith(f"for a worker to take up run {shown['run']}; {NO_SCHEDULER}")
    assert ended.startswith(f"no worker took up run {shown['run']}: start `qonto-xero worker`")


@pytest.mark.usefixtures("impatient")
def test_a_disconnection_that_no_worker_takes_up_says_so_and_ends(small_company: Company, party: Party) -> None:
    assert small_company.connect(party).code == 0

    ran = small_company.ask(
        "connections", "disconnect", party.known["slug"], "--yes", "--why", "they left", "--json", **BROKER
    )

    assert ran.code == BROKEN
    assert ran.json[0]["state"] == "disconnecting"
    assert "qonto-xero worker" in ran.err


def test_connecting_says_what_is_sent_and_that_a_scheduler_is_needed(small_company: Company, party: Party) -> None:
    shown = small_company.connect(party).out.splitlines()

    assert shown[0].startswith(f"{party.known['slug']} is connected to ")
    assert shown[1] == "What settles from 2026-11-20 08:00 on is sent every night at 23:00 Europe/Paris."
    assert shown[2] == f"Without waiting for the night: qonto-xero sync {party.known['slug']}"
    assert shown[3].startswith("No scheduler is running: start `qonto-xero scheduler`")


def test_a_start_in_the_future_is_refused_before_anything_is_asked(
    small_company: Company, town: WorldClient, party: Party
) -> None:
    before, asked = small_company.dump(), len(town.requests_made())

    ran = small_company.connect(party, "--from", "2026-11-21")

    told(ran, USAGE, "--from 2026-11-21", "future")
    assert (small_company.dump(), len(town.requests_made())) == (before, asked)


def test_a_plan_counts_and_sums_what_settled_before_the_start(small_company: Company, party: Party) -> None:
    long_ago = datetime.fromisoformat(processes.MORNING) - timedelta(days=400)
    touched = datetime.fromisoformat(processes.EVENING) - timedelta(hours=1)
    dated = {"settled_at": long_ago.isoformat(), "created_at": long_ago.isoformat(), "emitted_at": long_ago.isoformat()}
    party.pay(
        {"amount_cents": 500_00, "side": "credit", **dated, "updated_at": long_ago.isoformat()},
        {"amount_cents": 20_00, "side": "debit", **dated, "updated_at": touched.isoformat()},
    )
    assert small_company.connect(party).code == 0
    slug = party.known["slug"]

    for _ in range(2):  # before a night has read anything, and after it
        (account,) = small_company.ask("plan", slug, "--json").json["accounts"]
        assert (account["before_start"], account["before_start_cents"]) == (2, 480_00)
        shown = small_company.ask("plan", slug).out
        assert "\t2\t480.00\t" in shown
        assert "What settled before 2026-11-20 07:00 UTC, the connection's start, is left out" in shown
        assert small_company.run("sync", slug).code == 0
