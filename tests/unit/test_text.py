"""Every name survives, none does harm."""

from __future__ import annotations

import sqlite3
import unicodedata
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import CONTACT_LENGTH, contact_name, single_line, storable, without_ibans

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates, NUL and all


@given(ANY_TEXT)
def test_storable_text_can_be_kept_by_a_database(text: str) -> None:
    kept = storable(text)

    assert "\x00" not in kept
    with closing(sqlite3.connect(":memory:")) as database:
        assert database.execute("SELECT ?", [kept]).fetchone() == (kept,)


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("FR7630006000011234567890189", "...0189"),
        ("FR76 3000 6000 0112 3456 7890 189", "...0189"),
        ("NO9386011117947", "...7947"),
        ("MT84MALT011000012345MTLCAST001S", "...001S"),
        ("to fr, iban DE89370400440532013000.", "to fr, iban ...3000."),
        ("from DE89 3704 0044 0532 0130 00 to NO9386011117947, monthly", "from ...3000 to ...7947, monthly"),
        ('{"iban":"DE89370400440532013000"}', '{"iban":"...3000"}'),
    ],
)
def test_an_iban_is_shortened_to_its_end_wherever_it_stands(text: str, shown: str) -> None:
    assert without_ibans(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "IBAN",
        "DE89",
        "REF 2026-11-20 / 0193dd00-5c1e-7b52-9d0e-3f1f7d7b9a01",
        "NUBE HOSTING INC 8885550100",
        "CARD 4242 4242 4242 4242",
        "0123456789012345678901234567890123456789",
        "AB12-CDEF-GHIJ-KLMN-OPQR",
        "d48506be49c1e5b17df3fb9d1621c6e6",
    ],
)
def test_what_is_no_iban_stays(text: str) -> None:
    assert without_ibans(text) == text


@pytest.mark.parametrize(
    "text",
    [
        r"IBAN:\n{}\nMERCI",  # the escapes of JSON, which quarantine shows as they came
        r"IBAN\u00a0:\u00A0{}",
        r"\xe9{}\xe9",  # and ours, of bytes that are no text
        "IBAN:\u00a0{}",
        "sent to {}and back",
        "IBAN_{}_EUR",
        "{} MERCI BEAUCOUP",
    ],
)
@pytest.mark.parametrize(
    "iban",
    [
        "FR7630006000011234567890189",
        "FR76 3000 6000 0112 3456 7890 189",
        "FR76\u00a03000\u00a06000\u00a00112\u00a03456\u00a07890\u00a0189",
        r"FR76\u202F3000\u202F6000\u202F0112\u202F3456\u202F7890\u202F189",
        "FR76 30006 00001 12345678901 89",
    ],
)
def test_no_iban_is_shown_whatever_stands_beside_it(text: str, iban: str) -> None:
    shown = without_ibans(text.format(iban))

    assert "FR76" not in shown
    assert "0112" not in shown
