"""Statements as text, for what is said most often: an ORM builds each anew, and a driver parses each anew.

Many rows travel as one parameter: the database unpacks a JSON array, so the text is always the same, and prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import msgspec

from models.database import Table, database, is_sqlite

Row = TypeVar("Row", bound=Table)
Columns = Mapping[str, str]  # column name to PostgreSQL type, in the order of a row's values


def run(statement: str, **values: Any) -> int:
    """Run a statement that names its values `{so}`; how many rows it changed."""
    return int(database.execute_sql(_placed(statement, (*values,), sqlite=is_sqlite()), values).rowcount)


def read(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Every row that a query gives, whose values are named `{so}`; moments and dates as the driver gives them."""
    return list(database.execute_sql(_placed(statement, (*values,), sqlite=is_sqlite()), values).fetchall())


def find(table: type[Row], condition: str, **values: Any) -> list[Row]:
    """The rows of a table for which a condition holds, whose values are named `{so}`."""
    fields = table._meta.sorted_fields
    rows = read(f"{_select_from(table)} WHERE {condition}", **values)
    return [table(**{f.name: f.python_value(cell) for f, cell in zip(fields, row, strict=True)}) for row in rows]


def load(table: type[Row], key: Any) -> Row:
    """The row with this id. Raises LookupError."""
    found = find(table, "id = {key}", key=key)
    if not found:
        raise LookupError(f"there is no {table._meta.table_name} {key}")
    return found[0]


def run_with_rows(statement: str, columns: Columns, rows: Iterable[Sequence[Any]], **values: Any) -> int:
    """The same for a statement that selects from `{rows} AS new`."""
    cells = [[_told(cell) for cell in row] for row in rows] if is_sqlite() else list(rows)
    values["packed"] = msgspec.json.encode(cells).decode()
    return run(_with_rows(statement, (*columns.items(),), sqlite=is_sqlite()), **values)


def run_both_with_rows(first: str, then: str, columns: Columns, rows: Sequence[Sequence[Any]], **values: Any) -> None:
    """The same for two, of which `first` changes nothing that `then` reads. PostgreSQL is told both at once."""
    if is_sqlite():
        run_with_rows(first, columns, rows, **values)
        run_with_rows(then, columns, rows, **values)
    else:
        run_with_rows(f"WITH first AS ({first}) {then}", columns, rows, **values)


@cache
def _select_from(table: type[Table]) -> str:
    columns = ", ".join(f'"{field.column_name}"' for field in table._meta.sorted_fields)
    return f'SELECT {columns} FROM "{table._meta.table_name}"'  # noqa: S608 - names of ours


@cache
def _placed(statement: str, names: tuple[str, ...], *, sqlite: bool) -> str:
    """With the driver's own place holders."""
    return statement.format(**{name: f":{name}" if sqlite else f"%({name})s" for name in names})


@cache
def _with_rows(statement: str, columns: tuple[tuple[str, str], ...], *, sqlite: bool) -> str:
    """With the rows that `{packed}` holds as JSON."""
    return statement.replace("{rows}", f"({(_sqlite if sqlite else _postgresql)(dict(columns))})")


def _sqlite(columns: Columns) -> str:
    cells = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
    return f"SELECT {cells} FROM json_each({{packed}})"  # noqa: S608 - names of ours


def _postgresql(columns: Columns) -> str:
    cells = ", ".join(
        f"CAST(value ->> {place} AS {kind}) AS {name}" for place, (name, kind) in enumerate(columns.items())
    )
    return f"SELECT {cells} FROM jsonb_array_elements(CAST({{packed}} AS jsonb))"  # noqa: S608 - names of ours


def _told(cell: Any) -> Any:
    """A moment in the form that sorts as text; PostgreSQL reads any."""
    return cell.astimezone(UTC).isoformat(" ", "microseconds") if isinstance(cell, datetime) else cell
