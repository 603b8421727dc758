"""JSON in and out: exact decimals both ways, and no float between."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.decoding import (
    Cents,
    Id,
    Text,
    UnreadableRow,
    decode,
    decode_leniently,
    decode_rows,
    encode,
    levels,
    walkable,
)
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


class Row(msgspec.Struct):
    id: Id
    count: Cents = 0
    label: Text = ""


HALF = rb'"\ud83d"'
WELL = b"[" * 5_000 + b"]" * 5_000


@pytest.mark.parametrize(
    ("label", "kept"),
    [
        (rb'"Cafe \ud83d"', "Cafe "),
        (rb'"\uDE00\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d\\"', "\\\\"),
        (rb'"a\u0000b"', "ab"),
        (b'"' + b"x" * 10**6 + b'"', "x" * 1_000),
        (b"7", ""),
        (b"null", ""),
        (b'"\xff"', ""),
        (WELL, ""),
    ],
    ids=["half", "half and whole", "no escape", "an escape and half", "NUL", "long", "number", "null", "bytes", "well"],
)
def test_what_cannot_be_read_of_a_text_is_left_out(label: bytes, kept: str) -> None:
    body = b'{"rows": [{"id": "a", "label": %b, "count": 3, "also": [%b]}]}' % (label, label)

    assert decode_rows(body, Row, UnreadableRow, "call", "rows") == [Row("a", 3, kept)]


@pytest.mark.parametrize("odd", [b"null", b"7", b'{"id": 7}', b'{"id": %b}' % HALF, b'{"id": "a", "count": 1e3}', WELL])
@pytest.mark.parametrize("other", [HALF, WELL, b"7"], ids=["half", "well", "number"])
def test_a_row_that_cannot_be_read_keeps_its_exact_bytes(odd: bytes, other: bytes) -> None:
    last = b'{"id": "b", "label": %b}' % other

    rows = decode_rows(b' [ {"id": "a"} , %b,%b]' % (odd, last), Row, UnreadableRow, "call")

    assert [row.id for row in rows] == ["a", "b"]
    assert [row.payload for row in rows.unreadable] == [odd]


@pytest.mark.parametrize("body", [b'{"rows": null}', b"{}", b'{"rows": {}}', b"[]", b"7"])
def test_a_list_that_is_none_is_not_taken_for_an_empty_one(body: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_rows(body, Row, UnreadableRow, "call", "rows")


@pytest.mark.parametrize("body", [b'{"rows": [{"id": "a"}', b"", b"[" * 10**6, b'{"rows": [' + b"[" * 10**6])
def test_a_list_that_breaks_off_may_be_whole_the_next_time(body: bytes) -> None:
    with pytest.raises(Temporary) as refusal:
        decode_rows(body, Row, UnreadableRow, "call", "rows")

    assert type(refusal.value) is Temporary


TREES = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\ud8\u00e9\U0001f600'),
    lambda trees: st.lists(trees) | st.dictionaries(st.text(alphabet='[]{}"\\'), trees),
)


def depth(tree: Any) -> int:
    if isinstance(tree, dict):
        return 1 + max(map(depth, tree.values()), default=0)
    return 1 + max(map(depth, tree), default=0) if isinstance(tree, list) else 0


@given(TREES, st.booleans())
def test_levels_are_counted_as_a_decoder_would_walk_them(tree: Any, ascii_only: bool) -> None:
    assert levels(json.dumps(tree, ensure_ascii=ascii_only).encode()) == depth(tree)


@given(TREES, st.integers(0, 8))
def test_what_stands_too_deep_is_read_as_nothing_and_all_else_as_it_is(tree: Any, most: int) -> None:
    body = json.dumps(tree).encode()

    def flat(tree: Any, level: int = 0) -> Any:
        if isinstance(tree, dict | list) and level == most:
            return 0
        if isinstance(tree, dict):
            return {key: flat(value, level + 1) for key, value in tree.items()}
        return [flat(value, level + 1) for value in tree] if isinstance(tree, list) else tree

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clients.decoding.MOST_LEVELS", most)
        assert json.loads(walkable(body)) == flat(tree)
        assert len(walkable(body)) == len(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'{"a": 1}', {"a": 1}), (b"[]", []), (b'"x"', "x"), (b"", None), (b"<html>", None), (b"\xff", None)],
)
def test_an_error_body_is_read_as_far_as_it_can_be(body: bytes, value: Any) -> None:
    assert decode_leniently(body) == value
