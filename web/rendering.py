"""Templates to HTML, in one language. Everything is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.languages import Language, read_languages
from web.words import ACCOUNTS, NIGHTS

PAGES = Path(__file__).parent / "pages"


class Renderer:
    """Reads every template and catalogue once."""

    def __init__(self) -> None:
        self.languages = read_languages()
        self._environments = {language.code: _environment(language) for language in self.languages.values()}

    def render(self, template: str, language: Language, facts: Mapping[str, object]) -> str:
        """The page. Raises what a template that asks for something unknown raises."""
        environment = self._environments[language.code]
        return environment.get_template(template).render(language=language, languages=self.languages, **facts)


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        {"date": language.date, "moment": language.moment, "listed": language.listed, "said": language.text}
    )
    environment.globals.update(account_states=ACCOUNTS, night_states=NIGHTS)
    return environment
