"""JSON in and out: exact decimals both ways, and no float between."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.decoding import decode, decode_leniently, encode
from clients.errors import Temporary, Unreadable

AMOUNTS = st.integers(-(10**17), 10**17).map(lambda cents: Decimal(cents).scaleb(-2))


class Shape(msgspec.Struct):
    amount: Decimal
    name: str = ""


@given(AMOUNTS)
def test_an_amount_keeps_every_digit_on_the_way_out_and_in(amount: Decimal) -> None:
    body = encode({"amount": amount})

    assert body == f'{{"amount":{amount}}}'.encode()
    assert decode(body, Shape, "call").amount.as_tuple() == amount.as_tuple()


@pytest.mark.parametrize("digits", ["0.1", "0.30", "12345678901234567.89", "1.000000", "-0.05", "47"])
def test_no_float_ever_touches_an_amount(digits: str) -> None:
    assert str(decode(f'{{"amount": {digits}}}'.encode(), Shape, "call").amount) == digits


def test_a_field_that_nobody_told_us_of_is_ignored() -> None:
    assert decode(b'{"amount": 1, "new": {"a": []}}', Shape, "call") == Shape(Decimal(1))


@pytest.mark.parametrize("body", [b'{"amount": "secret"}', b'{"name": "secret"}', b"[]", b"null", b'"text"'])
def test_complete_json_of_another_shape_would_be_the_same_the_next_time(body: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(body, Shape, "call")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"amount": "x", ', b'{"amount": 1', b"\xff\xfe"])
def test_an_answer_that_breaks_off_or_is_no_json_may_be_whole_the_next_time(body: bytes) -> None:
    with pytest.raises(Temporary) as refusal:
        decode(body, Shape, "call")

    assert type(refusal.value) is Temporary


@pytest.mark.parametrize(
    "body", [b"", b"<html>secret</html>", b'{"amount": "secret"}', b'{"name": "secret"}', b"\xff\xfe", b'{"amount": 1']
)
def test_an_answer_that_cannot_be_read_is_temporary_and_is_not_shown(body: bytes) -> None:
    with pytest.raises(Temporary) as refusal:
        decode(body, Shape, "Xero GET /Accounts")

    assert refusal.value.call == "Xero GET /Accounts"
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'{"a": 1}', {"a": 1}), (b"[]", []), (b'"x"', "x"), (b"", None), (b"<html>", None), (b"\xff", None)],
)
def test_an_error_body_is_read_as_far_as_it_can_be(body: bytes, value: Any) -> None:
    assert decode_leniently(body) == value
