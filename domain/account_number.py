"""What a bank account may be called by number in Xero, where the IBAN is refused."""

from __future__ import annotations

# The forms of Xero's own examples, by the Xero organisation's country, with a bank and a branch that do not exist.
FORMS = {"AU": "000-000-{}", "NZ": "000000{}000"}
DIGITS = 7


def local_number(iban: str, country: str) -> str:
    """Return a number in the country's form that ends like the IBAN; empty where the form is not known."""
    digits = "".join(character for character in iban if character.isdecimal() and character.isascii())
    form = FORMS.get(country)
    return form.format(digits[-DIGITS:].rjust(DIGITS, "0")) if form else ""
