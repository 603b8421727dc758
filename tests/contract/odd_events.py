"""Account events with something wrong in them, or with something that only looks wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from clients.qonto.account_events import EventType

Tree = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES = [
    *("specversion", "id", "source", "type", "time", "data"),
    *("subject", "datacontenttype", "dataschema", "data_base64"),
    *("organization_id", "status", "updated_at"),
    *("name", "slug", "iban", "bic", "currency", "main", "is_external_account"),
]

# Characters that regular expressions, JSON, UTF-16 or terminals treat in a way of their own.
CHARACTERS = (
    '\x00\t\n\r\x1b\x1f \x7f\x80\x85\x9b\x9f\xa0"\\/$aÀ٣\u0300\u200b\u2028\ufeff\ufffd\uffff😀\U0010ffff\ud83d\ude00'
)
LENGTHS = [0, 1, 199, 200, 201, 400]

# What a time is made of: as it may be, and as it may not.
PARTS = [
    (["2026", "2000", "2024", "2100", "2400", "2999"], ["0000", "0001", "1970", "1999", "3000", "9999", "226", "٢٠٢٦"]),
    (["-"], ["", "/"]),
    (
        [f"{month:02}-{day:02}" for month in range(1, 13) for day in (1, 9, 10, 20, 28, 29, 30, 31)],
        ["00-01", "13-01", "01-00", "01-32", "1-1", "W47-5", "324", "1120"],
    ),
    (["T"], ["t", " ", "_", "", "TT", "\n"]),
    (["10", "00", "09", "19", "23"], ["24", "29", "30", "7", "٢٣", "-1"]),
    ([":00:00", ":09:59", ":59:59"], [":60:00", ":59:60", ":00:99", "0000", ":00", ":00:00:00", ":0:0"]),
    (["", ".0", ".123", ".999999999"], [".", ",5", ".1234567890", ".5.5", "." + "9" * 150, "." + "9" * 200, ".٣"]),
    (
        ["Z", "+00:00", "-00:00", "+01:00", "-23:59", "+19:30"],
        ["z", "", "+24:00", "+01:60", "+0100", "+01", "+1:00", "+01:00:00", " Z", "−01:00", "UTC", "Z[UTC]", "Ｚ"],
    ),
    ([""], ["\n", "\r\n", " ", "\x00", "\u2028"]),
]
TYPICAL = [usual[0] for usual, _ in PARTS]
TYPES = [f"{head}{each}{tail}" for each in EventType for head in ("", " ") for tail in ("", "\n", " ", "s")]
NEARLY = [
    *(*TYPES, "account.renamed", "Account.created", "account-created", "1.0", "1", "1.00", "1.0\n", "0.3", "2.0"),
    *("application/json", "application/JSON", "application/json; charset=utf-8", "application/json\n", "text/json"),
    *(None, True, False, 0, 1, 1.0, 1e300, 10**40, [], ["1.0"], {}, {"id": "1"}, 1795172100),
]


def edges() -> list[Any]:
    """Each way in which a value may be odd, alone."""
    times = [
        [*TYPICAL[:place], part, *TYPICAL[place + 1 :]]
        for place, (usual, odd) in enumerate(PARTS)
        for part in (*usual, *odd)
    ]
    texts = [f"{head}{odd}{tail}" for odd in CHARACTERS for head in ("", "x") for tail in ("", "x")]
    lengths = [character * length for character in "xé😀" for length in LENGTHS]
    return ["".join(parts) for parts in times] + texts + lengths + NEARLY


def _mostly(usual: list[str], odd: list[str]) -> st.SearchStrategy[str]:
    """One of `usual`, nine times of ten: a time of so many parts is good about every other time."""
    return st.integers(0, 9).flatmap(lambda die: st.sampled_from(usual if die else odd))


TIMES = st.tuples(*(_mostly(*part) for part in PARTS)).map("".join)
TEXTS = st.text(st.sampled_from(CHARACTERS), max_size=4) | st.builds(
    lambda character, length, tail: character * length + tail,
    st.sampled_from(CHARACTERS),
    st.sampled_from(LENGTHS),
    st.sampled_from(["", "x", "\n", "\ud800"]),
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=3),
    max_leaves=6,
)
VALUES = st.one_of(TIMES, TEXTS, st.sampled_from(NEARLY), JUNK)


def _drop(tree: Tree, draw: Draw) -> None:
    if tree:
        del tree[draw(st.sampled_from(sorted(tree)))]


def _replace(tree: Tree, draw: Draw) -> None:
    if tree:
        tree[draw(st.sampled_from(sorted(tree)))] = draw(VALUES)


def _retime(tree: Tree, draw: Draw) -> None:
    for name in sorted({"time", "updated_at"} & tree.keys()):
        tree[name] = draw(TIMES)


def _rename(tree: Tree, draw: Draw) -> None:
    if tree:
        name = draw(st.sampled_from(sorted(tree)))
        odd = st.sampled_from([name.upper(), f"{name} ", f"{name}\x00", name[:-1], name.replace("i", "ı")])
        tree[draw(odd | st.sampled_from(NAMES))] = tree.pop(name)


def _extend(tree: Tree, draw: Draw) -> None:
    tree[draw(st.sampled_from(NAMES) | TEXTS)] = draw(VALUES)


def _swap(tree: Tree, draw: Draw) -> None:
    if len(tree) > 1:
        one, other = draw(st.permutations(sorted(tree)))[:2]
        tree[one], tree[other] = tree[other], tree[one]


CHANGES = [_drop, _replace, _replace, _retime, _retime, _rename, _extend, _extend, _swap]


@st.composite
def odd_bodies(draw: Draw, good: list[Tree]) -> bytes:
    """Bodies made of one of `good` by up to three changes, anywhere in it; some are as good as before."""
    event = copy.deepcopy(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 3))):
        change = draw(st.sampled_from(CHANGES))
        account = event.get("data")
        change(account if isinstance(account, dict) and draw(st.booleans()) else event, draw)
    document = draw(st.sampled_from([event] * 20 + [[event], [], None, "event", event.get("data")]))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return text.encode(errors="surrogatepass")


@st.composite
def spoilt_bodies(draw: Draw, good: list[bytes]) -> bytes:
    """One of `good` with a byte or two more, fewer, or others."""
    body = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(body)))
        instead = draw(st.binary(max_size=2) | st.sampled_from([b'"', b"\\", b"0"]))
        body[start : start + draw(st.integers(0, 2))] = instead
    return bytes(body)
