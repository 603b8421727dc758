"""Quarantine from the command line: what is in it, without anybody's IBAN, and what a person does about it."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from typing import Any

import pytest

from messaging.messages import encode
from models.bank_account import Cursor
from models.quarantine import Quarantine, quarantine
from services.receive_event import Delivery, receive_event
from tests.acceptance import processes
from tests.acceptance.processes import PROGRAM, Company
from tests.acceptance.test_cli_events import AUDIT, NOON, OUTBOX, RING, WHY, at_desk, connect, receive
from tests.acceptance.test_cli_mistakes import ANOTHER_KEY, BROKEN, SETTINGS, USAGE, misused, told
from tests.acceptance.test_cli_output import HOSTILE
from tests.events import event
from tests.factories import make_bank_account, make_cursor

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

IBANS = ("FR7630006000011234567890189", "DE89 3704 0044 0532 0130 00")
BODY = event(organisation_id="organisation-1", iban=IBANS[0], note=f"was {IBANS[1]}, caf\u00e9")
ROW = {
    "id": "transaction-1",
    "bank_account_id": "account-1",
    "amount": 47.3,
    "amount_cents": 4730,
    "currency": "EUR",
    "side": "debit",
    "status": "completed",
    "updated_at": NOON.isoformat(),
}
JOB = encode("organisation.sync", "nightly", {"run_id": 17})


def kept(company: Company, source: str, payload: bytes, reason: str = "its worker died") -> int:
    """Put bytes into quarantine as workers and runs do; the row's number."""
    with at_desk(company) as workbench:
        quarantine(source, payload, reason, workbench.clock())
        return max(row.id for row in Quarantine.select())


def kept_event(company: Company, body: bytes = BODY, keys: str = f"core-9:{ANOTHER_KEY}") -> int:
    """Receive an event of the core's while only `keys` are trusted; the number that it has in quarantine."""
    with at_desk(company, EVENT_KEYS=keys) as workbench:
        receive(workbench, body)
        return max(row.id for row in Quarantine.select())


def listed(company: Company, *options: str) -> list[int]:
    """The numbers that `quarantine list` shows."""
    return [one["quarantined"] for one in company.ask("quarantine", "list", "--json", *options).json]


def told_why_not(company: Company, *numbers: int, **changes: str) -> dict[int, str]:
    """Requeue these, of which one does not go at least: why each has not gone, empty for those that have."""
    ran = company.ask("quarantine", "requeue", *map(str, numbers), *WHY, "--json", **changes)
    assert ran.code == BROKEN
    assert [one["requeued"] for one in ran.json] == [not one["why_not"] for one in ran.json]
    return {one["quarantined"]: one["why_not"] for one in ran.json}


@pytest.fixture
def event_in_quarantine(small_company: Company) -> int:
    """An event of a connected organisation, signed under a key that we did not have."""
    with at_desk(small_company) as workbench:
        connect(workbench, 1)
    return kept_event(small_company)


def test_what_waits_for_a_person_is_listed_newest_first(small_company: Company, event_in_quarantine: int) -> None:
    job = kept(small_company, "lane nightly", JOB)

    heading, *lines = (line.split("\t") for line in small_company.ask("quarantine", "list").out.splitlines())

    assert heading == ["quarantined", "source", "created_at", "money", "bytes", "reason"]
    assert [(line[0], line[1], line[-1]) for line in lines] == [
        (str(job), "lane nightly", "its worker died"),
        (str(event_in_quarantine), "qonto.events", "signed under a key that we do not know"),
    ]
    assert listed(small_company, "--limit", "1") == [job]
    (newest, _) = small_company.ask("quarantine", "list", "--json").json
    assert newest["bytes"] == len(JOB)
    assert datetime.fromisoformat(newest["created_at"]).tzinfo
    assert (newest["settled_at"], len(newest["digest"])) == (None, 64)


@pytest.mark.parametrize(
    ("change", "money"),
    [({"id": None}, "-47.30 EUR"), ({"currency": None}, "-47.30"), ({"amount_cents": "much"}, ""), ({"side": 5}, "")],
    ids=["no id", "no currency", "no amount", "no side"],
)
def test_the_money_of_a_transaction_is_named_as_far_as_it_can_be_read(
    small_company: Company, change: dict[str, Any], money: str
) -> None:
    kept(small_company, "Qonto account account-1", json.dumps(ROW | change).encode())

    (row,) = small_company.ask("quarantine", "list", "--json").json

    assert row["money"] == money


