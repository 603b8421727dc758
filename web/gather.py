"""`python -m web.gather`: every text of the page into every catalogue; what is new waits to be translated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from domain.reasons import SENTENCES
from services.view_accounts import SOON
from web.languages import CATALOGUES, LANGUAGES, SOURCE, read_catalogue

HOME = Path(__file__).parent
METHODS = [("**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "word": None}
LINE = 110


def texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Where each text stands, and the text; two of them where one is for a single thing."""
    found = extract_from_dir(str(HOME), METHODS, keywords=KEYWORDS)
    for place, _, message, _, _ in sorted(found, key=lambda one: (one[0], one[1])):
        yield f"web/{place}", message
    for sentence in (*SENTENCES.values(), SOON):
        yield "domain/reasons.py", sentence


def gathered() -> Catalog:
    """A catalogue of every text, not translated."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    for place, message in texts():
        catalogue.add(message, locations=[(place, 0)])
    return catalogue


def bring_up_to_date(code: str, template: Catalog) -> Catalog:
    """A language's catalogue with exactly the texts there are, and the translations it has of them."""
    known = read_catalogue(code)
    known.update(template, no_fuzzy_matching=True)
    known.obsolete.clear()
    return known


def main() -> int:
    """Write them all; 1 if something is not translated."""
    template, missing = gathered(), 0
    for code in LANGUAGES:
        if code != SOURCE:
            catalogue = bring_up_to_date(code, template)
            with (CATALOGUES / f"{code}.po").open("wb") as file:
                write_po(file, catalogue, width=LINE, omit_header=True, include_lineno=False, sort_output=True)
            untranslated = [message.id for message in catalogue if message.id and not message.string]
            missing += len(untranslated)
            sys.stdout.writelines(f"{code}: not translated: {text}\n" for text in untranslated)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
