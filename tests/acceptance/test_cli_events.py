"""What operators ask of Qonto's events: which came, what came of each, once more; and how the accounts stand."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from domain.reasons import Followed, Gone, Held, LeftOut, sentence
from models.database import configure, connected
from models.inbox import InboxEvent
from models.organisation import Connection
from models.states import ConnectionState, LinkState
from services.access_tokens import secret_context
from services.receive_event import Delivery, receive_event
from services.view_events import EventView
from services.workbench import Workbench, make_workbench
from settings import Secret, read_settings
from tests.acceptance import processes
from tests.acceptance.processes import Company
from tests.acceptance.test_cli_mistakes import HIDDEN, NOBODY_LISTENS, SETTINGS, UNREACHABLE, USAGE, misused, told
from tests.acceptance.test_cli_output import HOSTILE
from tests.events import KEY, KEY_ID, event, headers_of
from tests.factories import (
    make_account_link,
    make_bank_account,
    make_connection,
    make_credential,
    make_inbox_event,
    make_organisation,
)

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

RING = f"{KEY_ID}:{base64.b64encode(KEY).decode()}"  # QONTO_XERO_EVENT_KEYS of a company that trusts the core
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHY = ("--reason", "Qonto was away", "--who", "ada")
AUDIT = "SELECT who, action, subject, reason FROM audit_entry ORDER BY id"
OUTBOX = "SELECT lane, actor, arguments FROM outbox_message ORDER BY id"


def said(values: list[object]) -> str:
    """What a case is called."""
    return " ".join(map(str, values)) or "nothing"


@contextmanager
def at_desk(company: Company, **changes: str) -> Iterator[Workbench]:
    """The company's database, open to this test's own hands, and what its processes work with."""
    settings = read_settings(company.environment(**changes))
    configure(settings.database_url)
    with connected():
        yield make_workbench(settings)


def connect(workbench: Workbench, number: int, **changes: str) -> Connection:
    """`organisation-<number>`, called `farolillo-<number>`, connected with secrets that the company's key opens."""
    organisation = make_organisation(id=f"organisation-{number}", slug=f"farolillo-{number}")
    ids = [f"{side}-{number}" for side in ("qonto", "xero")]
    for key in ids:
        make_credential(id=key, secret=workbench.keyring.encrypt(Secret("x"), secret_context(key)))
    named = {"organisation_id": organisation.id, "qonto_credential_id": ids[0], "xero_credential_id": ids[1]}
    return make_connection(**named | changes)


def receive(workbench: Workbench, *bodies: bytes) -> None:
    """As the listener does."""
    for body in bodies:
        receive_event(Delivery(body, *headers_of(body).values()), workbench)


@pytest.fixture
def office(small_company: Company) -> Company:
    """A company with a connected organisation, for which two accounts came: one known by its name, one not yet.

    A third event came for an organisation that never connected.
    """
    with at_desk(small_company, EVENT_KEYS=RING) as workbench:
        connection = connect(workbench, 1)
        make_bank_account(id="account-1", organisation_id=connection.organisation_id, name="Taxes")
        receive(
            workbench,
            event(id="first"),
            event("account.deactivated", id="second", account_id="account-2"),
            event(id="third", organisation_id="a stranger's", account_id="account-3"),
        )
    return small_company


@pytest.fixture
def archive(small_company: Company) -> Company:
    """A company to which events 1 to 4 came, an hour apart, the first at noon; 1 and 2 are handled."""
    with at_desk(small_company) as workbench:
        connect(workbench, 1)
        make_inbox_event(organisation_id="organisation-1", received_at=NOON, handled_at=NOON, outcome=Followed.IN_XERO)
        make_inbox_event(
            organisation_id="organisation-2", received_at=NOON + timedelta(hours=1), handled_at=NOON, outcome="stopped"
        )
        make_inbox_event(
            organisation_id="organisation-1", received_at=NOON + timedelta(hours=2), type="account.deactivated"
        )
        make_inbox_event(organisation_id="organisation-2", received_at=NOON + timedelta(hours=3))
    return small_company


