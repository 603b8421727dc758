"""Names of organisations and counterparties, decent and hostile."""

import random

_COMPANIES = (
    "Boulangerie Martin", "Nube Hosting", "Atelier Dubois", "Farolillo", "Kaffeehaus Linz", "Studio Verdi",
    "Garage Lefèvre", "Imprimerie du Port", "Bäckerei Schäfer", "Café Crème", "Librería Sol", "Transports Noël",
    "O'Brien & Sons", "Société Générale d'Édition", "SNCF", "EDF", "URSSAF", "Amazon Web Services", "Total Énergies",
)  # fmt: skip
_FORMS = ("SAS", "SARL", "SL", "GmbH", "SRL", "")
HOSTILE = (
    "<script>alert(1)</script>",
    "Evil\r\nX-Injected: yes",
    "\x1b[31mRed\x1b[0m Alert",
    "Crêperie 🥞 & Fils 👨‍👩‍👧",
    "\u202eesrever \u2066txet\u2069",
    "مقهى النيل",
    "שלום בע״מ",
    "Very long name " * 25,
    'He said "hello"',
    '"||1==1||"',
    "  leading spaces",
    "trailing spaces  ",
    "double  spaces  inside",
    "tab\tand\nline",
    "Robert'); DROP TABLE postings;--",
    "back\\slash",
    "null\u0000byte",
    "https://xero.com/phish",
    "&amp; &lt;b&gt;",
    "e\u0301 combining",
    "",
)
_HOSTILE_TAILS = ("<b>", "🥐", '"', "  ", "\u202e")


def organisation_name(source: random.Random, hostile: bool) -> str:
    """A company's name; one in ten of a hostile world carries trouble."""
    name = f"{source.choice(_COMPANIES)} {source.choice(_FORMS)} {source.randint(1, 9999)}".replace("  ", " ")
    if hostile and source.random() < 0.1:
        return f"{name} {source.choice(_HOSTILE_TAILS)}"
    return name


def counterparty(source: random.Random, hostile: bool) -> str | None:
    """Who is at the other end; one in eight of a hostile world is trouble or nobody."""
    if hostile and source.random() < 0.125:
        return source.choice((*HOSTILE, None))
    return f"{source.choice(_COMPANIES)} {source.choice(_FORMS)}".strip()
