"""Text from banks and people, made fit for Xero and for a database: every name survives, none does harm."""

from __future__ import annotations

import re
import unicodedata

CONTACT_LENGTH = 255  # Xero's limit for a contact name
REFERENCE_LENGTH = 255  # Xero documents it for invoices, and no other limit for bank transactions
DESCRIPTION_LENGTH = 1000  # well under what Xero's line items take
JOINERS = "\u200c\u200d"  # invisible, but part of how Persian words and emoji are written
GAP = r"(?:\s|\\u(?:00[aA]0|202[fF]))"  # between the groups of an IBAN; JSON may escape a space that does not break
IBAN = re.compile(  # ISO 13616: 15 to 34 characters; it may stand right after an escape such as \u00a0 or \xe9
    r"(?:(?<![A-Z0-9])|(?<=\\u[0-9a-fA-F]{4})|(?<=\\x[0-9a-f]{2}))"
    rf"[A-Z]{{2}}[0-9]{{2}}(?:{GAP}?[A-Z0-9]){{11,30}}(?![A-Z0-9])"
)
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}  # controls, direction overrides, lone surrogates, unassigned


def storable(text: str | None) -> str:
    """What a database can keep: no NUL and no lone surrogate. `None` becomes empty."""
    if not text or text.isprintable():  # neither of the two is
        return text or ""
    return "".join(c for c in text or "" if c != "\x00" and not "\ud800" <= c <= "\udfff")


def single_line(text: str, length: int) -> str:
    """One line of visible characters, single spaces, none at the ends, at most `length` characters."""
    if text.isprintable():  # no control, nothing invisible, and of all spaces only the plain one
        return " ".join(text.split())[:length].rstrip()
    spaced = "".join(" " if c.isspace() else c for c in text)
    visible = "".join(c for c in spaced if c in JOINERS or unicodedata.category(c) not in INVISIBLE)
    return " ".join(visible.split())[:length].rstrip()


def without_ibans(text: str) -> str:
    """The text with what looks like an IBAN shortened to its last four characters."""
    return IBAN.sub(lambda found: f"...{re.sub(GAP, '', found[0])[-4:]}", text)


def contact_name(*candidates: str) -> str:
    """The first candidate with anything left once Xero's rules are kept: 255 characters, no angle brackets."""
    for candidate in candidates:
        name = single_line(candidate.replace("<", " ").replace(">", " "), CONTACT_LENGTH)
        if name.strip(JOINERS):
            return name
    return "Unknown counterparty"