def test_in_a_pipe_each_event_is_a_line_that_says_what_came_of_it(office: Company) -> None:
    heading, *lines = (line.split("\t") for line in office.ask("events", "list").out.splitlines())

    assert heading == ["event", "type", "organisation", "account", "received_at", "handled_at", "outcome", "why"]
    shown = [dict(zip(heading, line, strict=True)) for line in lines]
    assert [
        (row["event"], row["type"], row["organisation"], row["account"], row["outcome"], row["why"]) for row in shown
    ] == [
        ("3", "account.created", "a stranger's", "account-3", "not_connected", sentence(Followed.NOT_CONNECTED)),
        ("2", "account.deactivated", "farolillo-1", "account-2", "waiting", ""),
        ("1", "account.created", "farolillo-1", "Taxes", "waiting", ""),
    ]
    assert [bool(row["handled_at"]) for row in shown] == [True, False, False]


def test_as_json_an_event_has_every_field(office: Company) -> None:
    *_, first = office.ask("events", "list", "--json").json

    assert set(first) == {field.name for field in fields(EventView)}
    assert (first["event_id"], first["organisation_id"], first["bank_account_id"]) == (
        *("first", "organisation-1", "account-1"),
    )
    assert first["handled_at"] is None
    assert datetime.fromisoformat(first["received_at"]).tzinfo


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], [4, 3, 2, 1]),
        (["--organisation", "farolillo-1"], [3, 1]),
        (["--organisation", "organisation-1"], [3, 1]),
        (["--organisation", "organisation-2"], [4, 2]),  # which never connected
        (["--organisation", "nobody"], []),
        (["--type", "account.deactivated"], [3]),
        (["--from", "2026-11-20T13:00:00"], [4, 3, 2]),
        (["--to", "2026-11-20T13:00:00"], [1]),
        (["--from", "2026-11-20T13:00:00", "--to", "2026-11-20T14:30:00"], [3, 2]),
        (["--from", "2026-11-21"], []),
        (["--unhandled"], [4, 3]),
        (["--limit", "1"], [4]),
        (["--unhandled", "--organisation", "farolillo-1", "--type", "account.created"], []),
    ],
    ids=said,
)
def test_events_are_listed_by_all_that_is_asked_for(archive: Company, options: list[str], chosen: list[int]) -> None:
    ran = archive.ask("events", "list", "--json", *options)

    assert ran.code == 0
    assert [one["event"] for one in ran.json] == chosen


@pytest.mark.parametrize("name", ["2", "second"])
def test_an_event_is_shown_by_its_number_and_by_the_id_that_the_core_gave_it(office: Company, name: str) -> None:
    as_json = office.ask("events", "show", name, "--json").json
    heading, *lines = (line.split("\t") for line in office.ask("events", "show", name).out.splitlines())

    assert (as_json["event"], as_json["event_id"], as_json["account"]) == (2, "second", "account-2")
    assert heading == ["what", "is"]
    assert [what for what, _ in lines] == list(as_json)
    assert dict(lines)["digest"] == as_json["digest"]


@pytest.mark.parametrize("name", ["4", "no-such-event", "9" * 30, "", "-1"])
@pytest.mark.parametrize("command", [["show"], ["replay", *WHY]], ids=lambda command: command[0])
def test_an_event_that_is_not_in_the_inbox(office: Company, command: list[str], name: str) -> None:
    before = office.dump()
    told(office.ask("events", *command, "--", name), USAGE, f"no event {name}", "qonto-xero events list")
    assert office.dump() == before


def opened_again(company: Company) -> list[int]:
    """The events that were replayed, each with its audit entry and a message to the worker that follows its type."""
    entries = company.query_file(AUDIT)
    numbers = [int(subject) for *_, subject, _ in entries]
    assert entries == [("ada", "event.replay", str(number), "Qonto was away") for number in numbers]
    messages = company.query_file(OUTBOX)
    kinds = dict(company.query_file("SELECT id, type FROM inbox_event WHERE handled_at IS NULL AND outcome = ''"))
    assert sorted(messages) == sorted(("interactive", kinds[n], json.dumps({"event_id": n})) for n in numbers)
    return sorted(numbers)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["1"], [1]),
        (["2", "1"], [1, 2]),
        (["2", "2"], [2]),
        (["--organisation", "farolillo-1"], [1, 3]),
        (["--organisation", "organisation-2"], [2, 4]),
        (["--type", "account.deactivated"], [3]),
        (["--from", "2026-11-20T14:00:00"], [3, 4]),
        (["--to", "2026-11-20T14:00:00"], [1, 2]),
        (["1", "2", "--organisation", "farolillo-1"], [1]),
    ],
    ids=said,
)
def test_chosen_events_are_followed_once_more(archive: Company, options: list[str], chosen: list[int]) -> None:
    ran = archive.ask("events", "replay", *options, *WHY, "--json")

    assert ran.code == 0, ran.err
    assert opened_again(archive) == chosen
    assert ran.json["replayed"] == len(chosen)
    assert [(one["event"], one["outcome"]) for one in ran.json["events"]] == [(n, "waiting") for n in chosen[::-1]]


