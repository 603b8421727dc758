"""A free name in Xero for a Qonto account, in which the customer still recognises it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count, islice

from domain.text import single_line

NAME_LENGTH = 150  # Xero's limit for an account name
TRIES = 100  # more accounts of one name and one IBAN ending than any organisation has


def free_name(name: str, iban_last4: str, taken: Collection[str]) -> str:
    """Qonto's name; if Xero has it, with the IBAN's last four digits; if that is taken too, with a number.

    `taken` are the names of every account in Xero, archived ones too; case does not tell names apart.
    Raises LookupError when a hundred names are taken.
    """
    in_use = {other.casefold() for other in taken}
    for candidate in islice(_candidates(name, iban_last4), TRIES):
        if candidate.casefold() not in in_use:
            return candidate
    raise LookupError(f"no free name in Xero for an account ending in {iban_last4}")


def _candidates(name: str, iban_last4: str) -> Iterator[str]:
    plain = single_line(name.replace("<", " ").replace(">", " "), NAME_LENGTH) or "Qonto account"
    yield plain
    ending = f" ({iban_last4})" if iban_last4 else ""
    if ending:
        yield _with_ending(plain, ending)
    for number in count(2):
        yield _with_ending(plain, f"{ending} {number}")


def _with_ending(name: str, ending: str) -> str:
    return name[: NAME_LENGTH - len(ending)].rstrip() + ending
