"""The schema that migrations make is the one that the models mean, and nobody works on an older one."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from peewee import BigAutoField, IntegrityError, SqliteDatabase
from playhouse.schema_diff import diff_models

import models.migrate
from models.bank_account import BankAccount
from models.credential import Credential
from models.database import DatabaseUnreachable, Table
from models.database import database as proxy
from models.migrate import SchemaOutOfDate, check_schema, grant, migrate
from models.organisation import Connection, Organisation
from models.posting import Posting, PostingEvent
from settings import SettingsError
from tests import factories

BOOKKEEPING = {"schema_migration", "sqlite_sequence"}  # which migrations were applied, and SQLite's counters
SAME_TO_SQLITE = {"BIGINT": "INTEGER", "BOOLEAN": "INTEGER", "SMALLINT": "INTEGER"}  # it has one whole number

UNCHECKED = {Posting, PostingEvent}  # on PostgreSQL; SQLite cannot drop the constraints they were made with

Columns = dict[str, dict[str, tuple[str, bool, bool]]]

for module in pkgutil.iter_modules(models.__path__):
    importlib.import_module(f"models.{module.name}")
POINTED_AT: list[type[Table]] = [Organisation, Credential, Connection, BankAccount, Posting]
TABLES = POINTED_AT + [table for table in Table.__subclasses__() if table not in POINTED_AT]


@pytest.fixture
def read_columns() -> Any:
    """Every column of every table as the database tells it: type, may be null, is in the primary key."""

    def read() -> Columns:
        same = SAME_TO_SQLITE if isinstance(proxy.obj, SqliteDatabase) else {}
        return {
            table._meta.table_name: {
                column.name: (same.get(column.data_type.upper(), column.data_type), column.null, column.primary_key)
                for column in proxy.get_columns(table._meta.table_name)
            }
            for table in TABLES
        }

    return read


@pytest.fixture
def foreign_keys() -> Any:
    """Which column of which table points where, as the database tells it."""

    def read() -> set[tuple[str, ...]]:
        return {
            (key.table, key.column, key.dest_table, key.dest_column)
            for table in TABLES
            for key in proxy.get_foreign_keys(table._meta.table_name)
            if not (table in UNCHECKED and isinstance(proxy.obj, SqliteDatabase))
        }

    return read


def test_an_empty_database_gets_every_table_and_a_second_time_nothing(empty_database: str) -> None:
    applied = migrate()

    assert applied[0] == "0001_initial"
    assert migrate() == []
    assert {table._meta.table_name for table in TABLES} == set(proxy.get_tables()) - BOOKKEEPING
    check_schema()


def test_a_database_that_lacks_a_migration_is_refused_with_the_command_that_brings_it(empty_database: str) -> None:
    with pytest.raises(SchemaOutOfDate, match=r"0001_initial.*qonto-xero db migrate"):
        check_schema()


def test_a_newer_migration_than_the_database_has_is_missed(
    own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "migrations"
    newer.mkdir()
    for path in models.migrate.MIGRATIONS.glob("0*.py"):
        (newer / path.name).write_text(path.read_text())
    (newer / "9999_next.py").write_text(
        "def up(migrator, db):\n    db.execute_sql('CREATE TABLE next (id INTEGER NOT NULL)')\n"
    )
    monkeypatch.setattr(models.migrate, "MIGRATIONS", newer)

    with pytest.raises(SchemaOutOfDate, match="9999_next"):
        check_schema()

    assert migrate() == ["9999_next"]
    check_schema()


def test_tables_columns_and_indexes_are_those_of_the_models(database: str) -> None:
    assert not str(diff_models(proxy.obj, TABLES))


def test_each_column_has_the_type_that_its_model_means(own_database: str, read_columns: Any, foreign_keys: Any) -> None:
    migrated, pointing = read_columns(), foreign_keys()

    proxy.drop_tables(reversed(TABLES), cascade=not isinstance(proxy.obj, SqliteDatabase), safe=False)
    for table in TABLES:
        table.create_table(safe=False)

    assert migrated == read_columns()
    assert pointing == foreign_keys()


def test_every_table_has_a_factory(database: str) -> None:
    made = {type(make()) for name, make in vars(factories).items() if name.startswith("make_")}

    assert made == set(TABLES)


def test_rows_are_numbered_and_no_number_is_given_twice(database: str) -> None:
    numbered = [table for table in TABLES if isinstance(table._meta.primary_key, BigAutoField)]
    assert numbered

    first = factories.make_outbox_message()
    first.delete_instance()

    assert factories.make_outbox_message().id > first.id


def test_a_row_that_points_nowhere_is_refused(database: str) -> None:
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        factories.make_connection(organisation_id="nobody")


def test_a_migration_that_fails_half_way_leaves_nothing(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0001_broken.py").write_text(
        "def up(migrator, db):\n"
        "    db.execute_sql('CREATE TABLE half (id INTEGER NOT NULL)')\n"
        "    db.execute_sql('CREATE TABLE nonsense (')\n"
    )
    monkeypatch.setattr(models.migrate, "MIGRATIONS", tmp_path)

    with pytest.raises(DatabaseUnreachable, match="cannot migrate"):
        migrate()

    assert "half" not in proxy.get_tables()
    with pytest.raises(SchemaOutOfDate):
        check_schema()


SURVIVABLE = sorted(path.stem for path in models.migrate.MIGRATIONS.glob("0*.py"))[6:]  # two releases run side by side


@pytest.mark.parametrize("name", SURVIVABLE)
def test_the_release_before_a_migration_goes_on_writing_after_it(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder, last in ((before, ""), (after, name)):
        folder.mkdir()
        for path in models.migrate.MIGRATIONS.glob("0*.py"):
            if path.stem < name or path.stem == last:
                (folder / path.name).write_text(path.read_text())
    monkeypatch.setattr(models.migrate, "MIGRATIONS", before)
    migrate()
    known = {table: proxy.get_columns(table) for table in proxy.get_tables()}
    monkeypatch.setattr(models.migrate, "MIGRATIONS", after)

    assert migrate() == [name]

    for table, columns in known.items():
        now = {column.name: column for column in proxy.get_columns(table)}
        for column in columns:
            assert (now[column.name].data_type, now[column.name].null) == (column.data_type, column.null), table
        for added in now.keys() - {column.name for column in columns}:
            assert now[added].null or now[added].default is not None, f"{table}.{added}"
    check_schema()
    monkeypatch.setattr(models.migrate, "MIGRATIONS", before)
    check_schema()  # the release before starts, too


def test_rights_are_given_all_of_them_or_none(own_database: str) -> None:
    if isinstance(proxy.obj, SqliteDatabase):
        with pytest.raises(SettingsError, match="knows no roles"):
            grant("GRANT SELECT ON posting TO PUBLIC")
        return
    public = "SELECT has_table_privilege('public', 'posting', 'SELECT')"

    with pytest.raises(DatabaseUnreachable, match="nothing_of_this_name"):
        grant("GRANT SELECT ON posting TO PUBLIC; GRANT SELECT ON nothing_of_this_name TO PUBLIC")
    assert proxy.execute_sql(public).fetchone() == (False,)

    grant("GRANT SELECT ON posting TO PUBLIC; GRANT SELECT ON organisation TO PUBLIC")
    assert proxy.execute_sql(public).fetchone() == (True,)
