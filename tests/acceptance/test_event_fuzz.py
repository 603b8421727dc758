"""Whatever arrives in the name of Qonto's core: nothing stops the consumer, nothing is lost, nothing counts twice.

EVENTS_EXAMPLES asks for more of it than a test run needs, and for other events each time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pika
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clients.qonto.account_events import MOST_BYTES, NotAnEvent, read_event
from domain.event_signature import signature
from domain.reasons import Followed
from messaging.event_queues import DEAD, EXCHANGE, KEY_ID, QUEUE, ROUTING_KEYS, SIGNATURE, declare_event_queues
from models.database import configure, connected
from models.inbox import InboxEvent
from models.outbox import OutboxMessage
from models.quarantine import Quarantine, digest_of
from services.receive_event import SOURCE
from services.workbench import make_workbench
from settings import read_settings
from tests.contract.odd_events import odd_bodies, spoilt_bodies
from tests.events import KEYS, Milliseconds, event, headers_of, signed
from tests.factories import make_connection, make_organisation
from tests.servers.processes import wait_until
from workers.listening import event_listener

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

EXAMPLES = int(os.environ.get("EVENTS_EXAMPLES", "2000"))
IS_LONG = "EVENTS_EXAMPLES" in os.environ
SECONDS = 3600 if IS_LONG else 180  # a busy machine takes a minute

CANARY = "FR7630001007941234567890185"  # an IBAN, which is nowhere in clear
CONNECTED, UNKNOWN = "organisation-connected", "organisation-unknown"
HUGE = (1_000_000, 1_048_600, 2_000_000)  # bytes
LAST = "last"  # the id of the last event that is sent


@dataclass(frozen=True)
class Sent:
    """A message on its way."""

    body: bytes
    headers: dict[str, Any] | None

    def is_trusted(self) -> bool:
        """Whether it is signed by somebody whose key we know."""
        key_id, given_signature = ((self.headers or {}).get(name) for name in (KEY_ID, SIGNATURE))
        key = KEYS.get(key_id) if isinstance(key_id, str) else None
        return key is not None and given_signature == signature(self.body, key)


@dataclass
class Books:
    """Where each body has to be found, once: events by their identity, and what is refused."""

    inbox: dict[tuple[str, str], bytes] = field(default_factory=dict)
    quarantine: set[bytes] = field(default_factory=set)

    def note(self, message: Sent) -> None:
        """What the decoder takes is an event: the contract's tests hold it to the schema."""
        try:
            told = read_event(message.body)
        except NotAnEvent:
            self.quarantine.add(message.body)
            return
        kept = self.inbox.setdefault((told.source, told.id), message.body) if message.is_trusted() else None
        if kept != message.body:
            self.quarantine.add(message.body)


# What is sent.


