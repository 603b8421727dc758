"""Why a posting or an account is not simply done, each in one word for code and one sentence for people."""

from __future__ import annotations

from enum import StrEnum


class Excluded(StrEnum):
    """Not sent, by our rules."""

    NOT_COMPLETED = "not_completed"
    NOT_SETTLED = "not_settled"
    BEFORE_START = "settled_before_connection"
    ZERO_AMOUNT = "zero_amount"
    EXTERNAL = "external_account"
    TAKEN_BACK = "taken_back_before_sending"
    ACCOUNT_GONE = "account_closed_and_gone"


class Held(StrEnum):
    """Waits for something outside to change. Most let go by themselves; their sentences say what a person can do."""

    LOCK_DATE = "lock_date"
    CURRENCY = "currency_not_enabled"
    CURRENCY_DIFFERS = "currency_differs"
    CODING_ACCOUNT = "account_code"
    CONTACT = "contact_archived"
    NO_ACCOUNT = "account_not_in_xero"
    REFUSED = "refused_for_now"
    TWICE_IN_XERO = "twice_in_xero"
    NO_ANSWER = "no_answer"
    UNRECOGNISED = "unrecognised_in_xero"
    NUMBER = "account_number_refused"


class Uncertain(StrEnum):
    """Why a posting stays uncertain although enough time has passed to look for it."""

    NOT_LOOKED_UP = "not_looked_up"


class Again(StrEnum):
    """Why a posting that Xero refused is sent again the same night."""

    BESIDE_OTHERS = "refused_beside_others"


class LeftOut(StrEnum):
    """Why a bank account of Qonto's is not made in Xero."""

    EXTERNAL = "external_account"
    CLOSED = "account_closed"
    GONE = "account_closed_and_gone"
    NOT_ACTIVE = "account_not_active"


class Gone(StrEnum):
    """Why a Xero account of ours is not there any more."""

    DELETED = "deleted_or_archived_in_xero"
    CODE_TAKEN = "code_taken"
    REPLACED = "replaced_by_another"


class Followed(StrEnum):
    """What came of an event of Qonto's core, where the account's own reason does not say it."""

    IN_XERO = "in_xero"
    STOPPED = "stopped"
    NOT_CONNECTED = "not_connected"
    NOT_SEEN = "not_seen_in_qonto"
    GIVEN_UP = "given_up"


class Rejected(StrEnum):
    """Xero will never take it like this."""

    REFUSED = "refused_by_xero"


class Broken(StrEnum):
    """Why a connection no longer works."""

    NOT_LIVE = "connection_not_live"
    XERO = "xero_access_ended"
    QONTO = "qonto_access_ended"


class Unfinished(StrEnum):
    """Why a night ended before it was done, where its connection is not the reason."""

    NOT_IN_TIME = "not_done_in_time"
    INTERRUPTED = "interrupted_again_and_again"
    QONTO_UNUSABLE = "unusable_answer_of_qonto"
    XERO_UNUSABLE = "unusable_answer_of_xero"
    REFUSED = "access_refused_for_now"
    TIME_ZONE = "unknown_time_zone"


class Waits(StrEnum):
    """Why a run is not done yet; it goes on by itself."""

    LIMIT = "rate_limited"
    OUTAGE = "no_proper_answer"
    CERTAINTY = "answer_uncertain"
    IN_LINE = "another_run_goes_first"
    NOT_SHOWN = "not_shown_by_qonto_yet"
    UNUSABLE = "unusable_answer"
    REFUSED = "access_refused"


class Noted(StrEnum):
    """What a night found and could not mend; it holds nothing up."""

    CHAIN = "balances_do_not_chain"
    ACCOUNT_REFUSED = "account_refused_by_qonto"
    ACCOUNT_UNREADABLE = "account_not_readable"
    ACCOUNT_NOT_LISTED = "account_not_listed"
    BALANCE = "balance_not_explained"
    CHANGED = "changed_in_qonto"
    ECHO = "answered_otherwise_by_xero"
    TAKEN_BACK = "taken_back_in_qonto"
    NUMBER = "another_account_number"


