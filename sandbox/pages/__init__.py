"""What the world shows to a browser: the templates beside this file."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.wire import HTML, Answer

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# No script at all, and in nobody's frame, which Xero refuses too. No form-action: browsers hold redirects to it.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page(template: str, status: int = 200, **values: object) -> Answer:
    """A page; every value is escaped. Each template needs a `provider`, whom the world only plays."""
    text = _TEMPLATES.get_template(template).render(values)
    return Answer(status, text.encode("utf-8", "replace"), HTML, dict(_HEADERS))