@pytest.mark.parametrize("terminal", ["", "1"], ids=["in a pipe", "on a terminal"])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["", "as JSON"])
def test_no_iban_is_ever_shown_in_full(
    small_company: Company, monkeypatch: pytest.MonkeyPatch, terminal: str, options: list[str]
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", terminal)
        monkeypatch.setenv("COLUMNS", "400")
    number = str(kept_event(small_company))
    row = str(
        kept(small_company, "Qonto account account-1", json.dumps(ROW).encode(), f"side is neither: {IBANS[0]!r}")
    )
    shown = {
        command: small_company.ask("quarantine", *command.split(), *options).out
        for command in ("list", f"show {number}", f"show {row}", f"discard {row} --reason known")
    }

    assert "...0189" in shown[f"show {number}"]
    assert "...3000, caf" in shown[f"show {number}"]
    for command, text in shown.items():
        assert ("\x1b[" in text) == bool(terminal and not options), command
        assert "30006000011" not in text, command
        assert "3704 0044" not in text, command


def test_the_exact_bytes_are_given_when_asked_for_and_that_is_noted(
    small_company: Company, event_in_quarantine: int
) -> None:
    oddly = b"\xff\x00\r\n{" + IBANS[0].encode()
    odd = kept(small_company, "lane nightly", oddly)

    for number, payload in ((event_in_quarantine, BODY), (odd, oddly)):
        command = [PROGRAM, "quarantine", "show", str(number), "--raw", "--who", "ada"]
        done = subprocess.run(command, env=small_company.environment(), capture_output=True, timeout=600, check=True)
        assert (done.stdout, done.stderr) == (payload, b"")
    assert small_company.query_file(AUDIT) == [
        ("ada", "quarantine.read", str(number), "") for number in (event_in_quarantine, odd)
    ]


def test_bytes_that_are_no_text_stay_on_their_line(small_company: Company) -> None:
    number = kept(small_company, "lane nightly", b"\xff\x00" + HOSTILE.encode(), HOSTILE)

    shown = small_company.ask("quarantine", "show", str(number)).out

    assert shown.count("\n") == 10  # a heading, eight fields, the bytes
    assert shown.replace("\n", "").replace("\t", "").isprintable()
    assert "\\xff" in shown
    listed_text = small_company.ask("quarantine", "list").out
    assert listed_text.count("\n") == 2
    assert listed_text.replace("\n", "").replace("\t", "").isprintable()


@pytest.mark.parametrize("number", ["2", "0", "9" * 30])
@pytest.mark.parametrize("command", [["show"], ["requeue", *WHY], ["discard", *WHY]], ids=lambda command: command[0])
def test_a_number_that_nothing_has(
    small_company: Company, event_in_quarantine: int, command: list[str], number: str
) -> None:
    before = small_company.dump()
    told(small_company.ask("quarantine", *command, number), USAGE, number, "qonto-xero quarantine list")
    assert small_company.dump() == before


@pytest.mark.parametrize("command", ["requeue", "discard"])
def test_a_person_says_which_and_why(small_company: Company, event_in_quarantine: int, command: str) -> None:
    misused(small_company.ask("quarantine", command, str(event_in_quarantine)), "--reason")
    misused(small_company.ask("quarantine", command, *WHY), "QUARANTINED")
    misused(small_company.ask("quarantine", command, "the last one", *WHY), "the last one")
    assert listed(small_company) == [event_in_quarantine]


def test_an_event_is_followed_once_its_key_was_added(small_company: Company, event_in_quarantine: int) -> None:
    ran = small_company.ask("quarantine", "requeue", str(event_in_quarantine), *WHY, EVENT_KEYS=RING)

    assert (ran.code, ran.out.splitlines()[1].split("\t")) == (0, ["1", "qonto.events", "yes", ""])
    (stored,) = small_company.ask("events", "list", "--json").json
    assert (stored["event_id"], stored["outcome"]) == ("event-1", "waiting")
    assert small_company.query_file(OUTBOX) == [("interactive", "account.created", '{"event_id": 1}')]
    assert small_company.query_file(AUDIT) == [("ada", "quarantine.requeue", "1", "Qonto was away")]
    assert listed(small_company) == []
    assert listed(small_company, "--all") == [event_in_quarantine]


def test_an_event_that_would_only_come_back_stays(small_company: Company, event_in_quarantine: int) -> None:
    kept_event(small_company, event(id="event-2", type_="account.renamed"), keys=RING)
    before = small_company.dump()

    for keys in (f"core-9:{ANOTHER_KEY}", ""):
        why = told_why_not(small_company, 1, EVENT_KEYS=keys)
        assert why == {1: "it would come back: signed under a key that we do not know"}
    why = told_why_not(small_company, 2, EVENT_KEYS=RING)
    assert why == {2: "it would come back: an event of a type that we do not know"}
    assert small_company.dump() == before


def test_an_event_whose_identity_another_one_has_stays(small_company: Company, event_in_quarantine: int) -> None:
    with at_desk(small_company, EVENT_KEYS=RING) as workbench:
        receive(workbench, event(organisation_id="organisation-1"))

    assert "with other bytes" in told_why_not(small_company, event_in_quarantine, EVENT_KEYS=RING)[1]
    assert len(small_company.ask("events", "list", "--json").json) == 1


def test_an_event_that_came_again_meanwhile_is_simply_dealt_with(
    small_company: Company, event_in_quarantine: int
) -> None:
    with at_desk(small_company, EVENT_KEYS=RING) as workbench:
        receive(workbench, BODY)

    assert small_company.ask("quarantine", "requeue", "1", *WHY, EVENT_KEYS=RING).code == 0
    assert len(small_company.ask("events", "list", "--json").json) == 1
    assert len(small_company.query_file(OUTBOX)) == 1


def test_an_event_of_which_only_the_beginning_was_kept_stays(small_company: Company) -> None:
    with at_desk(small_company, EVENT_SIGNATURES="off") as workbench:
        receive_event(Delivery(event(note="x" * 2**20)), workbench)

    why = told_why_not(small_company, 1, EVENT_SIGNATURES="off")

    assert why == {1: "only the beginning of its bytes was kept"}


def test_a_jobs_message_is_sent_again(small_company: Company) -> None:
    number = kept(small_company, "lane nightly", JOB)

    assert small_company.ask("quarantine", "requeue", str(number), *WHY).code == 0

    assert small_company.query_file(OUTBOX) == [("nightly", "organisation.sync", '{"run_id": 17}')]
    assert listed(small_company) == []


def test_what_is_no_job_stays_and_holds_no_other_back(small_company: Company) -> None:
    numbers = [
        kept(small_company, source, payload)
        for source, payload in {
            "lane nightly": b"\xff",
            "lane interactive": b'{"actor_name": "organisation.sync"}',
            "lane slow": JOB,
            "lane backfill": JOB,
        }.items()
    ]

    ran = small_company.ask("quarantine", "requeue", *map(str, numbers), *WHY)

    assert ran.code == BROKEN
    assert [line.split("\t")[2:] for line in ran.out.splitlines()[1:]] == [
        ["no", "its bytes are no message"],
        ["no", "its bytes are no message"],
        ["no", "there is no lane slow"],
        ["yes", ""],
    ]
    assert small_company.query_file(OUTBOX) == [("backfill", "organisation.sync", '{"run_id": 17}')]
    assert listed(small_company) == numbers[2::-1]
    assert [subject for _, _, subject, _ in small_company.query_file(AUDIT)] == [str(numbers[3])]


@pytest.fixture
def bookshelf(small_company: Company) -> Company:
    """A company that has read `account-1` up to an hour after noon, to its end, and another account as far."""
    with at_desk(small_company) as workbench:
        connection = connect(workbench, 1)
        for key in ("account-1", "account-2"):
            make_bank_account(id=key, organisation_id=connection.organisation_id)
            read = {"read_until": NOON + timedelta(hours=1), "read_whole_at": NOON + timedelta(days=1)}
            make_cursor(connection_id=connection.id, bank_account_id=key, **read)
    return small_company


def cursors(company: Company) -> list[tuple[datetime, bool]]:
    """How far each account is read, and whether for good."""
    with at_desk(company):
        return [(one.read_until, one.read_whole_at is not None) for one in Cursor.select().order_by(Cursor.id)]


@pytest.mark.parametrize(
    ("hours_later", "read_until"),
    [(0, NOON), (1, NOON + timedelta(hours=1)), (2, NOON + timedelta(hours=1))],
    ids=["before the cursor", "at the cursor", "after the cursor"],
)
def test_a_row_that_can_be_read_now_is_read_again_by_the_next_night(
    bookshelf: Company, hours_later: int, read_until: datetime
) -> None:
    row = ROW | {"updated_at": (NOON + timedelta(hours=hours_later)).isoformat()}
    number = kept(bookshelf, "Qonto account account-1", json.dumps(row).encode())

    assert bookshelf.ask("quarantine", "requeue", str(number), *WHY).code == 0

    assert cursors(bookshelf) == [(read_until, False), (NOON + timedelta(hours=1), True)]
    assert listed(bookshelf) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [({"side": IBANS[0]}, "neither credit nor debit"), ({"amount_cents": 1}, "differ"), ({"id": None}, "$.id")],
    ids=["its side", "its amount", "its id"],
)
def test_a_row_that_cannot_be_read_stays(bookshelf: Company, change: dict[str, Any], why: str) -> None:
    number = kept(bookshelf, "Qonto account account-1", json.dumps(ROW | change).encode())
    before = bookshelf.dump()

    ((told_number, told_why),) = told_why_not(bookshelf, number).items()

    assert told_number == number
    assert told_why.startswith("it still cannot be read: ")
    assert why in told_why
    assert IBANS[0] not in told_why
    assert bookshelf.dump() == before


