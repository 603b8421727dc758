"""The one database: moments come back in UTC, text comes back whole, and an absent one says where it was looked for."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from domain.text import storable
from models.database import (
    DATABASE_OUTAGE,
    DatabaseUnreachable,
    close_connection,
    configure,
    connected,
    database_time,
    open_connection,
    read_moment,
    transaction,
    where,
)
from models.migrate import migrate
from models.organisation import Organisation
from models.outbox import OutboxMessage
from models.posting import Posting
from models.statements import read
from settings import SettingsError
from tests.factories import NOW, TODAY, make_credential, make_organisation, make_outbox_message, make_posting_batch
from tests.integration.conftest import Point
from tests.servers.processes import free_ports

CUT_ALL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 23, 0, tzinfo=PARIS),
        datetime(2026, 10, 25, 2, 30, tzinfo=PARIS),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=PARIS),
        datetime(2026, 11, 20, 22, 0, 0, 123_456, tzinfo=UTC),
        datetime(2026, 11, 20, 22, 0, 0, 123_000, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
    ],
)
def test_a_moment_comes_back_as_the_same_moment_in_utc(database: str, moment: datetime) -> None:
    made = make_organisation(created_at=moment)

    kept = Organisation.get_by_id(made.id).created_at

    assert kept.timestamp() == moment.timestamp()
    assert kept.tzinfo is UTC


def test_moments_are_compared_and_sorted_as_moments_whatever_zone_they_came_in(database: str) -> None:
    late = make_organisation(created_at=datetime(2026, 11, 20, 22, 0, 0, 1, tzinfo=UTC))
    early = make_organisation(created_at=datetime(2026, 11, 20, 23, 0, tzinfo=PARIS))

    assert [row.id for row in Organisation.select().order_by(Organisation.created_at)] == [early.id, late.id]
    assert [row.id for row in Organisation.select().where(Organisation.created_at <= NOW)] == [early.id]
    assert [row.id for row in Organisation.select().where(Organisation.created_at == NOW.astimezone(PARIS))] == [
        early.id
    ]


def test_a_moment_without_a_zone_is_refused_in_rows_and_in_questions(database: str) -> None:
    naive = NOW.replace(tzinfo=None)

    with pytest.raises(ValueError, match="created_at needs a time zone"):
        make_organisation(created_at=naive)
    with pytest.raises(ValueError, match="created_at needs a time zone"):
        Organisation.update(created_at=naive).execute()
    with pytest.raises(ValueError, match="created_at needs a time zone"):
        list(Organisation.select().where(Organisation.created_at < naive))


def test_no_moment_stays_none(database: str) -> None:
    assert OutboxMessage.get_by_id(make_outbox_message(sent_at=None).id).sent_at is None
    assert read_moment(None) is None


def test_a_local_date_stays_the_same_date(make_postings: Callable[..., list[Posting]]) -> None:
    (posting,) = make_postings({"date": TODAY})

    assert Posting.get_by_id(posting.id).date == TODAY


def test_the_databases_clock_is_told_in_utc_and_goes_on(database: str) -> None:
    first, second = database_time(), database_time()

    assert first.tzinfo is UTC
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=5)
    assert first <= second


@pytest.mark.parametrize(
    "text", ["", "Café Zoë 東京 👩‍🌾", "a\x00b\ud800c", "'; DROP TABLE organisation; --", "%s :p: ? {}", "\x1b[31m\r\n"]
)
def test_any_text_of_a_bank_is_kept_as_it_is_once_it_is_storable(database: str, text: str) -> None:
    made = make_organisation(name=storable(text))

    assert Organisation.get_by_id(made.id).name == storable(text)


def test_bytes_come_back_exactly(database: str) -> None:
    body = bytes(range(256))

    assert bytes(type(made := make_posting_batch(body=body)).get_by_id(made.id).body) == body


def test_large_amounts_are_kept_exactly(make_postings: Callable[..., list[Posting]]) -> None:
    (posting,) = make_postings({"amount_cents": 2**62 + 1})

    assert Posting.get_by_id(posting.id).amount_cents == 2**62 + 1


def test_a_transaction_is_all_or_nothing(database: str) -> None:
    with contextlib.suppress(RuntimeError), transaction():
        make_organisation()
        with transaction():
            make_credential()
        raise RuntimeError

    assert Organisation.select().count() == 0


def test_an_inner_transaction_that_fails_takes_only_itself_back(database: str) -> None:
    with transaction():
        kept = make_organisation()
        with contextlib.suppress(RuntimeError), transaction():
            make_organisation()
            raise RuntimeError

    assert [row.id for row in Organisation.select()] == [kept.id]


def test_a_connection_may_be_opened_twice_and_closed_twice(database: str) -> None:
    open_connection()
    close_connection()
    close_connection()

    with connected():
        assert Organisation.select().count() == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_where_the_database_is_can_be_told_without_its_password(kind: str, point_at: Point) -> None:
    point_at({"sqlite": "sqlite:////data/a.db", "postgresql": "postgresql://user:hunter2@db.example:6000/books"}[kind])

    assert where() == {"sqlite": "file /data/a.db", "postgresql": "books at db.example:6000"}[kind]


@pytest.mark.parametrize("url", ["mysql://user:hunter2@db/x", "books.sqlite3", "sqlite://", "sqlite:///", ""])
def test_a_url_of_another_kind_is_refused_with_the_kinds_there_are(url: str) -> None:
    with pytest.raises(SettingsError, match=r"sqlite:///file nor postgresql://") as refusal:
        configure(url)

    assert "hunter2" not in str(refusal.value)


def test_a_server_that_is_not_there_is_named_without_its_password(point_at: Point) -> None:
    (port,) = free_ports(1)
    point_at(f"postgresql://user:hunter2@127.0.0.1:{port}/books")

    with pytest.raises(DatabaseUnreachable, match=f"books at 127.0.0.1:{port}") as refusal, connected():
        pass

    assert "hunter2" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.integration
def test_a_server_that_lacks_the_database_is_named_with_what_it_lacks(postgres_url: str, point_at: Point) -> None:
    point_at(postgres_url.rsplit("/", 1)[0] + "/nowhere")

    with pytest.raises(DatabaseUnreachable, match='"nowhere" does not exist'):
        open_connection()


@pytest.mark.integration
def test_a_connection_that_the_server_cut_is_replaced_by_a_new_one(postgresql: str) -> None:
    make_organisation()
    with psycopg.connect(postgresql, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    with pytest.raises(DATABASE_OUTAGE):
        Organisation.select().count()
    close_connection()

    with connected():
        assert Organisation.select().count() == 1


@pytest.mark.parametrize("path", ["missing/books.sqlite3", "."])
def test_a_file_that_cannot_be_written_is_named(path: str, tmp_path: Path, point_at: Point) -> None:
    point_at(f"sqlite:///{tmp_path / path}")

    with pytest.raises(DatabaseUnreachable, match=str(tmp_path / path)), connected():
        migrate()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2/x@127.0.0.1:1/books",
        "postgresql://user:p@ss/hunter2@127.0.0.1:1/books",
        "postgresql://user:hunter2%zz@127.0.0.1:1/books",
        "postgresql://user:hunter2@127.0.0.1:port/books",
    ],
)
def test_an_address_whose_password_was_not_encoded_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="QONTO_XERO_DATABASE_URL") as refusal:
        configure(url)

    assert "hunter2" not in "".join(traceback.format_exception(refusal.value))


def test_a_file_that_is_no_database_is_named(tmp_path: Path, point_at: Point) -> None:
    (tmp_path / "books").write_text("no database at all" * 100)
    point_at(f"sqlite:///{tmp_path / 'books'}")

    with pytest.raises(DatabaseUnreachable, match=str(tmp_path / "books")), connected():
        pass


def test_a_plan_made_while_a_table_is_small_does_not_read_all_of_it(postgresql: str) -> None:
    new = "jsonb_array_elements(CAST({ids} AS jsonb)) AS new"
    plan = read(f"EXPLAIN SELECT posting.id FROM {new} JOIN posting ON posting.id = CAST(new AS bigint)", ids="[1, 2]")

    assert "Seq Scan on posting" not in str(plan)
    assert "posting_pkey" in str(plan)