def test_an_event_is_replayed_by_the_id_that_the_core_gave_it(office: Company) -> None:
    office.execute("DELETE FROM outbox_message")

    ran = office.ask("events", "replay", "third", *WHY)

    assert opened_again(office) == [3]
    assert ran.out.splitlines()[1].split("\t")[-2:] == ["waiting", ""]
    assert ran.out.splitlines()[-1] == "1 events of 1 organisations replayed"


def test_a_replay_is_told_which_events_and_why(archive: Company) -> None:
    told(archive.ask("events", "replay", *WHY), USAGE, "by their numbers", "--organisation", "--from")
    misused(archive.ask("events", "replay", "1"), "--reason")
    nobody = archive.ask("events", "replay", "--organisation", "nobody", *WHY)
    told(nobody, USAGE, "no event is like that", "qonto-xero events list")
    assert archive.query_file(AUDIT) == archive.query_file(OUTBOX) == []


def test_a_dry_run_shows_what_it_would_be_and_changes_nothing(archive: Company) -> None:
    before = archive.dump()

    shown = archive.ask("events", "replay", "--to", "2026-11-20T14:00:00", "--dry-run", *WHY)
    as_json = archive.ask("events", "replay", "--to", "2026-11-20T14:00:00", "--dry-run", *WHY, "--json").json

    assert [line.split("\t")[0] for line in shown.out.splitlines()[1:3]] == ["2", "1"]
    assert shown.out.endswith("2 events of 2 organisations would be replayed\n")
    assert (as_json["replayed"], [one["event"] for one in as_json["events"]]) == (0, [2, 1])
    assert archive.dump() == before


def test_a_replay_of_more_than_fifty_organisations_must_be_meant(small_company: Company) -> None:
    with at_desk(small_company):
        numbers = [make_inbox_event(event_id=f"event {n}", organisation_id=f"o-{n}").id for n in range(51)]
    everything = ("events", "replay", "--type", "account.created", *WHY)
    before = small_company.dump()

    told(small_company.ask(*everything), USAGE, "51 organisations", "--dry-run", "--yes-many")
    assert len(small_company.ask(*everything, "--dry-run", "--json").json["events"]) == 51
    assert small_company.dump() == before

    assert small_company.ask("events", "replay", *map(str, numbers[:50]), *WHY).code == 0
    assert opened_again(small_company) == numbers[:50]
    small_company.execute("DELETE FROM audit_entry")
    small_company.execute("DELETE FROM outbox_message")
    assert small_company.ask(*everything, "--yes-many").code == 0
    assert opened_again(small_company) == numbers


def test_accounts_shows_how_each_stands_on_both_sides_and_why(small_company: Company) -> None:
    with at_desk(small_company) as workbench:
        connection = connect(workbench, 1)

        def account(name: str, status: str = "active", **changes: object) -> str:
            ours = {"organisation_id": connection.organisation_id, "iban_last4": "0189"}
            return str(make_bank_account(id=name, name=name.title(), status=status, **ours | changes).id)

        def link(key: str, state: LinkState, generation: int = 1, reason: str = "") -> None:
            made = {"code": f"Q{key}{generation}", "name": f"{key} in Xero", "reason": reason}
            make_account_link(
                tenant_id=connection.tenant_id, bank_account_id=key, state=state, generation=generation, **made
            )

        link(account("a-main"), LinkState.LIVE)
        link(account("b-held"), LinkState.HELD, reason=Held.CURRENCY)
        link(account("c-again"), LinkState.GONE, reason=Gone.DELETED)
        link("c-again", LinkState.LIVE, generation=2)
        link(account("d-closed", "closed"), LinkState.LIVE)
        account("e-gone", "closed")
        account("f-pending", "pending")
        account("g-external", is_external=True)
        account("h-new")
        make_bank_account(name="Of another organisation")

    heading, *lines = (line.split("\t") for line in small_company.ask("accounts", "farolillo-1").out.splitlines())
    as_json = small_company.ask("accounts", "organisation-1", "--json").json

    assert heading == ["name", "iban_last4", "in_qonto", "in_xero", "xero_name", "generation", "code", "why"]
    assert [[line[0], *line[2:]] for line in lines] == [
        ["A-Main", "active", "live", "a-main in Xero", "1", "Qa-main1", ""],
        ["B-Held", "active", "held", "b-held in Xero", "1", "Qb-held1", sentence(Held.CURRENCY)],
        ["C-Again", "active", "gone", "c-again in Xero", "1", "Qc-again1", "A person deleted or archived it in Xero."],
        ["C-Again", "active", "live", "c-again in Xero", "2", "Qc-again2", ""],
        ["D-Closed", "closed", "live", "d-closed in Xero", "1", "Qd-closed1", ""],
        ["E-Gone", "closed", "no", "", "", "", sentence(LeftOut.CLOSED)],
        ["F-Pending", "pending", "no", "", "", "", sentence(LeftOut.NOT_ACTIVE)],
        ["G-External", "active", "no", "", "", "", sentence(LeftOut.EXTERNAL)],
        ["H-New", "active", "no", "", "", "", "It is created with the next run."],
    ]
    assert {line[1] for line in lines} == {"0189"}
    assert [(one["bank_account_id"], one["generation"]) for one in as_json[1:4]] == [
        *(("b-held", 1), ("c-again", 1), ("c-again", 2))
    ]
    assert {"xero_account_id", "balances_break_at"} < set(as_json[0])


