"""(h) From an event of Qonto's core to the account in Xero: while nothing else happens, and during a night of many."""

from __future__ import annotations

import json
import time
from datetime import datetime
from itertools import cycle, islice

from benchmarks.parties import connect, found, settle
from benchmarks.patience import wait, wait_until_listening
from benchmarks.progress import say
from benchmarks.stage import Show, Stage
from messaging.event_queues import QUEUE
from tests.acceptance.processes import NIGHT, at, telling
from tests.sandbox.world_client import Party

IDLE_ORGANISATIONS = 20
ROWS_OF_A_NIGHT = 20
APART_SECONDS = 0.1  # between two accounts that are opened during the night
NIGHT_BEGAN = "SELECT count(*) FROM sync_run WHERE kind = 'nightly' AND state <> 'due'"
NIGHTS_OPEN = "SELECT count(*) FROM sync_run WHERE kind = 'nightly' AND state NOT IN ('done', 'failed')"
ACCOUNT_RUNS_OPEN = "SELECT count(*) FROM sync_run WHERE kind = 'accounts' AND state NOT IN ('done', 'failed')"
UNHANDLED = "SELECT count(*) FROM inbox_event WHERE handled_at IS NULL"


def idle_seconds(stage: Stage, accounts: int) -> list[float]:
    """For each account that is opened, one after the other, the seconds from its event to its account in Xero."""
    with stage.show() as show:
        parties = _company(show, IDLE_ORGANISATIONS)
        with telling(show.world, show.company.settings["BROKER_URL"]):
            said = _last_event(show)
            say(f"(h) {accounts} accounts are opened while nothing else happens")
            for number, party in enumerate(islice(cycle(parties), accounts), start=1):
                _open(party, number)
                wait(lambda expected=number: _received(show) == expected, "the event to be received")  # type: ignore[misc]
                wait(lambda: show.company.query(UNHANDLED) == [(0,)], "the account to be in Xero")
            return _latencies(show, parties, said)


def seconds_during_a_night(stage: Stage, organisations: int) -> list[float]:
    """The same while so many organisations have their night: accounts of theirs are opened until the night is over."""
    with stage.show() as show:
        parties = _company(show, organisations)
        for party in parties:
            settle(party, ROWS_OF_A_NIGHT)
        with telling(show.world, show.company.settings["BROKER_URL"]):
            said = _last_event(show)
            say(f"(h) accounts are opened during a night of {organisations}")
            at(show.world, NIGHT)
            wait(lambda: show.company.query(NIGHT_BEGAN)[0][0] > 0, "the night to begin")
            for number, party in enumerate(cycle(reversed(parties)), start=1):
                _open(party, number)
                time.sleep(APART_SECONDS)
                if number % 10 == 0 and show.company.query(NIGHTS_OPEN) == [(0,)]:
                    break
            wait(lambda: _received(show) == number, "every event to be received")
            wait(lambda: show.company.query(UNHANDLED) == [(0,)], "every account to be in Xero")
            return _latencies(show, parties, said)


def _company(show: Show, organisations: int) -> list[Party]:
    """Organisations whose first accounts are in Xero, and every process at work."""
    parties = found(show.world, organisations)
    say(f"(h) connecting {organisations} organisations")
    connect(show, parties, follow=True)
    for command in ("scheduler", "listener", "worker"):
        show.company.start(command)
    wait_until_listening(show, QUEUE)
    wait(lambda: show.company.query(ACCOUNT_RUNS_OPEN) == [(0,)], "the first accounts to be in Xero")
    return parties


def _open(party: Party, number: int) -> None:
    party.world.control("POST", f"/qonto/{party.id}/accounts", {"name": f"Compte {number}"})


def _received(show: Show) -> int:
    return int(show.company.query("SELECT count(*) FROM inbox_event")[0][0])


def _last_event(show: Show) -> int:
    return int(show.world.control("GET", "/core/events")["last"])


def _latencies(show: Show, parties: list[Party], said: int) -> list[float]:
    """Both moments are the world's own: when the core said it, and when Xero had the account."""
    events = show.world.control("GET", f"/core/events?after={said}")["events"]
    told = {(one["organisation_id"], _name(one["body"])): _moment(json.loads(one["body"])["time"]) for one in events}
    made = {
        (party.id, one["name"]): _moment(one["created_at"]) for party in parties for one in party.ledger()["accounts"]
    }
    return [(made[key] - moment).total_seconds() for key, moment in told.items()]


def _name(body: str) -> str:
    return str(json.loads(body)["data"]["name"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
