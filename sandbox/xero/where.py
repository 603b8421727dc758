"""The `where` and `order` parameters: conditions joined by AND or &&, as Xero's "Requests and responses" shows."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Generic, TypeVar

from sandbox.xero.errors import BadQuery

Row = TypeVar("Row")
Value = str | int | bool | Decimal | None
Fields = Mapping[str, Callable[[Row], Any]]

_CONDITION = re.compile(
    r"""\s*(?:\(\s*)?(?P<field>[A-Za-z_][\w.]*?)
    (?:\s*(?P<op>==|!=|<>|>=|<=|=|>|<)\s*|\.(?P<method>Contains|StartsWith|EndsWith)\(\s*)
    (?P<value>"(?:[^"]|"")*"
      |guid\(\s*"[^"]*"\s*\)
      |DateTime\(\s*[\d\s,]+\)
      |-?\d+(?:\.\d+)?|true|false|null)
    \s*(?:\))*\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_JOIN = re.compile(r"(?:AND\b|&&)", re.IGNORECASE)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": eq,
    "=": eq,
    "!=": ne,
    "<>": ne,
    ">=": ge,
    "<=": le,
    ">": gt,
    "<": lt,
    "contains": lambda text, part: part.lower() in text.lower(),
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
}


@dataclass(frozen=True, slots=True)
class Condition(Generic[Row]):
    """One comparison of a field with a value."""

    field: str
    operator: str
    value: Value
    read: Callable[[Row], Any]

    @property
    def is_equality(self) -> bool:
        """Whether it pins the field to one value."""
        return self.operator in ("=", "==")

    def holds(self, row: Row) -> bool:
        """Whether the row satisfies it; an absent value satisfies only (in)equality with itself."""
        actual = self.read(row)
        if actual is None or self.value is None:
            same = actual is self.value
            return same if self.is_equality else (self.operator in ("!=", "<>") and not same)
        try:
            return _OPERATORS[self.operator](actual, self.value)
        except TypeError as error:
            raise BadQuery(f"Operator '{self.operator}' incompatible with '{self.field}' and {self.value!r}") from error


def parse_where(text: str | None, fields: Fields[Row]) -> list[Condition[Row]]:
    """The conditions of a `where`, all of which must hold. `fields` are named in lower case. Raises BadQuery."""
    conditions: list[Condition[Row]] = []
    position = 0
    while text and position < len(text):
        if conditions:
            join = _JOIN.match(text, position)
            if join is None:
                raise BadQuery(f"Syntax error at index {position} of '{text}'")
            position = join.end()
        found = _CONDITION.match(text, position)
        if found is None:
            raise BadQuery(f"Syntax error at index {position} of '{text}'")
        conditions.append(_condition(found, fields))
        position = found.end()
    return conditions


def sort_rows(rows: list[Row], order: str | None, fields: Fields[Row]) -> list[Row]:
    """The rows in the order asked for: `Date DESC, UpdatedDateUTC`. Raises BadQuery."""
    for part in reversed((order or "").split(",")):
        words = part.split()
        if not words:
            continue
        read = fields.get(words[0].lower())
        if read is None or len(words) > 2 or (len(words) == 2 and words[1].upper() not in ("ASC", "DESC")):
            raise BadQuery(f"No property or field '{words[0]}' exists, or no such order: '{part.strip()}'")
        descending = len(words) == 2 and words[1].upper() == "DESC"
        rows = sorted(rows, key=_key(read), reverse=descending)
    return rows


def _key(read: Callable[[Row], Any]) -> Callable[[Row], tuple[bool, Any]]:
    def key(row: Row) -> tuple[bool, Any]:
        value = read(row)
        return value is not None, value if value is not None else 0

    return key


def _condition(found: re.Match[str], fields: Fields[Row]) -> Condition[Row]:
    name = found["field"].lower()
    read = fields.get(name)
    if read is None:
        raise BadQuery(f"No property or field '{found['field']}' exists")
    value = _value(found["value"])
    operator = (found["op"] or found["method"]).lower()
    if operator in ("contains", "startswith", "endswith") and not isinstance(value, str):
        raise BadQuery(f"'{operator}' needs a text")
    return Condition(name, operator, value, read)


def _value(text: str) -> Value:
    lowered = text.lower()
    if text.startswith('"'):
        return text[1:-1].replace('""', '"')
    if lowered.startswith("guid"):
        return text.split('"')[1].lower()
    if lowered.startswith("datetime"):
        return _instant_ms(text)
    if lowered in ("true", "false"):
        return lowered == "true"
    return None if lowered == "null" else Decimal(text)


def _instant_ms(text: str) -> int:
    try:
        parts = [int(part) for part in text[text.index("(") + 1 : -1].split(",")]
        return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc,arg-type]
    except (ValueError, TypeError) as error:
        raise BadQuery(f"'{text}' is no date") from error
