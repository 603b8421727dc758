"""What of an event no schema can say: its bytes, its size, its depth, and what we tell about it."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest

from clients.qonto.account_events import MOST_BYTES, NotAnEvent, read_event

ACCOUNT = {"organization_id": "org-1", "id": "account-1", "status": "active", "updated_at": "2026-11-20T10:55:00Z"}
EVENT = {"specversion": "1.0", "id": "1", "source": "/core", "type": "account.created", "time": "2026-11-20T10:55:00Z"}
SECRET = "ES9121000418450200051332"
ODD: list[Any] = [f"{SECRET}\n", SECRET * 20, {SECRET: SECRET}, [SECRET]]


def _body(*, also: str = "", **changes: Any) -> bytes:
    """A good event with `changes`; `also` is JSON that no field of ours holds."""
    text = json.dumps(EVENT | {"data": ACCOUNT} | changes)
    return (f'{text[:-1]}, "also": {also}}}' if also else text).encode()


def test_an_event_of_64_kb_is_read_and_a_byte_more_is_not() -> None:
    body = _body()

    largest = body.ljust(MOST_BYTES)

    assert read_event(largest) == read_event(body)
    with pytest.raises(NotAnEvent, match=r"^65537 bytes; an event has at most 65536$"):
        read_event(largest + b" ")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xef\xbb\xbf" + _body(),
        _body().decode().encode("utf-16"),
        _body(also='"IBAN"').replace(b"IBAN", b"\xff"),
        _body(also='"IBAN"').replace(b"IBAN", b"\xed\xa0\x80"),
        _body(also='"\\ud800"'),
        _body(also="NaN"),
        _body() + _body(),
        _body()[:-1],
        _body(also='["' * 4),
    ],
    ids=[
        *("nothing", "a NUL", "a byte order mark", "UTF-16", "a byte that is no text", "half a pair in UTF-8"),
        *("half a pair, escaped", "NaN", "two documents", "cut off", "left open"),
    ],
)
def test_bytes_that_are_no_json_are_refused_wherever_they_stand(body: bytes) -> None:
    with pytest.raises(NotAnEvent, match=r"^not an account event: "):
        read_event(body)


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
@pytest.mark.parametrize("levels", [101, 999, 9_000])
def test_a_hundred_levels_are_read_and_one_more_is_refused_by_every_python(left: str, right: str, levels: int) -> None:
    assert read_event(_body(also=left * 99 + "1" + right * 99)).id == "1"
    with pytest.raises(NotAnEvent, match="more than 100 levels"):
        read_event(_body(also=left * (levels - 1) + "1" + right * (levels - 1)))


def test_of_a_name_that_stands_twice_the_last_counts_and_both_must_be_right() -> None:
    twice = _body().replace(b'"id": "1"', b'"id": "1", "id": "2"')

    assert read_event(twice).id == "2"
    with pytest.raises(NotAnEvent, match=r"\$\.id"):
        read_event(twice.replace(b'"id": "1"', b'"id": 1'))


def test_a_moment_is_the_same_in_any_offset_and_exact_to_the_microsecond() -> None:
    changed = ACCOUNT | {"updated_at": "2026-11-20T11:55:00.1234567+01:00"}

    event = read_event(_body(time="2026-11-20T10:55:00-00:00", data=changed))

    assert event.version == datetime(2026, 11, 20, 10, 55, 0, 123457, tzinfo=UTC)
    assert event.time == datetime(2026, 11, 20, 10, 55, tzinfo=UTC)


@pytest.mark.parametrize("name", [*EVENT, "data", "datacontenttype"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_refusal_never_quotes_the_event(name: str, odd: Any) -> None:
    assert SECRET not in _shown_when_refused(_body(**{name: odd}))


@pytest.mark.parametrize("name", ACCOUNT)
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_refusal_never_quotes_the_account(name: str, odd: Any) -> None:
    assert SECRET not in _shown_when_refused(_body(data=ACCOUNT | {name: odd}))


@pytest.mark.parametrize(
    "body",
    [
        SECRET.encode(),
        _body(also=f'"{SECRET}\n"'),
        _body(also=f'"{SECRET}'),
        _body(also=f'"?{SECRET}"').replace(b"?", b"\xff"),
        _body(type=SECRET),
    ],
    ids=["alone", "control character", "left open", "no text", "type"],
)
def test_a_refusal_never_quotes_the_bytes(body: bytes) -> None:
    assert SECRET not in _shown_when_refused(body)


@pytest.mark.parametrize("place", ["time", "data.updated_at"])
def test_a_day_that_is_none_is_refused_with_its_place(place: str) -> None:
    day = "2026-02-30T10:55:00Z"
    body = _body(time=day) if place == "time" else _body(data=ACCOUNT | {"updated_at": day})

    with pytest.raises(NotAnEvent, match=rf"- at `\$\.{place}`$"):
        read_event(body)


def _shown_when_refused(body: bytes) -> str:
    """What a log would show of it, with everything that led to it."""
    with pytest.raises(NotAnEvent) as refusal:
        read_event(body)
    return "".join(traceback.format_exception(refusal.value))