def one_in(times: int, rare: st.SearchStrategy[Any], *, else_: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """So often the rare thing; Hypothesis itself takes no weights."""
    return st.integers(1, times).flatmap(lambda die: rare if die == times else else_)


NUMBERS = st.integers(0, 400)  # few enough that events meet others of the same identity
GOOD = st.builds(
    event,
    st.sampled_from(ROUTING_KEYS),
    id=one_in(4, NUMBERS.map("event-{}".format), else_=st.builds(lambda: str(uuid4()))),
    organisation_id=st.sampled_from([CONNECTED, UNKNOWN]),
    account_id=NUMBERS.map("account-{}".format),
    status=st.sampled_from(["active", "closed", "pending", CANARY]),
    iban=st.just(CANARY),
)
TREES = [
    json.loads(event(id=f"odd-{number}", organisation_id=CONNECTED, account={"iban": CANARY})) for number in range(40)
]
TELLTALE = st.builds(
    lambda tree, name, value: json.dumps(tree | {name: value}).encode(),
    st.sampled_from(TREES),
    st.sampled_from(["specversion", "type", "time", "datacontenttype", "data", "id", "source", CANARY]),
    st.sampled_from([{CANARY: CANARY}, [CANARY], {"id": CANARY}, f"{CANARY}\x00", f"{CANARY}\udc00"]),
)
ENCODED = st.builds(
    lambda body, encoding: body.decode().encode(encoding),
    GOOD,
    st.sampled_from(["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037"]),
)
CUT_OFF = st.builds(lambda body, place: body[: place % len(body)], GOOD, st.integers(0, 400))
LONG = st.builds(
    lambda body, size: body[:-2] + b" " * (size - len(body)) + body[-2:], GOOD, st.integers(MOST_BYTES - 2, 70_000)
)
DEEP = st.integers(1, 3_000).map(lambda depth: b'{"data":' * depth + b"[" * depth + CANARY.encode())
SPOILT = st.one_of(
    odd_bodies(TREES),
    odd_bodies(TREES),
    spoilt_bodies([json.dumps(tree).encode() for tree in TREES]),
    CUT_OFF,
    TELLTALE,
    ENCODED,
    LONG,
    DEEP,
    st.binary(max_size=40),
)

NO_TEXTS = st.sampled_from([None, 7, True, b"\xff", b"core-1", {"a": [1]}, ["core-1"], Milliseconds(2026, 11, 20)])
TEXTS = st.sampled_from(["", "core-1", "core-0", "core-2", "\x00", "é", "0" * 64]) | st.text(max_size=5)
FORGED: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"x-death": [{"queue": QUEUE, "reason": "expired", "count": 9}], "x-first-death-reason": CANARY},
        {"x-delivery-count": 1_000, "x-first-death-queue": DEAD},
        {"sent-at": Milliseconds(2026, 11, 20), "": None, "x" * 255: "x" * 10_000},
    ]
)
# How a body is signed: by one of the keys that we know, or otherwise.
WELL = st.one_of(
    st.just(headers_of),
    st.just(lambda body: signed(body, "core-0", KEYS["core-0"])),
    FORGED.map(lambda more: lambda body: {**headers_of(body), **more}),
)
BADLY = st.one_of(
    st.just(lambda body: headers_of(body + b" ")),
    st.just(lambda body: signed(body, "core-0", KEYS["core-1"])),
    st.just(lambda body: signed(body, "core-2", KEYS["core-1"])),
    st.just(lambda body: {name: text.upper() for name, text in headers_of(body).items()}),
    st.just(lambda body: {name: text.encode() for name, text in headers_of(body).items()}),
    st.sampled_from([KEY_ID, SIGNATURE]).map(lambda kept: lambda body: {kept: headers_of(body)[kept]}),
    st.dictionaries(st.sampled_from([KEY_ID, SIGNATURE]), TEXTS | NO_TEXTS).map(lambda headers: lambda _: headers),
    st.just(lambda _: None),
)
MESSAGES = st.builds(
    lambda body, sign: Sent(body, sign(body)), one_in(2, SPOILT, else_=GOOD), one_in(4, BADLY, else_=WELL)
)


