"""(a) Transactions posted per second by one worker process, beside two bare loops that do the same job."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import msgspec

from benchmarks.bare_job import Job
from benchmarks.parties import connect, found, posted, settle
from benchmarks.patience import wait, wait_until_announced, wait_until_done
from benchmarks.process_costs import cpu_seconds, peak_megabytes
from benchmarks.progress import say
from benchmarks.stage import Show, Stage
from tests.acceptance.processes import NIGHT, at, puts
from tests.sandbox.world_client import REPOSITORY, Party

CODE = "QTBC"


@dataclass(frozen=True)
class Lap:
    """One contender's way through the work once."""

    transactions: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float = 0.0

    @property
    def per_second(self) -> float:
        return self.transactions / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        return self.cpu_seconds / self.transactions * 1000


def product_lap(stage: Stage, organisations: int, each: int) -> Lap:
    """A worker posts it all. The accounts exist, as on every night but the first."""
    with stage.show() as show:
        parties = found(show.world, organisations)
        connect(show, parties)
        show.company.start("scheduler")
        worker = show.company.start("worker")
        at(show.world, NIGHT)
        wait_until_done(show.company, "nightly", organisations)
        for party in parties:
            settle(party, each)

        worker.signal(signal.SIGSTOP)
        for party in parties:
            show.company.ask("sync", str(party.known["slug"]), "--no-wait")
        wait_until_announced(show.company)
        began, cpu_before = now(show), cpu_seconds(worker.pid)
        worker.signal(signal.SIGCONT)
        seconds = until_posted(show, began, organisations * each)
        return Lap(organisations * each, seconds, cpu_seconds(worker.pid) - cpu_before, peak_megabytes(worker.pid))


def bare_lap(stage: Stage, kind: str, organisations: int, each: int) -> Lap:
    """A bare loop sends it all."""
    with stage.show() as show:
        parties = found(show.world, organisations)
        jobs = [_job(party) for party in parties]
        for party in parties:
            settle(party, each)
        file = show.company.folder / "jobs.json"
        file.write_bytes(msgspec.json.encode(jobs))
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.bare", kind, str(file)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.readline()
            began = now(show)
            process.stdin.write("go\n")
            process.stdin.flush()
            cpu = float(process.stdout.readline())
        return Lap(organisations * each, until_posted(show, began, organisations * each), cpu)


def _job(party: Party) -> Job:
    party.xero("PUT", "Accounts", {"Name": "To be coded", "Code": CODE, "Type": "CURRENT"}).raise_for_status()
    return Job(
        url=party.world.url,
        qonto_key=f"{party.known['qonto_login']}:{party.known['qonto_secret']}",
        account_id=party.account_id,
        xero_token=party.known["xero_tokens"]["access_token"],
        tenant_id=party.tenant,
        xero_account_id=party.bank_account(),
        code=CODE,
    )


def now(show: Show) -> datetime:
    """The world's time, by which its request log goes too."""
    return datetime.fromisoformat(show.world.control("GET", "/clock")["now"])


def until_posted(show: Show, began: datetime, transactions: int) -> float:
    """Seconds from `began` until Xero had so many; told by the request log, so that looking late costs nothing."""
    wait(lambda: posted(show) >= transactions, f"{transactions} transactions in Xero")
    last = datetime.fromisoformat(puts(show.world)[-1]["time"])
    return (last - began).total_seconds()


def race(stage: Stage, organisations: int, each: int, rounds: int) -> dict[str, Lap]:
    """Each contender's median over some rounds, taken in turns so that all meet the same machine."""
    laps: dict[str, list[Lap]] = {"product": [], "requests": [], "sdk": []}
    for lap in range(rounds):
        for contender, run in laps.items():
            say(f"(a) {contender}: {organisations} organisations x {each} transactions, round {lap + 1} of {rounds}")
            if contender == "product":
                run.append(product_lap(stage, organisations, each))
            else:
                run.append(bare_lap(stage, contender, organisations, each))
    return {contender: middle(run) for contender, run in laps.items()}


def middle(laps: list[Lap]) -> Lap:
    """The median of each number by itself."""
    return Lap(
        laps[0].transactions,
        median(lap.seconds for lap in laps),
        median(lap.cpu_seconds for lap in laps),
        max(lap.peak_megabytes for lap in laps),
    )