def test_what_was_discarded_is_kept_and_not_listed(small_company: Company, event_in_quarantine: int) -> None:
    number = str(event_in_quarantine)

    ran = small_company.ask("quarantine", "discard", number, *WHY)

    assert (ran.code, ran.out.splitlines()[1].split("\t")[:2]) == (0, [number, "qonto.events"])
    assert listed(small_company) == []
    (row,) = small_company.ask("quarantine", "list", "--all", "--json").json
    assert row["settled_at"]
    assert small_company.ask("quarantine", "show", number, "--json").json["payload"].startswith('{"specversion"')
    assert small_company.query_file(AUDIT) == [("ada", "quarantine.discard", number, "Qonto was away")]


@pytest.mark.parametrize("first", ["requeue", "discard"])
def test_what_was_dealt_with_is_not_dealt_with_again(small_company: Company, first: str) -> None:
    number = kept(small_company, "lane nightly", JOB)
    assert small_company.ask("quarantine", first, str(number), *WHY).code == 0
    before = small_company.dump()

    assert told_why_not(small_company, number) == {number: f"{number} was dealt with before"}
    told(small_company.ask("quarantine", "discard", str(number), *WHY), USAGE, f"{number} was dealt with before")

    assert small_company.dump() == before


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (f"another:{ANOTHER_KEY}", ["'test'", "not in the ring"]),
        (f"test:{ANOTHER_KEY}", ["does not decrypt", "wrong key"]),
    ],
    ids=["another name", "another key of that name"],
)
@pytest.mark.parametrize("command", [["show"], ["show", "--raw"]], ids=["show", "raw"])
def test_sealed_bytes_without_their_key(
    small_company: Company, command: list[str], keys: str, words: list[str]
) -> None:
    number = kept_event(small_company)
    before = small_company.dump()

    ran = small_company.ask("quarantine", *command, str(number), ENCRYPTION_KEYS=keys, EVENT_KEYS=RING)

    told(ran, SETTINGS, *words)
    assert small_company.dump() == before


