"""The same SQL, rendered with less work: half of a seed's time is spent on naming columns."""

from __future__ import annotations

from typing import Any

import peewee
import pytest

TABLE: Any = peewee.Table


def render_columns_quicker(patch: pytest.MonkeyPatch) -> None:
    """`"t1"."name"` in one piece, where a column belongs to a plain table; everything else as ever."""
    as_ever: Any = peewee.Column.__sql__

    def render(column: Any, context: Any) -> Any:
        source: Any = column.source
        if type(source) is not TABLE or context.scope == peewee.SCOPE_VALUES:
            return as_ever(column, context)
        if source._alias:
            context.alias_manager[source] = source._alias
        return context.literal(f'"{context.alias_manager[source]}"."{column.name}"')

    patch.setattr(peewee.Column, "__sql__", render)
