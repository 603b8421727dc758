"""F63, F64, F66: a minute of the soak; ten minutes with 300 organisations are `python -m tests.soak`."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack

import pytest

from tests.acceptance.processes import NIGHT, at
from tests.faults.rig import FaultyCompany, night_of
from tests.sandbox.world_client import WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitmqServer
from tests.soak.crew import GaggedWorker
from tests.soak.plan import Scale
from tests.soak.soak import standing

pytestmark = [pytest.mark.faults, pytest.mark.integration]

ASKERS = 40  # more than a process answers at once
SHORT = Scale(minutes=1, seed=63, organisations=20, transactions=20, restarts=False)


@pytest.mark.fault("F63", injected="the only worker's log is a pipe that nobody reads", holds="I1 I2")
def test_a_worker_whose_log_nobody_reads_goes_on(company: FaultyCompany, town: WorldClient) -> None:
    parties = night_of(company, town, 3, 3, 3, 3, 3)
    company.start("scheduler")
    gagged = GaggedWorker(company)
    try:
        at(town, NIGHT)
        company.until_night_is_done(organisations=len(parties))
    finally:
        gagged.read_on()
        gagged.process.end(signal.SIGKILL)
        gagged.close()


@pytest.mark.fault("F63", injected="whoever asks the only worker how it is reads no answer", holds="I1 I2")
def test_a_worker_whose_metrics_nobody_reads_to_the_end_goes_on(company: FaultyCompany, town: WorldClient) -> None:
    parties = night_of(company, town, 3, 3, 3, 3, 3)
    company.start("scheduler")
    worker = company.start("worker")
    company.until(lambda: "/readyz" in worker.log(), "the worker to say where it can be asked")
    host, port = worker.log().partition("how this process is: http://")[2].partition("/")[0].split(":")
    with ExitStack() as askers:
        for _ in range(ASKERS):
            asker = askers.enter_context(socket.create_connection((host, int(port))))
            asker.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        at(town, NIGHT)
        company.until_night_is_done(organisations=len(parties))


@pytest.mark.fault("F64", injected="a minute of seeded chaos over 20 organisations", holds="I1 I2 I9 I10 I14 I17")
@pytest.mark.fault("F66", injected="the database restored from a backup minutes old", holds="I1 I2 I10 I17")
def test_a_short_soak_loses_and_doubles_nothing(
    postgres_server: PostgresServer, rabbitmq_server: RabbitmqServer
) -> None:
    with standing(SHORT, postgres_server, rabbitmq_server) as soak:
        verdict = soak.run()

    assert not verdict.problems, str(verdict)