def test_of_several_the_one_whose_key_is_gone_stays_and_the_others_go(small_company: Company) -> None:
    sealed, open_one = kept_event(small_company), kept(small_company, "lane nightly", JOB)

    ran = small_company.ask(
        "quarantine", "requeue", str(sealed), str(open_one), *WHY, "--json", ENCRYPTION_KEYS=f"another:{ANOTHER_KEY}"
    )

    assert ran.code == 1
    assert [row["requeued"] for row in ran.json] == [False, True]
    assert "not in the ring" in ran.json[0]["why_not"]


@pytest.mark.parametrize("command", [("quarantine", "requeue"), ("replay", "quarantine")], ids=" ".join)
def test_a_dry_run_says_what_would_go_and_lets_nothing_go(
    small_company: Company, event_in_quarantine: int, command: tuple[str, ...]
) -> None:
    job = kept(small_company, "lane nightly", JOB)
    before = small_company.dump()

    numbers = map(str, (event_in_quarantine, job))
    ran = small_company.ask(*command, *numbers, *WHY, "--dry-run", "--json", EVENT_KEYS=f"core-9:{ANOTHER_KEY}")

    assert {one["quarantined"]: one["requeued"] for one in ran.json} == {event_in_quarantine: False, job: True}
    assert ran.code == BROKEN  # one would only come back
    assert small_company.dump() == before
