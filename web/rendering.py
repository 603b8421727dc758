"""Templates to HTML. Everything is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.languages import Language, read_languages
from web.words import ACCOUNTS, NIGHTS

PAGES = Path(__file__).parent / "pages"


class Templates:
    """The pages of a folder. Everything is escaped, and what a page asks for must be there."""

    def __init__(self, folder: Path, filters: Mapping[str, Callable[..., object]]) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(filters)

    def render(self, template: str, facts: Mapping[str, object]) -> str:
        """The page. Raises what a template that asks for something unknown raises."""
        return self.environment.get_template(template).render(facts)


class Renderer:
    """Reads every template and catalogue once."""

    def __init__(self) -> None:
        self.languages = read_languages()
        self._templates = {language.code: _in(language) for language in self.languages.values()}

    def render(self, template: str, language: Language, facts: Mapping[str, object]) -> str:
        """The page. Raises what a template that asks for something unknown raises."""
        told = {"language": language, "languages": self.languages, **facts}
        return self._templates[language.code].render(template, told)


def _in(language: Language) -> Templates:
    filters: dict[str, Callable[..., str]] = {
        "date": language.date,
        "moment": language.moment,
        "listed": language.listed,
        "said": language.text,
    }
    templates = Templates(PAGES, filters)
    templates.environment.add_extension("jinja2.ext.i18n")
    templates.environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    templates.environment.globals.update(account_states=ACCOUNTS, night_states=NIGHTS)
    return templates
