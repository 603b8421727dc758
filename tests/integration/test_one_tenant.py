"""A database in which two organisations send to one Xero organisation is not migrated silently."""

from __future__ import annotations

import pytest

from models.database import DatabaseUnreachable, database
from models.migrate import migrate
from tests.factories import make_connection

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("own_database")
def test_whoever_must_decide_which_of_the_two_stays_is_told_so() -> None:
    database.execute_sql("DROP INDEX connection_one_tenant")
    for _ in range(2):
        make_connection(tenant_id="shared")
    database.execute_sql("ALTER TABLE connection DROP COLUMN ended_at")
    database.execute_sql("DELETE FROM schema_migration WHERE name = '0005_disconnect'")

    with pytest.raises(DatabaseUnreachable, match="tenant_id"):
        migrate()