# The test.


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.timeout(SECONDS + 30)
def test_whatever_arrives_is_in_the_inbox_or_in_quarantine_and_counts_once(
    database_url: str, rabbitmq_url: str, consumer: Thread, stop: Event, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("WARNING", logger="pika")
    books = Books()
    messages = anything()
    for message in messages:
        books.note(message)

    publish(rabbitmq_url, messages)
    wait_until(
        lambda: InboxEvent.select().where(InboxEvent.event_id == LAST).exists(),
        seconds=SECONDS,
        what="the last event to be stored",
    )

    assert len(messages) >= EXAMPLES
    assert consumer.is_alive()
    stop.set()
    consumer.join(300)
    assert waiting_in(rabbitmq_url) == 0
    assert "Messages wait" not in caplog.text, "a message ended the connection"
    assert differences(books) == []
    assert len(InboxEvent.select().where(InboxEvent.organisation_id == CONNECTED)) == len(OutboxMessage.select())
    assert {e.outcome for e in InboxEvent.select() if e.organisation_id != CONNECTED} == {Followed.NOT_CONNECTED}
    assert CANARY not in caplog.text
    assert [name for name in files_of(database_url) if CANARY.encode() in name.read_bytes()] == []


def anything() -> list[Sent]:
    """What Hypothesis makes up, some of it again later, a few bodies that are huge, and a last event."""
    messages: list[Sent] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not IS_LONG,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(MESSAGES, one_in(4, st.integers(0, 100_000), else_=st.none()))
    def make_up(message: Sent, again: int | None) -> None:
        messages.append(message)
        if again is not None:
            messages.append(messages[again % len(messages)])

    make_up()
    for size in HUGE:
        body = event(name=CANARY * (size // len(CANARY)))
        messages += [Sent(body, headers_of(body)), Sent(body, None)]
    last = event(id=LAST)
    return [*messages, Sent(last, headers_of(last))]


def publish(url: str, messages: list[Sent]) -> None:
    """One after the other, by either routing key; each is in the queue for sure before the next is sent."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel: Any = connection.channel()
        channel.confirm_delivery()
        for message, key in zip(messages, cycle(ROUTING_KEYS), strict=False):
            properties = pika.BasicProperties(headers=message.headers)
            channel.basic_publish(EXCHANGE, key, message.body, properties, mandatory=True)


def waiting_in(url: str) -> int:
    """How many messages wait in both queues."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        answers = [connection.channel().queue_declare(queue, passive=True) for queue in (QUEUE, DEAD)]
        return sum(answer.method.message_count for answer in answers)


def differences(books: Books) -> list[str]:
    """Where the tables say something else than the books."""
    inbox = {(e.source, e.event_id): e.digest for e in InboxEvent.select()}
    due = {identity: hashlib.sha256(body).hexdigest() for identity, body in books.inbox.items()}
    rows = {row.digest: row.reason for row in Quarantine.select()}
    refused = {digest_of(SOURCE, body): body for body in books.quarantine}
    return [
        *(f"not in the inbox as it was sent: {books.inbox[key]!r:.300}" for key in due if inbox.get(key) != due[key]),
        *(f"in the inbox, and never sent: {key}" for key in inbox.keys() - due.keys()),
        *(f"not in quarantine: {refused[digest]!r:.300}" for digest in refused.keys() - rows.keys()),
        *(f"in quarantine, and should not be: {rows[digest]}" for digest in rows.keys() - refused.keys()),
        *(f"in quarantine for no reason: {digest}" for digest, reason in rows.items() if not reason.strip()),
        *(f"a reason that tells an IBAN: {reason}" for reason in rows.values() if CANARY in reason),
    ]


def files_of(database_url: str) -> list[Path]:
    """The file, and what SQLite keeps beside it."""
    path = Path(database_url.removeprefix("sqlite:///"))
    return list(path.parent.glob(f"{path.name}*"))


@pytest.fixture
def stop() -> Event:
    """Ends the consumer."""
    return Event()


@pytest.fixture
def consumer(database_url: str, rabbitmq_url: str, stop: Event) -> Iterator[Thread]:
    """The real one, in a thread, with one organisation connected."""
    keys = [f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in KEYS.items()]
    environment = {"QONTO_XERO_EVENT_KEYS": ",".join(keys), "QONTO_XERO_ENCRYPTION_KEYS": keys[0]}
    workbench = make_workbench(read_settings(environment))
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        declare_event_queues(connection.channel())
    thread = Thread(target=event_listener(rabbitmq_url, workbench).run, args=(stop,))
    configure(database_url)
    with connected():
        make_connection(organisation_id=make_organisation(id=CONNECTED).id)
        thread.start()
        yield thread
        stop.set()
        thread.join(300)
