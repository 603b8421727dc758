"""The languages of the page: texts from gettext catalogues, dates and lists as each language writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent / "catalogues"
SOURCE = "en"  # what the texts in templates are written in
LANGUAGES = (SOURCE, "fr", "es", "de", "it")
WRITTEN_AS = {"en": "en_GB"}  # dates as in Europe: 20 November 2026


@dataclass(frozen=True)
class Language:
    """`code` as in `LANGUAGES`; `name` is what it calls itself."""

    code: str
    name: str
    translations: NullTranslations

    def date(self, day: date) -> str:
        """As `20 November 2026`."""
        return str(format_date(day, "long", locale=WRITTEN_AS.get(self.code, self.code)))

    def moment(self, moment: datetime) -> str:
        """As `20 November 2026, 23:00`, in the moment's own time zone."""
        return f"{self.date(moment)}, {moment:%H:%M}"

    def listed(self, words: Iterable[str]) -> str:
        """As `A, B and C`."""
        return str(format_list([*words], locale=self.code))

    def text(self, message: str) -> str:
        """A text that is written in code, as a reason's sentence is."""
        return self.translations.gettext(message)


def read_languages() -> dict[str, Language]:
    """Each by its code, the source first."""
    return {code: Language(code, _own_name(code), _translations(code)) for code in LANGUAGES}


def negotiate(languages: Mapping[str, Language], chosen: str, accepted: str) -> Language:
    """The one that was chosen, or else the first that the browser accepts (`Accept-Language`), or English."""
    if chosen in languages:
        return languages[chosen]
    found = negotiate_locale(_by_weight(accepted), LANGUAGES, sep="-")
    return languages[found or SOURCE]


def _by_weight(accepted: str) -> list[str]:
    """RFC 9110: `fr-CH, fr;q=0.9, en;q=0.8`; what is malformed counts least."""
    weighted = []
    for part in accepted.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((float(weight or 1), tag))
        except ValueError:
            weighted.append((0.0, tag))
    return [tag for weight, tag in sorted(weighted, key=lambda one: -one[0]) if weight > 0 and tag]


def _own_name(code: str) -> str:
    return str(Locale.parse(code).get_language_name() or code).capitalize()


def read_catalogue(code: str) -> Catalog:
    """A language's texts and their translations, as the file has them."""
    with (CATALOGUES / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def _translations(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(code))
    compiled.seek(0)
    return GNUTranslations(compiled)