def test_accounts_of_an_organisation_that_nobody_connected(office: Company) -> None:
    told(office.ask("accounts", "nobody"), USAGE, "'nobody'", "qonto-xero connections list")
    with at_desk(office) as workbench:
        connect(workbench, 2, state=ConnectionState.DISCONNECTED)
    told(office.ask("accounts", "farolillo-2"), USAGE, "'farolillo-2'")


def test_hostile_names_stay_on_their_line(office: Company) -> None:
    with at_desk(office):
        make_bank_account(id=HOSTILE, organisation_id="organisation-1", name=HOSTILE)
        InboxEvent.update(bank_account_id=HOSTILE, event_id=HOSTILE).where(InboxEvent.id == 1).execute()

    for command, rows in {"events list": 3, "events show 1": 15, "accounts farolillo-1": 2}.items():
        shown = office.ask(*command.split()).out
        columns = shown.splitlines()[0].count("\t")
        assert [line.count("\t") for line in shown.split("\n")] == [*[columns] * (rows + 1), 0], command
        assert shown.replace("\n", "").replace("\t", "").isprintable(), command
    assert office.ask("events", "show", HOSTILE, "--json").json["account"] == HOSTILE


def test_a_listener_without_a_broker(small_company: Company) -> None:
    ran = small_company.ask("listener", EVENT_KEYS=RING)
    told(ran, SETTINGS, "QONTO_XERO_EVENTS_BROKER_URL", "QONTO_XERO_BROKER_URL", "RabbitMQ")


def test_a_listener_that_could_trust_no_event(small_company: Company) -> None:
    ran = small_company.ask("listener", EVENTS_BROKER_URL=f"amqp://user:{HIDDEN}@{NOBODY_LISTENS}/", EVENT_KEYS="")
    told(ran, SETTINGS, "QONTO_XERO_EVENT_KEYS is not set", "QONTO_XERO_EVENT_SIGNATURES=off")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("EVENTS_BROKER_URL", f"amqp://user:{HIDDEN}@127.0.0.1:port/"),
        ("EVENT_KEYS", f"core:{HIDDEN}"),
        ("EVENT_SIGNATURES", HIDDEN),
    ],
)
def test_a_listener_with_a_setting_that_makes_no_sense(small_company: Company, setting: str, value: str) -> None:
    told(small_company.ask("listener", **{setting: value}), SETTINGS, f"QONTO_XERO_{setting}")


@pytest.mark.parametrize("setting", ["BROKER_URL", "EVENTS_BROKER_URL"])
@pytest.mark.parametrize(
    "trust", [{"EVENT_KEYS": RING}, {"EVENT_KEYS": "", "EVENT_SIGNATURES": "off"}], ids=["signed", "unsigned"]
)
def test_a_listener_whose_broker_cannot_be_reached(small_company: Company, setting: str, trust: dict[str, str]) -> None:
    url = {setting: f"amqp://user:{HIDDEN}@{NOBODY_LISTENS}/"}
    told(small_company.ask("listener", **url, **trust), UNREACHABLE, f"cannot reach RabbitMQ at {NOBODY_LISTENS}")
