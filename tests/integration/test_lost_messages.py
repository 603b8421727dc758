"""What a broker lost is announced again after five minutes; what waits in its queue is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from models.outbox import OutboxMessage, claim_unsent, mark_sent
from models.states import Lane, RunKind
from models.sync_run import SILENCE, wake_runs
from scheduler.tick import resend
from services.sync_organisation import ACTOR
from tests.factories import NOW, make_inbox_event, make_lease, make_sync_run

MOMENT = timedelta(milliseconds=1)
LATE = NOW + SILENCE
HOUR = timedelta(hours=1)


class Queues:
    """What a broker holds of each lane, as long as nobody takes it."""

    def __init__(self) -> None:
        self.messages: dict[str, list[str]] = {lane: [] for lane in Lane}
        self.asked = 0

    def take_in(self, now: datetime) -> int:
        """Publish what is unsent; return how many messages that were."""
        claimed = claim_unsent(OutboxMessage, "relay", now, 1_000)
        for message in claimed:
            self.messages[message.lane].append(message.arguments)
        mark_sent(OutboxMessage, [message.id for message in claimed], now)
        return len(claimed)

    def depth(self, lane: Lane) -> int:
        self.asked += 1
        return len(self.messages[lane])


Announce = Callable[[int], list[int]]


@pytest.fixture
def queues(database: str) -> Queues:
    return Queues()


@pytest.fixture
def announced(queues: Queues) -> Announce:
    """So many runs of the night whose messages are in the queue; their ids in its order."""

    def announce(count: int) -> list[int]:
        runs = [make_sync_run().id for _ in range(count)]
        assert wake_runs(ACTOR, NOW) == queues.take_in(NOW) == count
        return runs

    return announce


def runs_of(messages: list[str]) -> list[int]:
    return [json.loads(message)["run_id"] for message in messages]


def test_a_run_whose_message_waits_is_announced_once_in_an_hour_without_workers(
    queues: Queues, announced: Announce
) -> None:
    (run,) = announced(1)

    for minutes in range(60):
        now = NOW + timedelta(minutes=minutes)
        assert wake_runs(ACTOR, now) + resend(now, queues.depth) == 0

    assert runs_of(queues.messages[Lane.NIGHTLY]) == [run]


def test_an_emptied_queue_is_filled_again_after_five_minutes_of_silence(queues: Queues, announced: Announce) -> None:
    runs = announced(3)
    queues.messages[Lane.NIGHTLY].clear()

    assert resend(LATE - MOMENT, queues.depth) == 0
    assert resend(LATE, queues.depth) == queues.take_in(LATE) == 3

    assert runs_of(queues.messages[Lane.NIGHTLY]) == runs
    assert resend(LATE + HOUR, queues.depth) == 0


def test_of_a_queue_that_lost_some_the_oldest_are_announced_as_many_as_are_missing(
    queues: Queues, announced: Announce
) -> None:
    first, second, *rest = announced(5)
    del queues.messages[Lane.NIGHTLY][:2]

    assert resend(LATE, queues.depth) == queues.take_in(LATE) == 2

    assert runs_of(queues.messages[Lane.NIGHTLY]) == [*rest, first, second]


def test_a_run_that_waits_in_the_outbox_of_a_full_lane_is_not_announced_again(queues: Queues) -> None:
    make_sync_run()
    wake_runs(ACTOR, NOW)

    assert resend(NOW + HOUR, queues.depth) == 0


def test_a_run_that_a_worker_holds_needs_no_message(queues: Queues) -> None:
    run = make_sync_run(wave="before", wake_at=NOW)
    make_lease(organisation_id=run.organisation_id, expires_at=NOW + HOUR)

    assert resend(NOW + HOUR - MOMENT, queues.depth) == 0
    assert resend(NOW + HOUR, queues.depth) == 1


def test_what_one_lane_lost_is_announced_whatever_waits_in_another(queues: Queues, announced: Announce) -> None:
    announced(5)
    manual = make_sync_run(kind=RunKind.MANUAL, lane=Lane.INTERACTIVE, wave="lost", wake_at=LATE)

    assert resend(LATE, queues.depth) == queues.take_in(LATE) == 1

    assert runs_of(queues.messages[Lane.INTERACTIVE]) == [manual.id]


def test_an_event_whose_message_waits_is_announced_once_and_when_it_is_lost_again(queues: Queues) -> None:
    event = make_inbox_event()
    queues.messages[Lane.INTERACTIVE].append("its message")
    assert resend(NOW + HOUR, queues.depth) == 0

    queues.messages[Lane.INTERACTIVE].clear()

    assert resend(NOW + HOUR, queues.depth) == 1
    assert json.loads(OutboxMessage.get().arguments) == {"event_id": event.id}


def test_a_broker_is_asked_only_where_a_worker_is_overdue(queues: Queues, announced: Announce) -> None:
    announced(1)
    resend(LATE - MOMENT, queues.depth)
    assert queues.asked == 0

    resend(LATE, queues.depth)

    assert queues.asked == 1
