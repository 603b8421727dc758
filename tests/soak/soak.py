"""The whole soak: day after day under chaos, then quiet, then the one checker's verdict over everybody."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.processes import EVENING, Company, at, company_settings
from tests.checker import check_world
from tests.sandbox.world_client import Party, running_world
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitmqServer
from tests.soak.crew import SCHEDULER, STEADY, Crew
from tests.soak.hands import Hands
from tests.soak.memory import Growth, Memory
from tests.soak.nights import Nights, evening_of
from tests.soak.plan import Scale, faults_of_a_night
from tests.soak.tally import Tally
from tests.soak.town import LOGGED_REQUESTS, Life, Town, found_organisations
from tests.soak.verdict import Verdict

NIGHT_SECONDS = 240.0  # of real time; a night that takes longer goes on beside the next one
QUIET_SECONDS = 3000.0  # the same, once nothing is wrong any more: it only ends a hang
BACKUP_AT, RESTORE_AT, PEOPLE_AT = 0.25, 0.70, 0.40  # parts of a night's runs that have ended
LONG_SOAK_SECONDS = 300.0

NOT_LIVE = "SELECT count(*) FROM connection WHERE state <> 'live'"
FAILED = "SELECT count(*) FROM sync_run WHERE state = 'failed'"
SENDS = "SELECT coalesce(sum(sends - 1), 0) FROM posting_batch WHERE sends > 1"
LOOKED_UP = "SELECT count(*) FROM posting_batch WHERE looked_up_at IS NOT NULL"
POSTED = "SELECT count(*) FROM posting WHERE state IN ('posted', 'deleted_in_xero')"


class Soak:
    """One soak around a company with nothing running yet. `run` once."""

    def __init__(
        self, scale: Scale, town: Town, company: Company, postgres: PostgresServer, rabbitmq: RabbitmqServer
    ) -> None:
        self._scale, self._town, self._company = scale, town, company
        self._tally = Tally()
        self._crew = Crew(company, self._tally)
        self._hands = Hands(scale, town, self._crew, self._tally, postgres, rabbitmq)
        self._nights = Nights(town, company, scale.organisations, self._look, self._hands.may_leap)
        self._memory = Memory()
        self._parties: list[Party] = []

    def run(self) -> Verdict:
        """The seconds of chaos, the quiet after them, and what came of it."""
        self._town.settings(log_bodies=True, log_limit=LOGGED_REQUESTS)
        at(self._town, EVENING)
        self._tally.say(f"connecting {self._scale.organisations} organisations")
        self._parties = found_organisations(self._town, self._company, self._scale.organisations)
        self._crew.start()
        self._tally.begin()
        life = Life(self._town, self._parties, self._scale.transactions, self._scale.seed, self._tally)
        number = 0
        while self._tally.seconds < self._scale.seconds:
            self._day(number, life)
            number += 1
        chaos_seconds = self._tally.seconds
        is_quiet = self._quiet(number)
        return self._judge(chaos_seconds, is_quiet=is_quiet)

    def _day(self, number: int, life: Life) -> None:
        self._town.move_to(evening_of(number))
        life.day(number)
        for name, fault in faults_of_a_night(self._scale, number):
            self._town.let_loose(name, fault)
        people = _Once(life.in_the_night, PEOPLE_AT)

        def at_part(part: float) -> None:
            people.at(part)
            if number == self._restore_night:
                self._back_up_and_restore(part)

        was_quiet = self._nights.night(number, NIGHT_SECONDS, at_part)
        self._town.control("DELETE", "/faults")
        was_quiet = self._nights.morning(number, NIGHT_SECONDS) and was_quiet
        life.morning()
        self._tally.add("night")
        if not was_quiet:
            self._tally.add("night that was not over in time")
        self._tally.say(f"day {number + 1} is over" + ("" if was_quiet else ", not quiet"))

    @property
    def _restore_night(self) -> int:
        return 1 if self._scale.seconds >= LONG_SOAK_SECONDS else 0

    def _back_up_and_restore(self, part: float) -> None:
        if self._hands.servers_are_down():
            return
        if self._hands.forgotten is None and not self._hands.has_backup and part >= BACKUP_AT:
            self._hands.back_up()
        elif self._hands.has_backup and (part >= RESTORE_AT or self._hands.backup_is_old):
            self._hands.restore()

    def _look(self) -> None:
        self._hands.turn()
        self._crew.supervise()
        self._memory.sample(self._tally.seconds, [self._crew.pid(SCHEDULER), self._crew.pid(STEADY)])

    def _quiet(self, number: int) -> bool:
        """Faults off, and one more night, in which what is left arrives."""
        self._hands.rest()
        self._town.control("DELETE", "/faults")
        self._tally.say("faults are off")
        was_quiet = self._nights.night(number, QUIET_SECONDS, lambda _: None)
        return self._nights.morning(number, QUIET_SECONDS) and was_quiet

    def _judge(self, chaos_seconds: float, *, is_quiet: bool) -> Verdict:
        growth = [self._growth(name, chaos_seconds) for name in (SCHEDULER, STEADY)]
        began = time.monotonic()
        report = check_world(self._town, self._company.database_url, self._parties, forgotten=self._hands.forgotten)
        return Verdict(
            scale=self._scale,
            done=self._done(),
            report=report,
            growth=growth,
            wrong=self._wrong(is_quiet=is_quiet),
            chaos_seconds=chaos_seconds,
            check_seconds=time.monotonic() - began,
        )

    def _growth(self, name: str, chaos_seconds: float) -> Growth:
        return self._memory.growth(name, self._crew.pid(name), self._hands.warm_at, chaos_seconds)

    def _done(self) -> dict[str, int]:
        """What was done to us, and how often that made us do something."""
        ours = {
            "process started again": self._crew.restarts,
            "lease taken over": self._crew.take_overs(),
            "batch sent again under its key": self._count(SENDS),
            "batch looked up in Xero": self._count(LOOKED_UP),
            "run that failed": self._count(FAILED),
            "transaction in Xero": self._count(POSTED),
            "request to the world": self._town.control("GET", "/requests?limit=0")["last_id"],
            "turn of the worker whose log nobody read": self._hands.gagged_turns or 0,
        }
        return dict(self._tally.counts) | self._town.struck() | ours

    def _wrong(self, *, is_quiet: bool) -> list[str]:
        """What is wrong beside what the checker finds."""
        wrong = [*self._hands.not_done, *self._crew.unasked]
        if not is_quiet:
            wrong.append("it was not quiet in time after the faults were off")
        if cut_off := self._count(NOT_LIVE):
            wrong.append(f"{cut_off} connections are not live")
        if self._hands.gag_stopped_work:
            wrong.append("the worker whose log nobody read stopped working")
        return wrong

    def _count(self, statement: str) -> int:
        ((count,),) = self._company.query(statement)
        return int(count)


class _Once:
    """Something that is done once, when a part is reached."""

    def __init__(self, action: Callable[[], None] | None, part: float) -> None:
        self._action, self._part = action, part

    def at(self, part: float) -> None:
        if self._action and part >= self._part:
            action, self._action = self._action, None
            action()


@contextmanager
def standing(scale: Scale, postgres: PostgresServer, rabbitmq: RabbitmqServer) -> Iterator[Soak]:
    """An empty world, a migrated database and an empty vhost on servers that are up; gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder,
        running_world() as url,
        postgres.fresh_database() as database,
        rabbitmq.fresh_vhost() as vhost,
    ):
        company = Company(Path(folder), company_settings(url, postgres.url_of(database), rabbitmq.url_of(vhost)))
        town = Town(url)
        try:
            with town.session:
                ran = company.run("db", "migrate")
                assert ran.code == 0, ran.err
                yield Soak(scale, town, company, postgres, rabbitmq)
        finally:
            for process in company.processes:
                process.end(signal.SIGKILL)
