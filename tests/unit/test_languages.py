"""The page speaks five languages, wholly: no text is missing in any, and each keeps what is filled in."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message

from web.gather import bring_up_to_date, gathered
from web.languages import LANGUAGES, negotiate, read_catalogue, read_languages

OTHERS = LANGUAGES[1:]
FILLED_IN = re.compile(r"%\(\w+\)s")


@pytest.fixture(scope="module")
def template() -> Catalog:
    """Every text of the page."""
    return gathered()


def _forms(told: object) -> list[str]:
    return [str(form) for form in told] if isinstance(told, (list, tuple)) else [str(told)]


def _translated(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_has_exactly_the_texts_that_there_are(code: str, template: Catalog) -> None:
    known = read_catalogue(code)

    fresh = bring_up_to_date(code, template)

    assert {str(m.id) for m in _translated(known)} == {str(m.id) for m in _translated(fresh)}


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_in_all_its_forms(code: str, template: Catalog) -> None:
    missing = [m.id for m in _translated(bring_up_to_date(code, template)) if not all(_forms(m.string)) or m.fuzzy]

    assert missing == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_fills_in_what_its_text_fills_in(code: str, template: Catalog) -> None:
    for message in _translated(bring_up_to_date(code, template)):
        wanted = sorted(FILLED_IN.findall(_forms(message.id)[-1]))
        for form in _forms(message.string):
            assert sorted(FILLED_IN.findall(form)) == wanted, message.id


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        ("", "", "en"),
        ("", "fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("", "pt, it;q=0.5", "it"),
        ("", "en;q=0.2, de;q=0.9", "de"),
        ("", "pt", "en"),
        ("", "fr;q=0, es", "es"),
        ("", "fr;q=many", "en"),
        ("", ";;q==,,\x00", "en"),
        ("es", "de", "es"),
        ("klingon", "de", "de"),
    ],
)
def test_a_person_is_spoken_to_in_the_language_that_they_chose_or_else_prefer(
    chosen: str, accepted: str, spoken: str
) -> None:
    assert negotiate(read_languages(), chosen, accepted).code == spoken


def test_each_language_calls_itself_by_its_own_name() -> None:
    names = [language.name for language in read_languages().values()]

    assert names == ["English", "Français", "Español", "Deutsch", "Italiano"]