class Awaited(StrEnum):
    """Why a transaction that Qonto lists is not stored yet; it is read again each night."""

    NOT_SETTLED = "completed_without_settlement"
    NOT_COMPLETED = "listed_and_not_completed"
    UNREADABLE = "row_unreadable"
    CHANGED_MEANWHILE = "changed_while_being_sent"


class NotAllowed(StrEnum):
    """Why a person may not decide about the integration."""

    ROLE = "role_may_not"
    NOT_ACTIVE = "membership_not_active"


class NotConnected(StrEnum):
    """Why an organisation was not connected."""

    ALREADY = "connected_already"
    ENDING = "being_disconnected"
    TAKEN = "xero_organisation_taken"
    ANOTHER = "another_xero_organisation"
    NOTHING_REACHED = "no_xero_organisation"
    NOT_CHOSEN = "not_chosen"
    UNUSABLE = "secret_unusable"
    AT_ONCE = "changed_at_this_moment"


SENTENCES: dict[str, str] = {
    Excluded.NOT_COMPLETED: "Qonto has not completed it; only completed transactions are sent.",
    Excluded.NOT_SETTLED: "Qonto has not settled it yet.",
    Excluded.BEFORE_START: "It settled before Xero was connected.",
    Excluded.ZERO_AMOUNT: "Its amount is zero, which Xero does not take.",
    Excluded.EXTERNAL: "The account is at another bank.",
    Excluded.TAKEN_BACK: "Qonto took it back before it was sent.",
    LeftOut.CLOSED: "The account is closed in Qonto; it is made in Xero only if it has transactions to send.",
    LeftOut.GONE: "The account is closed in Qonto and was deleted or archived in Xero. Restore it in Xero to have"
    " the rest sent.",
    LeftOut.NOT_ACTIVE: "The account is not active in Qonto yet; it is made in Xero once it is.",
    Gone.DELETED: "A person deleted or archived it in Xero.",
    Gone.CODE_TAKEN: "Xero has its code on another account, or on an archived one.",
    Gone.REPLACED: "Transactions go to another Xero account of the same bank account.",
    Followed.IN_XERO: "The account is in Xero.",
    Followed.STOPPED: "Everything that settled before the account was closed was read; nothing more is.",
    Followed.NOT_CONNECTED: "The organisation had no live connection to Xero.",
    Followed.NOT_SEEN: "Qonto did not show the account in this state in time; the next night looks again.",
    Followed.GIVEN_UP: "This event could not be followed; its run says why. The next night tries again.",
    Held.LOCK_DATE: "Its date is locked in Xero. Move the lock date and it is sent the next night.",
    Held.CURRENCY: "Xero does not have the account's currency. Add the currency there and it is sent the next night.",
    Held.CURRENCY_DIFFERS: "Its currency is not that of its Xero account; amounts are never converted.",
    Held.CODING_ACCOUNT: "Its coding account is missing or archived in Xero. Restore it or choose another.",
    Held.CONTACT: "The contact of that name is archived in Xero. Restore it and it is sent the next night.",
    Held.NUMBER: "Xero does not accept any account number for this bank account. Contact our support.",
    Held.NO_ACCOUNT: "Its bank account has no account in Xero yet; it is sent once that account exists.",
    Held.REFUSED: "Xero refused it; it is tried again the next nights, and rejected if Xero goes on refusing.",
    Held.TWICE_IN_XERO: "Xero has it more than once. Delete the extra copy in Xero.",
    Held.NO_ANSWER: "No attempt was answered readably, and Xero does not have it; it is tried again the next night.",
    Held.UNRECOGNISED: "Xero took it, but its answer does not show our link. A person must compare the two.",
    Uncertain.NOT_LOOKED_UP: "Xero's answer was lost, and Xero could not show whether it has this. It is looked for"
    " again every night, and not sent again before.",
    Again.BESIDE_OTHERS: "Xero refused it because another request of ours was creating its contact. It is sent again by"
    " itself.",
    Rejected.REFUSED: "Xero refused it each time it was sent.",
    Broken.NOT_LIVE: "The connection has ended, or waits for a person to connect again.",
    Broken.XERO: "Xero no longer lets us in. Nothing is sent until a person connects again; nothing is forgotten.",
    Broken.QONTO: "Qonto no longer lets us in. Nothing is sent until a person connects again; nothing is forgotten.",
    Unfinished.NOT_IN_TIME: "Qonto or Xero was away for too long. Nothing is lost; the next night goes on from there.",
    Unfinished.INTERRUPTED: "We were interrupted too often. Nothing is lost; the next night goes on from there.",
    Unfinished.QONTO_UNUSABLE: "Qonto refuses a request of the sync, or answers it unreadably, and did so again minutes"
    " later. We look into it. Nothing is lost; the next night tries again.",
    Unfinished.XERO_UNUSABLE: "Xero refuses a request of the sync, or answers it unreadably, and did so again minutes"
    " later. We look into it. Nothing is lost; the next night tries again.",
    Unfinished.REFUSED: "Qonto or Xero does not let us in at the moment. Nothing is lost; we try again, and ask you to"
    " reconnect only if it lasts.",
    Unfinished.TIME_ZONE: "The organisation's time zone is unknown. Set another; the next night sends what is missing.",
    Waits.LIMIT: "Xero or Qonto asked us to wait, or our share of the calls to Xero is used up.",
    Waits.OUTAGE: "Qonto or Xero did not answer, or not in a way that helps; it is tried again.",
    Waits.CERTAINTY: "Xero's answer to a request is not known; after seven minutes Xero is asked what is there.",
    Waits.IN_LINE: "Another run of the same organisation goes first.",
    Waits.NOT_SHOWN: "Qonto does not show yet what its core has told.",
    Waits.UNUSABLE: "Qonto or Xero refused a request of the sync, or answered it unreadably; we ask again in minutes.",
    Waits.REFUSED: "Qonto or Xero does not let us in at the moment. We keep trying for hours before we ask you to"
    " reconnect.",
    Noted.CHAIN: "Qonto's balances of an account do not follow from each other. All that was read has been sent.",
    Awaited.NOT_SETTLED: "Qonto lists it as completed and without a settlement date; we send it once it has one.",
    Awaited.NOT_COMPLETED: "Qonto lists it among completed transactions with another status; we send it once it is"
    " completed.",
    Awaited.UNREADABLE: "Qonto's answer for it cannot be read. We read it again each night.",
    Awaited.CHANGED_MEANWHILE: "Qonto changed it while it was being sent. We compare the two the next night.",
    Noted.BALANCE: "Qonto's balance of an account does not follow from the transactions that Qonto lists.",
    Noted.CHANGED: "Qonto changed it after it was sent. Xero still has it as it was: compare the two.",
    Noted.ECHO: "Xero took it, but its answer does not show what was sent. Compare the two; nothing is sent again.",
    Noted.TAKEN_BACK: "Qonto took it back after it was sent. Xero still has it: delete it there if it is wrong.",
    Noted.ACCOUNT_REFUSED: "Qonto refuses us the transactions of an account. Check who may see that account in Qonto."
    " All other accounts are sent; this one is tried again every night.",
    Noted.ACCOUNT_UNREADABLE: "Qonto's answer about an account, or about its transactions, cannot be read. All other"
    " accounts are sent; this one is tried again every night.",
    Noted.ACCOUNT_NOT_LISTED: "Qonto does not list an account any more, so its transactions cannot be read. Check in"
    " Qonto who may see it. All other accounts are sent.",
    Noted.NUMBER: "Xero does not accept the IBAN as account number here, so the account has another number.",
    NotAllowed.ROLE: "Your role in Qonto does not let you decide about this.",
    NotAllowed.NOT_ACTIVE: "Your membership in Qonto is not active.",
    NotConnected.ALREADY: "This company is connected to Xero already.",
    NotConnected.ENDING: "This company is being disconnected at this moment. Try again in a minute.",
    NotConnected.TAKEN: "That Xero organisation is connected to another Qonto company. Choose another one.",
    NotConnected.ANOTHER: "This company is connected to another Xero organisation. Choose it, or disconnect first.",
    NotConnected.NOTHING_REACHED: "Xero did not let us into any organisation.",
    NotConnected.NOT_CHOSEN: "No Xero organisation was chosen.",
    NotConnected.AT_ONCE: "Somebody else changed this connection at the same moment. Look at it again.",
}


def sentence(reason: str) -> str:
    """The sentence for a reason; an unknown reason speaks for itself."""
    return SENTENCES.get(reason, reason)
