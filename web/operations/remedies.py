"""What those who run it can do about a reason: a command, or the runbook that goes on from there."""

from __future__ import annotations

from domain.reasons import Broken, Held, Noted, Rejected, Uncertain, Unfinished, Waits

NOTHING = "nothing: it goes on by itself"
SOONER = "sooner with `qonto-xero replay failed`"
CUSTOMER = "the customer mends it in Xero; see one with `qonto-xero explain`"
REMEDIES: dict[str, str] = {
    Waits.LIMIT: f"{NOTHING}; if many, runbook 02",
    Waits.OUTAGE: f"{NOTHING}; if many, runbook 02",
    Waits.CERTAINTY: NOTHING,
    Waits.IN_LINE: NOTHING,
    Waits.NOT_SHOWN: NOTHING,
    Waits.UNUSABLE: NOTHING,
    Waits.REFUSED: f"{NOTHING}; if many, runbook 07",
    Broken.NOT_LIVE: "the customer connects again; if many, runbook 07",
    Broken.XERO: "the customer connects again; if many, runbook 07",
    Broken.QONTO: "the customer connects again; if many, runbook 07",
    Unfinished.NOT_IN_TIME: f"nothing: the next night goes on from there; {SOONER}",
    Unfinished.INTERRUPTED: f"find what ends the workers, runbook 01; {SOONER}",
    Unfinished.QONTO_UNUSABLE: f"see what Qonto answers with `qonto-xero runs`, then mend it here; {SOONER}",
    Unfinished.XERO_UNUSABLE: f"see what Xero answers with `qonto-xero runs`, then mend it here; {SOONER}",
    Unfinished.REFUSED: "see who refuses with `qonto-xero connections list`; if many, runbook 07",
    Noted.CHAIN: "see which account with `qonto-xero accounts`",
    Noted.ACCOUNT_REFUSED: "the customer lets us see the account in Qonto; see which with `qonto-xero accounts`",
    Noted.ACCOUNT_UNREADABLE: "see what Qonto answers with `qonto-xero runs`, then mend it here",
    Noted.ACCOUNT_NOT_LISTED: "the customer lets us see the account in Qonto; see which with `qonto-xero accounts`",
    Noted.BALANCE: "see which account with `qonto-xero balance`",
    Noted.CHANGED: "the customer compares the two; see one with `qonto-xero explain`",
    Noted.NUMBER: "nothing: the account is used as it is",
    Noted.ECHO: "compare by hand what `qonto-xero explain` and `qonto-xero balance` say with Xero",
    Noted.TAKEN_BACK: "the customer deletes it in Xero if it is wrong; see one with `qonto-xero explain`",
    Unfinished.TIME_ZONE: "set another with `qonto-xero connections time-zone`; `qonto-xero status` names whose",
    Held.LOCK_DATE: CUSTOMER,
    Held.CURRENCY: CUSTOMER,
    Held.CURRENCY_DIFFERS: "the customer enters it by hand; see one with `qonto-xero explain`",
    Held.CODING_ACCOUNT: CUSTOMER,
    Held.CONTACT: CUSTOMER,
    Held.NO_ACCOUNT: "see why with `qonto-xero accounts`",
    Held.NUMBER: "read Xero's words with `qonto-xero runs`; the account number is in domain/account_number.py",
    Held.REFUSED: f"nothing: it is tried again the next nights; {SOONER}",
    Held.TWICE_IN_XERO: "runbook 06",
    Held.NO_ANSWER: f"nothing: it is tried again the next night; {SOONER}",
    Held.UNRECOGNISED: "compare by hand what `qonto-xero explain` says with Xero",
    Uncertain.NOT_LOOKED_UP: "it is looked for again every night; if it stays, runbook 02",
    Rejected.REFUSED: "the customer enters it by hand; see one with `qonto-xero explain`",
}


def remedy(code: str) -> str:
    """What to do about it; an unknown reason is looked up by hand."""
    return REMEDIES.get(code, "see `qonto-xero runs` and `qonto-xero explain`")
