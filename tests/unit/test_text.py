"""Every name survives, none does harm."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import CONTACT_LENGTH, contact_name, single_line, storable

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates, NUL and all


@given(ANY_TEXT)
def test_storable_text_can_be_kept_by_a_database(text: str) -> None:
    kept = storable(text)

    assert "\x00" not in kept
    assert sqlite3.connect(":memory:").execute("SELECT ?", [kept]).fetchone() == (kept,)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_storable_text_keeps_everything_that_a_database_can_keep(text: str) -> None:
    assert storable(text) == text


def test_no_text_is_stored_as_empty_text() -> None:
    assert storable(None) == ""


@given(ANY_TEXT, st.integers(1, 40))
def test_a_single_line_is_visible_single_spaced_and_no_longer_than_allowed(text: str, length: int) -> None:
    line = single_line(text, length)

    assert len(line) <= length
    assert line == " ".join(line.split())
    assert not {unicodedata.category(c) for c in line if c not in "\u200c\u200d"} & {"Cc", "Cf", "Cs", "Co", "Cn"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Nube \t Hosting\r\n INC ", "Nube Hosting INC"),
        ("Café Zoë 東京 ООО", "Café Zoë 東京 ООО"),
        ("بسته\u200cبندی", "بسته\u200cبندی"),
        ("👩\u200d🌾 Farm", "👩\u200d🌾 Farm"),
        ("pay\u202egpj.exe", "paygpj.exe"),
        ("a\x1b[31mb\x00c\ud800", "a[31mbc"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("no-break\u00a0space\u2028line\x85next", "no-break space line next"),
    ],
)
def test_a_single_line_keeps_what_people_wrote_and_drops_what_they_cannot_see(text: str, line: str) -> None:
    assert single_line(text, 100) == line


def test_a_line_that_is_cut_at_a_space_does_not_end_in_one() -> None:
    assert single_line("abc def", 4) == "abc"


@given(ANY_TEXT, ANY_TEXT)
def test_every_contact_name_keeps_xeros_rules(counterparty: str, label: str) -> None:
    name = contact_name(counterparty, label)

    assert 1 <= len(name) <= CONTACT_LENGTH
    assert not set(name) & {"<", ">"}
    assert name == " ".join(name.split())


@pytest.mark.parametrize(
    ("candidates", "name"),
    [
        (("Nube Hosting", "NUBE INC"), "Nube Hosting"),
        (("<>", "NUBE INC"), "NUBE INC"),
        (("\u200d", "NUBE INC"), "NUBE INC"),
        ((" \t", "\u200b"), "Unknown counterparty"),
        (("Bar<script>Foo", ""), "Bar script Foo"),
        (("x" * 300,), "x" * 255),
    ],
)
def test_a_contact_is_named_by_the_first_candidate_with_anything_left(candidates: tuple[str, ...], name: str) -> None:
    assert contact_name(*candidates) == name
