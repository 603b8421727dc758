"""What the listener counts: each delivery once, by what became of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from messaging import ReceivedEvent
from models.database import connected
from services.receive_event import Reception
from services.workbench import make_workbench
from settings import read_settings
from tests.counted import counted
from tests.events import event
from workers import listening

SETTINGS = {
    "QONTO_XERO_ENCRYPTION_KEYS": "k:" + "A" * 43 + "=",
    "QONTO_XERO_EVENT_SIGNATURES": "off",
}
Receive = Callable[[ReceivedEvent], None]


@pytest.fixture
def receive(database: str, monkeypatch: pytest.MonkeyPatch) -> Receive:
    """What the listener does with a delivery, without the queue."""
    monkeypatch.setattr(listening, "EventConsumer", lambda _url, receive, *_, **__: receive)
    received: Receive = listening.event_listener("amqp://nowhere", make_workbench(read_settings(SETTINGS)))  # type: ignore[assignment] # the fake is the function itself
    return received


def delivered(body: bytes, died_of: str = "") -> ReceivedEvent:
    return ReceivedEvent(body=body, key_id="", signature="", died_of=died_of)


def test_each_delivery_is_counted_by_what_became_of_it(receive: Receive) -> None:
    count = {result: counted("qonto_xero_events_received_total", result=result) for result in Reception}

    with connected():
        receive(delivered(event(id="one")))
        receive(delivered(event(id="one")))
        receive(delivered(b"no event"))
        receive(delivered(event(id="two"), died_of="its deliveries were used up"))

    assert {result: more() for result, more in count.items()} == {"stored": 1, "known": 1, "quarantined": 2}
