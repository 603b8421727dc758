"""`qonto-xero check`: green after a night, and red for each thing that somebody tampers with, named by its line."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import Company, Ran, at, payments
from tests.acceptance.stage import Stage
from tests.checker import Report, check_world
from tests.sandbox.world_client import Party, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

LATER = "2026-11-20T22:30:00Z"  # after the night


@dataclass
class Night:
    """A company whose three payments were sent, in the night."""

    company: Company
    town: WorldClient
    party: Party

    def check(self, *options: str) -> Ran:
        return self.company.ask("check", *options)

    def verdict(self) -> tuple[dict[str, int], set[str]]:
        """The classes that are not empty, and the names of the lines that do not hold."""
        [found] = self.check("--json").json
        bad = {line["name"] for line in found["invariants"] if not line["holds"]}
        return {what: number for what, number in found["classes"].items() if number}, bad

    def judged(self) -> Report:
        """The same by the tests' checker."""
        return check_world(self.town, self.company.database_url, [self.party])

    def tamper(self, statement: str, *parameters: object) -> None:
        """Change a table behind the product's back."""
        with closing(sqlite3.connect(self.company.database_url.removeprefix("sqlite:///"))) as connection, connection:
            connection.executescript(statement) if ";" in statement else connection.execute(statement, parameters)

    def rows(self) -> list[dict[str, Any]]:
        return list(self.party.ledger()["bank_transactions"])

    def in_xero(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.town.control("POST", f"/xero/{self.party.tenant}/{what}", body or {})


@pytest.fixture
def night(town: WorldClient, small_company: Company) -> Iterator[Night]:
    town.settings(log_bodies=True)
    party = town.organisation()
    party.pay(*payments(3))
    small_company.connect_at_once(party)
    at(town, processes.NIGHT)
    Stage(small_company, town).works()
    assert small_company.query_file("SELECT state FROM sync_run WHERE kind = 'nightly'") == [("done",)]
    at(town, LATER)
    yield Night(small_company, town, party)
    town.settings(log_bodies=False)


def forget(night: Night) -> None:
    night.tamper("DELETE FROM posting_event WHERE posting_id = 1; DELETE FROM posting WHERE id = 1;")


def copy_a_row(night: Night) -> None:
    row = night.rows()[0]
    night.in_xero(
        "bank-transactions", {"account_id": row["account_id"], "amount_cents": row["cents"], "url": row["url"]}
    )


def delete_a_row_and_copy_it(night: Night) -> None:
    copy_a_row(night)
    night.in_xero(f"bank-transactions/{night.rows()[0]['id']}/delete")


def redate_a_row(night: Night) -> None:
    night.in_xero(f"bank-transactions/{night.rows()[0]['id']}/edit", {"date": "2026-11-02"})


def enter_a_stranger(night: Night) -> None:
    row = night.rows()[0]
    link = row["url"].rsplit("/", 1)[0] + "/nobody"
    night.in_xero("bank-transactions", {"account_id": row["account_id"], "amount_cents": 5, "url": link})


def archive_the_account(night: Night) -> None:
    [account] = [a for a in night.party.ledger()["accounts"] if a["type"] == "BANK" and a["made_by"] == "api"]
    night.in_xero(f"accounts/{account['id']}/archive")
    night.tamper("UPDATE account_link SET state = 'gone'")
    night.tamper("UPDATE sync_run SET prepared_at = '2026-11-20 23:00:00+00:00'")


def restart_a_fence(night: Night) -> None:
    night.tamper("UPDATE lease SET fence = 0")


def stop_half_way(night: Night) -> None:
    night.tamper("UPDATE posting SET state = 'uncertain' WHERE id = 1")


def attempt_without_proof(night: Night) -> None:
    night.tamper(
        "UPDATE posting SET attempts = 2 WHERE id = 1;"
        "INSERT INTO posting_event (posting_id, at, state, reason, detail, batch_id)"
        " SELECT posting_id, at, state, reason, detail, batch_id FROM posting_event"
        " WHERE posting_id = 1 AND state = 'sending';"
    )


def send_after_deletion(night: Night) -> None:
    night.tamper(
        "UPDATE posting SET attempts = 2 WHERE id = 1;"
        "INSERT INTO posting_event (posting_id, at, state, reason, detail) VALUES"
        " (1, '2026-11-20', 'deleted_in_xero', '', '');"
        "INSERT INTO posting_event (posting_id, at, state, reason, detail, batch_id) VALUES"
        " (1, '2026-11-20', 'sending', '', '', 1);"
    )


def skip_a_night(night: Night) -> None:
    night.tamper("DELETE FROM sync_run WHERE kind = 'nightly'")


def pass_the_cursor(night: Night) -> None:
    forget(night)
    night.tamper("UPDATE cursor SET read_until = '2026-11-21 00:00:00+00:00'")


def run_twice(night: Night) -> None:
    index = night.company.query_file(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'sync_run' AND sql LIKE '%UNIQUE%'"
    )[0][0]
    columns = "organisation_id, connection_id, kind, local_date, lane, state, reason, wake_at, wave, turns, starts,"
    columns += " failures, imported, posted, accounts_created, created_at"
    night.tamper(f'DROP INDEX "{index}"; INSERT INTO sync_run ({columns}) SELECT {columns} FROM sync_run;')


def lose_a_transaction(night: Night) -> None:
    """Nobody knows it any more, and its row in Xero no longer shows whose it is."""
    pass_the_cursor(night)
    night.in_xero(f"bank-transactions/{night.rows()[0]['id']}/edit", {"url": "https://example.com"})


def mistake_the_account(night: Night) -> None:
    night.tamper("UPDATE account_link SET xero_account_id = 'another'")


def mistake_the_tenant(night: Night) -> None:
    enter_a_stranger(night)
    night.tamper("UPDATE posting SET tenant_id = 'elsewhere', transaction_id = 'nobody' WHERE id = 1")


Tamper = Callable[[Night], None]
TAMPERED: dict[str, tuple[Tamper, dict[str, int], set[str]]] = {
    "a posting is gone": (forget, {"recovered": 1}, set()),
    "a copy": (copy_a_row, {"duplicated": 1}, {"I1", "I17"}),
    "a copy of what was deleted": (delete_a_row_and_copy_it, {"duplicated": 1}, {"I1", "I3"}),
    "lost": (lose_a_transaction, {"lost": 1}, {"I2", "I11", "I17"}),
    "another account": (mistake_the_account, {"wrong account": 3}, {"I17"}),
    "another tenant": (mistake_the_tenant, {"recovered": 1, "wrong tenant": 1}, {"I5", "I17"}),
    "another date": (redate_a_row, {"wrong amount": 1}, {"I17"}),
    "a stranger": (enter_a_stranger, {"unexpected": 1}, {"I17"}),
    "no account": (archive_the_account, {}, {"I4"}),
    "an old fence": (restart_a_fence, {}, {"I12"}),
    "left half way": (stop_half_way, {"recovered": 1}, {"I7"}),
    "a second attempt": (attempt_without_proof, {}, {"I10"}),
    "sent after a deletion": (send_after_deletion, {}, {"I3", "I10"}),
    "a skipped night": (skip_a_night, {}, {"I22"}),
    "a cursor too far": (pass_the_cursor, {"recovered": 1}, {"I11"}),
    "two runs of a date": (run_twice, {}, {"I16"}),
}

# Copies and strangers that a person enters are not rows that we made, and only the world tells the two apart.
ENTERED_BY_HAND = {"a copy", "a copy of what was deleted", "a stranger", "another tenant", "another account"}
SEEN_BY_BOTH = TAMPERED.keys() - ENTERED_BY_HAND - {"a skipped night"}


def test_after_a_night_every_line_holds(night: Night) -> None:
    ran = night.check(night.party.known["slug"])

    assert ran.code == 0, ran.out
    assert night.verdict() == ({}, set())
    assert night.judged().problems == []


@pytest.mark.parametrize("name", TAMPERED)
def test_whoever_tampers_turns_the_line_red(night: Night, name: str) -> None:
    tamper, classes, lines = TAMPERED[name]

    tamper(night)

    ran = night.check("--json")
    found, bad = night.verdict()
    assert ran.code == 1
    assert ({what: number for what, number in found.items() if what != "said"}, bad) == (classes, lines)


@pytest.mark.parametrize("name", sorted(SEEN_BY_BOTH))
def test_the_checker_of_the_tests_sees_what_the_command_sees(night: Night, name: str) -> None:
    tamper, classes, lines = TAMPERED[name]

    tamper(night)

    report = night.judged()
    assert {str(what) for what in (finding.what for finding in report.findings)} >= classes.keys()
    assert set(report.violated()) >= lines - ({"I17"} if name == "lost" else set())  # the world knows whose row it is
    assert report.problems


def test_what_has_not_been_read_is_to_come_and_what_is_held_is_said(night: Night) -> None:
    night.party.pay(*payments(2))
    assert night.verdict() == ({"to come": 2}, set())
    night.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    night.company.ask("sync", night.party.known["slug"])

    ran = night.check()

    assert ran.code == 0, ran.out
    assert night.verdict() == ({"said": 2}, set())


def test_in_a_pipe_there_is_a_line_for_each_class_and_invariant(night: Night) -> None:
    lines = night.check().out.splitlines()
    assert "lost\t0" in lines
    assert [line.split("\t")[0] for line in lines if line.startswith("I")] == [
        *("I1", "I2", "I3", "I4", "I5", "I7", "I10", "I11", "I12", "I15", "I16", "I17", "I22", "I25")
    ]


def test_an_organisation_that_cannot_be_read_is_no_organisation_that_holds(night: Night) -> None:
    night.in_xero("disconnect")
    ran = night.check()
    assert ran.code == 1
    assert "could not be checked" in ran.out
    assert night.check(night.party.known["slug"]).code == 5
