"""What operators have done once more, and how: shown first, with a reason, and never much by mistake."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from domain.reasons import Held
from models.database import DatabaseUnreachable
from models.organisation import Connection
from models.states import PostingState, RunKind, RunState
from tests.acceptance import processes
from tests.acceptance.processes import Company, in_qonto, in_xero, payments
from tests.acceptance.test_cli_events import at_desk, connect
from tests.acceptance.test_cli_mistakes import BROKEN, UNREACHABLE, USAGE, misused, told
from tests.factories import NOW, TODAY, make_posting, make_sync_run
from tests.sandbox.world_client import Party, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

WHY = ("--why", "it was late", "--who", "ada")
LONG_ENOUGH = 8 * 60  # seconds after connecting: nothing of an earlier connection can come late any more
AUDIT = "SELECT who, action, subject, reason FROM audit_entry WHERE who = 'ada' ORDER BY id"
STATES = "SELECT id, state FROM sync_run ORDER BY id"


@pytest.fixture
def fleet(small_company: Company) -> Company:
    """51 organisations whose nights are done, and one of them holds a transaction that nobody answered."""
    with at_desk(small_company) as workbench:
        for number in range(1, 52):
            connection = connect(workbench, number)
            make_sync_run(connection=connection, kind=RunKind.NIGHTLY, local_date=TODAY, state=RunState.DONE)
        held = {"transaction_id": "held-1", "state": PostingState.HELD, "reason": Held.NO_ANSWER}
        make_posting(connection=connection, **held)
    return small_company


def _due(company: Company) -> int:
    return sum(state == "due" for _, state in company.query_file(STATES))


def test_a_night_is_done_once_more_with_its_reason_in_the_audit(fleet: Company) -> None:
    ran = fleet.ask("replay", "organisation", "farolillo-1", *WHY)

    assert ran.code == 0
    assert ran.out.splitlines()[1].split("\t")[:4] == ["farolillo-1", f"nightly {TODAY}", "done", "again"]
    done, scheduler = ran.out.splitlines()[-2:]
    assert done == "1 done"
    assert scheduler.startswith("No scheduler is running")
    assert fleet.query_file(AUDIT) == [("ada", "run.replay", "1", "it was late")]
    assert _due(fleet) == 1


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(fleet: Company) -> None:
    before = fleet.dump()
    ran = fleet.ask("replay", "organisation", "--all", "--dry-run", "--json", *WHY)

    assert ran.code == 0
    assert (ran.json["done"], len(ran.json["items"])) == (0, 51)
    assert fleet.dump() == before


def test_much_is_only_shown_unless_it_is_said_twice(fleet: Company) -> None:
    before = fleet.dump()
    ran = fleet.ask("replay", "organisation", "--all", *WHY)
    assert ran.code == USAGE
    assert "51 again, in 51 organisations" in ran.out
    assert "nothing was done" in ran.err
    assert "--yes-many" in ran.err
    assert fleet.dump() == before

    assert fleet.ask("replay", "organisation", "--all", "--yes-many", *WHY).code == 0

    assert _due(fleet) == 51
    assert len(fleet.query_file(AUDIT)) == 51


@pytest.mark.parametrize(
    ("days", "chosen"),
    [
        (("--date", str(TODAY)), 1),
        (("--from", str(TODAY), "--to", str(TODAY)), 1),
        (("--from", "2026-01-01", "--to", "2026-12-31"), 1),
        (("--date", "2026-11-01"), 0),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, tuple) else str(case),
)
def test_nights_are_chosen_by_their_local_dates(fleet: Company, days: tuple[str, ...], chosen: int) -> None:
    ran = fleet.ask("replay", "organisation", "farolillo-2", *days, *WHY)

    assert (ran.code == 0) == bool(chosen)
    assert _due(fleet) == chosen


@pytest.mark.parametrize("name", ["held-1", "--reason"])
def test_a_held_transaction_is_sent_once_more(fleet: Company, name: str) -> None:
    which = ("failed", "--reason", "no_answer") if name == "--reason" else ("transaction", name)

    ran = fleet.ask("replay", *which, *WHY, "--json")

    assert ran.json["done"] == 1
    assert fleet.query_file("SELECT state FROM posting") == [("due",)]
    assert fleet.query_file("SELECT kind FROM sync_run WHERE state = 'due'") == [("manual",)]
    assert fleet.query_file(AUDIT) == [("ada", "transaction.replay", "organisation-51/held-1", "it was late")]
    assert [entry["organisation"] for entry in fleet.ask("audit", "farolillo-51", "--json").json] == ["farolillo-51"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("organisation", "nobody"), ("'nobody'",)),
        (("organisation",), ("--all",)),
        (("organisation", "farolillo-1", "--all"), ("--all",)),
        (("organisation", "farolillo-1", "--from", "2026-11-20"), ("--to",)),
        (("run", "99"), ("no run 99", "qonto-xero runs")),
        (("run", str(10**30)), (f"no run {10**30}",)),
        (("transaction", "no-such"), ("'no-such'",)),
        (("failed", "--reason", "lock_date"), ("nothing is like that",)),
    ],
    ids=lambda case: " ".join(case)[:40],
)
def test_a_mistake_is_named_and_nothing_is_done(
    fleet: Company, command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    before = fleet.dump()
    told(fleet.ask("replay", *command, *WHY), USAGE, *words)
    assert fleet.dump() == before


def test_what_was_named_and_stays_as_it_is_is_said_and_ends_with_one(fleet: Company) -> None:
    fleet.execute("UPDATE posting SET reason = 'twice_in_xero'")

    ran = fleet.ask("replay", "transaction", "held-1", *WHY)

    assert ran.code == BROKEN
    assert "stays" in ran.out
    assert fleet.query_file(AUDIT) == []


def test_what_ends_half_way_says_how_far_it_came(fleet: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_and_no_more(*_: object) -> Iterator[int]:
        yield 1
        raise DatabaseUnreachable("the database went away")

    monkeypatch.setattr("commands.replay.do_once_more", one_and_no_more)

    ran = fleet.ask("replay", "organisation", "farolillo-1", "farolillo-2", *WHY)

    assert ran.code == UNREACHABLE
    assert "1 of 2 were done before this" in ran.err


def test_nothing_is_done_without_a_reason(fleet: Company) -> None:
    misused(fleet.ask("replay", "organisation", "farolillo-1"), "--why")
    misused(fleet.ask("replay", "organisation", "farolillo-1", "--why", " "), "audit")
    misused(fleet.ask("verify", "farolillo-1"), "--why")


def test_quarantine_is_replayed_by_the_same_command_as_it_is_requeued(fleet: Company) -> None:
    told(fleet.ask("replay", "quarantine", "7", *WHY), USAGE, "7")


@pytest.fixture
def party(town: WorldClient, small_company: Company) -> Party:
    """A connected organisation whose payments have been sent."""
    party = town.organisation()
    party.pay(*payments(3))
    assert small_company.connect(party).code == 0
    assert small_company.ask("sync", party.known["slug"]).code == 0
    town.advance(LONG_ENOUGH)
    return party


def test_a_verification_writes_nothing_to_xero_and_finds_what_was_forgotten(
    small_company: Company, party: Party
) -> None:
    small_company.execute("DELETE FROM posting_event")
    small_company.execute("DELETE FROM posting")
    before = party.ledger()

    ran = small_company.ask("verify", party.known["slug"], *WHY, "--json")

    assert ran.code == 0, ran.err
    assert [(told["state"], told["adopted"]) for told in ran.json] == [("done", 3)]
    assert party.ledger() == before
    assert in_xero(party) == in_qonto(party)


def test_a_verification_that_finds_what_it_cannot_mend_says_so(small_company: Company, party: Party) -> None:
    small_company.execute("UPDATE posting SET bank_transaction_id = 'gone' WHERE id = 1")

    ran = small_company.ask("verify", party.known["slug"], *WHY)

    assert ran.code == 1
    assert "1 posted by our record and not in Xero" in ran.out


def test_status_tells_the_night_to_people_and_to_scripts(
    small_company: Company, town: WorldClient, party: Party
) -> None:
    processes.at(town, processes.NIGHT)
    status = small_company.ask("status")
    rows = dict(line.split("\t") for line in status.out.splitlines())
    as_json = small_company.ask("status", "--json").json

    assert (status.code, status.err) == (0, "")
    assert rows["connections"] == "1 live"
    assert rows["done"] == "0 of 0 organisations (100.0%), 0 transactions sent"
    assert rows["invariants"] == "not checked yet"
    assert as_json["connections"] == {"live": 1, "needs_reconnect": 0, "disconnecting": 0}
    assert as_json["tonight"]["total"] == 0
    assert json.dumps(as_json)


def test_a_night_that_is_done_once_more_stays_done(small_company: Company, town: WorldClient, party: Party) -> None:
    processes.at(town, processes.NIGHT)
    with at_desk(small_company):
        night = make_sync_run(connection=Connection.get(), state=RunState.DONE, finished_at=NOW)

    small_company.ask("replay", "run", str(night.id), *WHY)

    rows = dict(line.split("\t") for line in small_company.ask("status").out.splitlines())
    assert rows["done"].startswith("1 of 1 organisations (100.0%)")
    assert (rows["stands"], rows["not done"]) == ("done", "1 due, of these 1 done before")


def test_status_goes_on_until_it_is_told_to_stop(small_company: Company, party: Party) -> None:
    watch = small_company.start("status", "--watch")
    small_company.until(lambda: watch.log().count("connections\t1 live") >= 2, "two looks")

    watch.end(signal.SIGINT)

    assert watch.exit_code == 0
