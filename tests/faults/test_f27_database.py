"""F27 to F30: the database dies, does not say whether it committed, is slow, or takes nothing more."""

from __future__ import annotations

from datetime import datetime

import psycopg
import pytest

from domain.recovery import PROOF_AFTER
from models.lease import LEASE
from tests.acceptance.processes import NIGHT, PUTS, at, in_qonto, in_xero, puts
from tests.faults.rig import Failpoints, FaultyCompany, night_of, read_only
from tests.sandbox.world_client import WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.processes import wait_until
from tests.servers.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.faults, pytest.mark.integration]

BACK_SECONDS = 10
BATCHES = "SELECT state, attempt, count(*) FROM posting_batch GROUP BY 1, 2"
WITHIN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
ASLEEP = f"{WITHIN} AND wait_event = 'PgSleep'"
QUEUED_BEHIND_A_LOCK = f"{WITHIN} AND wait_event_type = 'Lock'"
SLOW = """
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
    CREATE TRIGGER slowly BEFORE INSERT OR UPDATE ON posting_batch FOR EACH ROW EXECUTE FUNCTION slowly();
"""
SLOW_NO_MORE = "DROP FUNCTION IF EXISTS slowly CASCADE"
INTENT, CHANGE = b"INSERT INTO posting_batch", b"UPDATE posting_batch"
COMMITTED = b"COMMIT\x00"  # what PostgreSQL says of a statement that it has carried out


@pytest.mark.fault("F27", injected="PostgreSQL kill -9 in mid-transaction", holds="I1 I2 I8")
def test_a_database_killed_in_mid_transaction(
    company: FaultyCompany, town: WorldClient, postgres_server: PostgresServer
) -> None:
    parties = night_of(company, town, 60, 60)
    processes = [company.keep_running(command, command) for command in ("scheduler", "worker")]
    company.query(SLOW.format(seconds=5))
    at(town, NIGHT)
    company.until(lambda: company.query(ASLEEP)[0][0] >= 2, "both to be writing their intent")
    with postgres_server.outage():
        assert puts(town) == []
    company.query(SLOW_NO_MORE)
    assert company.query("SELECT count(*) FROM posting_batch") == [(0,)]
    company.until(lambda: company.query(WITHIN)[0][0] >= 2, "both processes to be back", seconds=BACK_SECONDS)

    town.advance(LEASE.total_seconds())
    company.until_night_is_done(organisations=2)

    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert len(puts(town)) == 4
    assert all(process.is_running() for process in processes)


@pytest.mark.parametrize(
    ("statements", "stored"),
    [
        pytest.param([INTENT], ("intended", 0), id="of the intent"),
        pytest.param([INTENT, CHANGE], ("sending", 1), id="of the mark"),
        pytest.param([INTENT, CHANGE, CHANGE], ("resolved", 1), id="of the outcome"),
    ],
)
@pytest.mark.fault("F28", injected="the reply to a COMMIT lost: intent, mark, outcome", holds="I1 I8 I9")
def test_a_commit_nobody_confirms(
    company: FaultyCompany,
    town: WorldClient,
    database_proxy: TcpProxy,
    statements: list[bytes],
    stored: tuple[str, int],
) -> None:
    (party,) = night_of(company, town, 40)
    worker = company.start("worker")
    company.routes.clear()
    company.start("scheduler")
    database_proxy.lose_reply(*statements, reply=COMMITTED)
    at(town, NIGHT)
    wait_until(lambda: database_proxy.lost_replies == 1, seconds=BACK_SECONDS, what="the reply to be lost")
    ((state, sends, key),) = company.query("SELECT state, sends, key FROM posting_batch")
    assert (state, sends) == stored

    town.advance(LEASE.total_seconds())
    company.until_night_is_done()

    assert [put["key"] for put in puts(town)] == [key]
    assert company.query(BATCHES) == [("resolved", 1, 1)]
    assert in_xero(party) == in_qonto(party)
    assert worker.is_running()


@pytest.mark.fault("F29", injected="a lock on the table of intents for longer than the lease", holds="I1 I8 I12")
def test_a_lock_held_for_longer_than_the_lease(company: FaultyCompany, town: WorldClient) -> None:
    (party,) = night_of(company, town, 60)
    company.start("scheduler")
    with psycopg.connect(company.database_url) as somebody:
        somebody.execute("LOCK TABLE posting_batch IN EXCLUSIVE MODE")
        first = company.start("worker", "--threads", "1")
        at(town, NIGHT)
        company.until(lambda: company.query(QUEUED_BEHIND_A_LOCK) == [(1,)], "the intent to wait")
        company.start("worker", "--threads", "1")
        town.advance(LEASE.total_seconds() + 1)
        company.until(lambda: company.query(QUEUED_BEHIND_A_LOCK) == [(2,)], "the take-over to wait for its end")
        assert puts(town) == []
        assert company.query("SELECT fence FROM lease") == [(1,)]
    company.until_night_is_done()

    assert in_xero(party) == in_qonto(party)
    assert len(puts(town)) == 2
    assert first.is_running()


@pytest.mark.fault("F29", injected="a trigger that makes every write of an intent slow", holds="I1 I8")
def test_slow_writes_delay_requests_and_let_none_go_first(company: FaultyCompany, town: WorldClient) -> None:
    (party,) = night_of(company, town, 60)
    company.query(SLOW.format(seconds=0.7))
    company.start("scheduler")
    company.start("worker")
    at(town, NIGHT)
    company.until_night_is_done()

    marked = dict(company.query("SELECT key, first_sent_at FROM posting_batch"))
    began = {put["key"]: datetime.fromisoformat(put["time"]) for put in puts(town)}
    assert len(began) == 2
    assert all((began[key] - marked[key]).total_seconds() >= 0.7 for key in marked), "sent before it was committed"
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F30", injected="the database read-only in mid-night", holds="I1 I2 I8")
def test_a_database_that_takes_nothing_more(
    company: FaultyCompany, town: WorldClient, postgres_server: PostgresServer, failpoints: Failpoints
) -> None:
    parties = night_of(company, town, 300, 60, 60)
    held = town.fault("hold", match=PUTS, when="before", times=4)
    company.start("scheduler")
    worker = company.keep_running("worker", "worker", "--threads", "1")
    at(town, NIGHT)
    town.wait_until_held(held, 4)
    with read_only(company, postgres_server):
        failpoints.arm("recv", "sleep:0")
        town.control("POST", f"/faults/{held}/release")
        town.wait_until(lambda: len(puts(town)) == 4)
        company.until(lambda: failpoints.fired("recv"), "the next organisation's turn to be tried")
        failpoints.arm("recv", "sleep:0")
        company.until(lambda: failpoints.fired("recv"), "and another")
        company.until(lambda: "read-only transaction" in worker.log(), "the worker to be refused")
        asked = town.requests_made("service=xero&method=PUT")
        assert len(puts(town)) == 4, "a request left without an intent"
        assert len([put for put in asked if put["path"].endswith("/Accounts")]) == 2, "of the first organisation"
    town.advance(PROOF_AFTER.total_seconds())
    company.until_night_is_done(organisations=3)

    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert {put["status"] for put in puts(town)} == {200}
