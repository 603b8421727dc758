"""F66: the database comes back as it was some time ago, and nothing that was posted since is posted again."""

from __future__ import annotations

import signal
from urllib.parse import urlsplit

import pytest

from tests.acceptance.processes import NIGHT, at, in_qonto, in_xero, payments, puts
from tests.faults.rig import Aftermath, FaultyCompany, night_of
from tests.sandbox.world_client import WorldClient
from tests.servers.postgres import PostgresServer
from tests.soak.backup import put_back, take_backup

pytestmark = [pytest.mark.faults, pytest.mark.integration]

TWENTY_MINUTES = 20 * 60  # within Xero's half hour, in which it takes an older refresh token
VERIFIED = "SELECT count(*) FROM connection WHERE verify_since IS NULL"


@pytest.mark.fault(
    "F66", injected="the database restored from a backup of twenty minutes ago", holds="I1 I2 I3 I10 I17"
)
def test_what_was_posted_since_the_backup_is_found_and_not_posted_again(
    company: FaultyCompany, town: WorldClient, postgres_server: PostgresServer, aftermath: Aftermath
) -> None:
    parties = night_of(company, town, 30, 30, 0)
    at_work = [company.start(command) for command in ("scheduler", "worker")]
    at(town, NIGHT)
    company.until_night_is_done(organisations=len(parties))
    backup = take_backup(company.database_url, aftermath.now())
    for party in parties:
        party.pay(*payments(7))
        assert company.run("sync", party.known["slug"]).code == 0
    deleted = parties[0].ledger()["bank_transactions"][-1]["id"]
    town.control("POST", f"/xero/{parties[0].tenant}/bank-transactions/{deleted}/delete")
    town.advance(TWENTY_MINUTES)
    sent = len(puts(town))
    for process in at_work:
        process.end(signal.SIGKILL)

    name = urlsplit(company.database_url).path.lstrip("/")
    postgres_server.drop_database(name)
    postgres_server.create_database(name)
    assert company.run("db", "migrate").code == 0
    put_back(company.database_url, backup)
    taken_at = f"{backup.taken_at:%Y-%m-%dT%H:%M:%S}"
    assert company.run("db", "restored", "--taken-at", taken_at, "--reason", "the disk broke").code == 0
    aftermath.forgotten = (backup.taken_at, aftermath.now())
    for party in parties:
        assert company.run("sync", party.known["slug"], "--no-wait").code == 0
    aftermath.until_quiet()

    assert len(puts(town)) == sent
    assert company.query(VERIFIED) == [(len(parties),)]
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
