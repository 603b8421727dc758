"""Whoever has only docs/events knows what we take from Qonto's core, and what we refuse."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from hypothesis import given, settings

from clients.qonto.account_events import AccountEvent, EventType, NotAnEvent, read_event
from domain.core_event import SOURCE, Told
from domain.event_signature import signature
from messaging import event_queues
from messaging.destinations import CLOUDEVENTS, QONTO_CORE
from sandbox.core.event import CREATED, event_body
from sandbox.qonto.account import BankAccount, Face
from tests.contract.events import ASYNCAPI, CONTRACT, EXAMPLES, FROM_CORE, TO_CORE, event_validator, main, mistakes
from tests.contract.odd_events import NAMES, edges, odd_bodies, spoilt_bodies

pytestmark = pytest.mark.contract

RECEIVED, SENT = CONTRACT / EXAMPLES[FROM_CORE], CONTRACT / EXAMPLES[TO_CORE]
GOOD = sorted(RECEIVED.glob("*.json"))
REFUSED = sorted((RECEIVED / "refused").glob("*.json"))
SPOILT = sorted((SENT / "refused").glob("*.json"))
BODIES = [path.read_bytes() for path in GOOD]
VALIDATOR = event_validator(json.loads((CONTRACT / FROM_CORE).read_text()))
TOLD = event_validator(json.loads((CONTRACT / TO_CORE).read_text()))
README_KEY = bytes(range(32))

many = settings(max_examples=400, derandomize=True, deadline=None, database=None)
Break = Callable[[str, str, str], list[str]]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_example_is_read(path: Path) -> None:
    document = json.loads(path.read_text())

    event = read_event(path.read_bytes())

    assert event == _as_documented(document)


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_refused_example_is_refused_for_one_reason(path: Path) -> None:
    reasons = list(VALIDATOR.iter_errors(json.loads(path.read_text())))

    assert len(reasons) == 1
    with pytest.raises(NotAnEvent):
        read_event(path.read_bytes())


@pytest.mark.parametrize("path", SPOILT, ids=lambda path: path.stem)
def test_what_we_would_never_tell_breaks_the_schema_in_one_place(path: Path) -> None:
    assert len(list(TOLD.iter_errors(json.loads(path.read_text())))) == 1


@pytest.mark.parametrize("place", ["", "data"])
@pytest.mark.parametrize("name", NAMES)
def test_the_schema_and_the_decoder_agree_on_each_odd_value(place: str, name: str) -> None:
    event = json.loads(BODIES[0])
    tree = event[place] if place else event

    for tree[name] in edges():
        body = json.dumps(event).encode()
        assert _read(body) == _by_the_contract(body), tree[name]


@pytest.mark.parametrize("place", ["", "data"])
@pytest.mark.parametrize("name", NAMES)
def test_the_schema_and_the_decoder_agree_on_what_may_be_missing(place: str, name: str) -> None:
    event = json.loads(BODIES[0])
    (event[place] if place else event).pop(name, None)

    body = json.dumps(event).encode()

    assert _read(body) == _by_the_contract(body)


@many
@given(odd_bodies([json.loads(body) for body in BODIES]))
def test_the_schema_and_the_decoder_agree_on_odd_events(body: bytes) -> None:
    assert _read(body) == _by_the_contract(body)


@many
@given(spoilt_bodies(BODIES))
def test_the_contract_and_the_decoder_agree_on_spoilt_bytes(body: bytes) -> None:
    assert _read(body) == _by_the_contract(body)


def test_the_schema_and_the_decoder_keep_one_calendar() -> None:
    days = [f"{year}-{month:02}-{day:02}" for year in (2026, 2028) for month in range(14) for day in range(33)]
    days += [f"{year}-02-29" for year in (*range(1996, 2105), *range(1900, 3100, 100))]

    for day in days:
        body = BODIES[0].replace(b"2026-11-20", day.encode())
        assert _read(body) == _by_the_contract(body), day


def test_what_the_sandbox_plays_is_by_the_contract() -> None:
    account = BankAccount(
        id="account-1",
        slug="farolillo-sl-1-bank-account-1",
        organisation_id="organisation-1",
        iban="ES9121000418450200051332",
        currency="EUR",
        main=True,
        is_external=False,
        opening_cents=0,
        balance_cents=0,
        faces=[Face("Impuestos", "active", 1_795_172_100_123)],
    )

    body = event_body(account, CREATED, "event-1", 1_795_172_100_123, {})

    assert VALIDATOR.is_valid(json.loads(body))


def test_asyncapi_names_what_the_code_declares(asyncapi: Any) -> None:
    ours = {event_queues.EXCHANGE: set(event_queues.ROUTING_KEYS), QONTO_CORE.exchange: {str(told) for told in Told}}
    by_exchange: dict[str, set[str]] = {}
    for channel in asyncapi["channels"].values():
        exchange, address = _resolved(asyncapi, channel["bindings"])["amqp"].get("exchange"), channel["address"]
        if exchange:
            assert exchange == {"name": exchange["name"], "type": "topic", "durable": True, "autoDelete": False}
            by_exchange.setdefault(exchange["name"], set()).add(address)
        else:
            assert address == event_queues.QUEUE
    headers = asyncapi["components"]["schemas"]["signed"]["required"]

    assert by_exchange == ours
    assert set(event_queues.ROUTING_KEYS) == set(EventType)
    assert event_queues.DEAD in asyncapi["channels"]["accountEvents"]["description"]
    assert headers == [event_queues.KEY_ID, event_queues.SIGNATURE]
    assert {message["contentType"] for message in asyncapi["components"]["messages"].values()} == {CLOUDEVENTS}


def test_we_send_what_we_tell_and_receive_the_rest(asyncapi: Any) -> None:
    operations = asyncapi["operations"].values()
    sent = [_resolved(asyncapi, each["channel"])["address"] for each in operations if each["action"] == "send"]

    assert sorted(sent) == sorted(Told)


def test_the_schema_of_what_we_tell_knows_each_type_that_the_code_knows() -> None:
    schema = json.loads((CONTRACT / TO_CORE).read_text())

    assert schema["properties"]["type"]["enum"] == list(Told)
    assert [each["if"]["properties"]["type"]["const"] for each in schema["allOf"]] == list(Told)
    assert schema["properties"]["source"]["const"] == SOURCE


@pytest.mark.parametrize(("message", "name"), [("accountCreated", "created"), ("accountDeactivated", "deactivated")])
def test_a_signed_example_in_asyncapi_is_the_file_that_it_names(asyncapi: Any, message: str, name: str) -> None:
    (example,) = asyncapi["components"]["messages"][message]["examples"]
    body = (RECEIVED / f"account-{name}.json").read_bytes()

    assert example["payload"] == json.loads(body)
    assert example["headers"][event_queues.SIGNATURE] == signature(body, README_KEY)


def test_each_example_of_what_we_tell_is_the_file_that_it_names_and_each_type_has_one(asyncapi: Any) -> None:
    messages = [each for each in asyncapi["components"]["messages"].values() if each["name"] in set(Told)]

    assert len(messages) == len(Told)
    for message in messages:
        for example in message["examples"]:
            assert example["payload"] == json.loads((SENT / f"{example['name']}.json").read_text())
            assert example["payload"]["type"] == message["name"]


def test_the_code_in_the_readme_signs_as_we_do() -> None:
    readme = (CONTRACT / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    known: dict[str, Any] = {}
    exec(code, known)
    body = (RECEIVED / "account-created.json").read_bytes()

    headers = known["signed_headers"](body, "example", README_KEY)

    assert headers == {event_queues.KEY_ID: "example", event_queues.SIGNATURE: signature(body, README_KEY)}
    assert f"`bytes(range(32))`, has the signature\n\n```\n{signature(body, README_KEY)}\n```" in readme


def test_the_contract_is_true_to_itself() -> None:
    assert mistakes() == []


@pytest.mark.parametrize(
    ("file", "text", "instead", "told"),
    [
        (FROM_CORE, '"const": "1.0"', '"const" "1.0"', f"{FROM_CORE}: Expecting ':' delimiter"),
        (FROM_CORE, '"type": "object"', '"type": "thing"', f"{FROM_CORE}: $.type: 'thing' is not valid"),
        (FROM_CORE, "draft/2020-12/schema", "draft/2019-09/schema", f"{FROM_CORE}: $: $schema does not name"),
        (FROM_CORE, '"#/$defs/account"', '"#/$defs/acount"', f"{FROM_CORE}: /properties/data: $ref leads nowhere"),
        (
            FROM_CORE,
            '["EUR"]',
            '"EUR"',
            f"{FROM_CORE}: $['$defs'].account.properties.currency.examples: 'EUR' is not of",
        ),
        (
            FROM_CORE,
            '"2026-11-20T11:55:00+01:00"',
            '"noon"',
            f"{FROM_CORE}: /$defs/moment/examples/1: $: 'noon' does not",
        ),
        (
            FROM_CORE,
            '"maxLength": 200',
            '"maxLength": 201',
            "examples/from-core/refused/id-of-201-characters.json: $: is accepted",
        ),
        (FROM_CORE, '"maxLength": 200', '"maxLength": 30', "examples/from-core/account-created.json: $.id: '"),
        (ASYNCAPI, "asyncapi: 3.0.0", "asyncapi: [", f"{ASYNCAPI}: while parsing"),
        (ASYNCAPI, "protocol: amqp", "protocl: amqp", f"{ASYNCAPI}: $.servers.broker: "),
        (ASYNCAPI, "./account-event", "./acount-event", f"{ASYNCAPI}: /components/messages/accountCreated/payload/"),
        (ASYNCAPI, "source: /qonto", "source: ''  #", f"{ASYNCAPI}: /components/messages/accountCreated/examples/0/p"),
        (ASYNCAPI, "x-qonto-signature: 6", "x-qonto-signature: G", f"{ASYNCAPI}: /components/messages/accountCreated/"),
        (
            "examples/from-core/minimal.json",
            "account.created",
            "account.made",
            "examples/from-core/minimal.json: $.type: 'account.made'",
        ),
        (TO_CORE, '"#/$defs/created"', '"#/$defs/creatd"', f"{TO_CORE}: /allOf/0/then/properties/data: $ref leads no"),
        (
            TO_CORE,
            '"minItems": 1',
            '"minItems": 0',
            "examples/to-core/refused/problem-without-problems.json: $: is acc",
        ),
        (TO_CORE, '["2026-11-20"]', '["Friday"]', f"{TO_CORE}: /$defs/local_date/examples/0: $: 'Friday' does not"),
        (ASYNCAPI, "posted: 54", "posted: many", f"{ASYNCAPI}: /components/messages/syncCompleted/examples/0/payload"),
        ("examples/to-core/sync-problem.json", '"done"', '"over"', "examples/to-core/sync-problem.json: $.data.state"),
    ],
)
def test_a_mistake_in_the_contract_is_found_and_its_place_is_told(
    broken: Break, file: str, text: str, instead: str, told: str
) -> None:
    first, *_ = broken(file, text, instead)

    assert first.startswith(told)


@pytest.mark.parametrize("folder", EXAMPLES.values())
def test_a_folder_without_refused_examples_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    copy = shutil.copytree(CONTRACT, tmp_path / "events")
    shutil.rmtree(copy / folder / "refused")

    code = main([str(copy)])

    assert (code, capsys.readouterr().out) == (1, f"{folder}/refused: holds no example\n")


def test_examples_that_no_schema_is_held_against_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copytree(CONTRACT, tmp_path / "events")
    shutil.copytree(copy / EXAMPLES[TO_CORE], copy / "examples" / "elsewhere")

    code = main([str(copy)])

    found = [f"examples/elsewhere{part}: belongs to no schema" for part in ("", "/refused")]
    assert (code, capsys.readouterr().out.splitlines()) == (1, found)


@pytest.fixture
def broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Break:
    """What the check prints when one text in one file of a copy is another; it must fail."""

    def run(file: str, text: str, instead: str) -> list[str]:
        copy = shutil.copytree(CONTRACT, tmp_path / "events")
        original = (copy / file).read_text()
        (copy / file).write_text(original.replace(text, instead, 1))
        assert (copy / file).read_text() != original
        assert main([str(copy)]) == 1
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def asyncapi() -> Any:
    return yaml.safe_load((CONTRACT / ASYNCAPI).read_text())


def _resolved(document: Any, node: Any) -> Any:
    """What a node says, or the node of the same document that it refers to."""
    for step in node["$ref"].removeprefix("#/").split("/") if "$ref" in node else ():
        document = document[step]
    return document if "$ref" in node else node


def _read(body: bytes) -> AccountEvent | None:
    try:
        return read_event(body)
    except NotAnEvent:
        return None


def _by_the_contract(body: bytes) -> AccountEvent | None:
    """What somebody reads who has the schema and a parser as RFC 7493 wants it."""
    try:
        document = json.loads(body.decode(), parse_constant=_refuse)
        json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except ValueError:
        return None
    return _as_documented(document) if VALIDATOR.is_valid(document) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _as_documented(document: Any) -> AccountEvent:
    account = document["data"]
    return AccountEvent(
        source=document["source"],
        id=document["id"],
        type=EventType(document["type"]),
        time=_moment(document["time"]),
        organisation_id=account["organization_id"],
        bank_account_id=account["id"],
        version=_moment(account["updated_at"]),
    )


def _moment(text: str) -> datetime:
    """Rounded to a microsecond."""
    whole, fraction, offset = re.findall(r"^(.{19})(\.\d+)?(.+)$", text)[0]
    return datetime.fromisoformat(whole + offset) + timedelta(seconds=float(fraction or 0))
