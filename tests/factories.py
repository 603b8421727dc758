"""One factory a table: `make_posting(state=...)` gives a stored row with everything else filled in sensibly.

A row that another one must point at is made on the way, unless the caller names it. Call them with a connection open.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from models.access_refusal import AccessRefusal
from models.audit import AuditEntry
from models.authorisation import Authorisation, Side
from models.awaited_transaction import AwaitedTransaction
from models.bank_account import AccountLink, BankAccount, Cursor
from models.call_budget import CallBudget
from models.credential import Credential
from models.heartbeat import SCHEDULER, Heartbeat
from models.inbox import InboxEvent
from models.invariant_check import InvariantCheck
from models.lease import LeaseRow
from models.opening_balance import OpeningBalance, Source
from models.organisation import Connection, Organisation
from models.outbox import OutboxEvent, OutboxMessage
from models.pause import Pause
from models.posting import Posting, PostingEvent
from models.posting_batch import PostingBatch
from models.quarantine import Quarantine
from models.states import BatchState, LinkState, PostingState, RunKind
from models.sync_run import SyncRun
from models.web_session import WebSession

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # 23:00 in Paris: the night falls due
TODAY = date(2026, 11, 20)
CONNECTED_AT = NOW - timedelta(days=30)

_numbers = count(1)


def make_organisation(**changes: Any) -> Organisation:
    number = next(_numbers)
    defaults = {
        "id": f"organisation-{number}",
        "slug": f"farolillo-{number}",
        "name": f"Farolillo {number} SL",
        "created_at": CONNECTED_AT,
    }
    return Organisation.create(**defaults | changes)


def make_credential(**changes: Any) -> Credential:
    defaults = {
        "id": f"credential-{next(_numbers)}",
        "kind": "xero_oauth",
        "secret": "ciphertext",
        "created_at": CONNECTED_AT,
    }
    return Credential.create(**defaults | changes)


def make_connection(**changes: Any) -> Connection:
    """A live connection, thirty days old, to a Xero organisation of its own."""
    number = next(_numbers)
    defaults = {
        "id": f"connection-{number}",
        "organisation_id": changes.get("organisation_id") or make_organisation().id,
        "name": f"Farolillo {number}",
        "tenant_id": f"tenant-{number}",
        "tenant_name": f"Farolillo {number} Limited",
        "qonto_credential_id": changes.get("qonto_credential_id") or make_credential(kind="qonto_api_key").id,
        "xero_credential_id": changes.get("xero_credential_id") or make_credential().id,
        "starts_at": CONNECTED_AT,
        "created_at": CONNECTED_AT,
    }
    return Connection.create(**defaults | changes)


def make_bank_account(**changes: Any) -> BankAccount:
    number = next(_numbers)
    defaults = {
        "id": f"bank-account-{number}",
        "organisation_id": changes.get("organisation_id") or make_organisation().id,
        "name": f"Main account {number}",
        "iban_last4": f"{number % 10_000:04}",
        "currency": "EUR",
        "status": "active",
        "updated_at": CONNECTED_AT,
    }
    return BankAccount.create(**defaults | changes)


def make_account_link(**changes: Any) -> AccountLink:
    """A live link, first generation."""
    number = next(_numbers)
    defaults = {
        "tenant_id": "tenant",
        "bank_account_id": changes.get("bank_account_id") or make_bank_account().id,
        "generation": 1,
        "code": f"Q{number:09}",
        "name": f"Main account {number}",
        "xero_account_id": f"xero-account-{number}",
        "state": LinkState.LIVE,
        "created_at": CONNECTED_AT,
    }
    return AccountLink.create(**defaults | changes)


def make_cursor(**changes: Any) -> Cursor:
    defaults = {
        "connection_id": changes.get("connection_id") or make_connection().id,
        "bank_account_id": changes.get("bank_account_id") or make_bank_account().id,
        "read_until": NOW - timedelta(days=1),
    }
    return Cursor.create(**defaults | changes)


def make_access_refusal(**changes: Any) -> AccessRefusal:
    """Xero refused a connection once, just now."""
    defaults = {
        "connection_id": changes.get("connection_id") or make_connection().id,
        "side": "xero",
        "refused_since": NOW,
        "refused_at": NOW,
        "refusals": 1,
        "problem": "403",
    }
    return AccessRefusal.create(**defaults | changes)


def make_posting(*, connection: Connection | None = None, **changes: Any) -> Posting:
    """A due card payment of 47.30 EUR; of `connection`, if given, and its organisation."""
    connection = connection or make_connection()
    defaults = {
        "tenant_id": connection.tenant_id,
        "transaction_id": f"transaction-{next(_numbers)}",
        "organisation_id": connection.organisation_id,
        "connection_id": connection.id,
        "bank_account_id": changes.get("bank_account_id")
        or make_bank_account(organisation_id=connection.organisation_id).id,
        "state": PostingState.DUE,
        "side": "debit",
        "amount_cents": 4730,
        "currency": "EUR",
        "local_amount_cents": 4730,
        "local_currency": "EUR",
        "operation_type": "card",
        "label": "NUBE HOSTING INC 8885550100",
        "counterparty": "Nube Hosting",
        "reference": "",
        "card_last_digits": "4242",
        "url": f"https://app.qonto.com/transactions/{next(_numbers)}",
        "settled_at": NOW - timedelta(hours=3),
        "date": TODAY,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Posting.create(**defaults | changes)


def make_posting_event(**changes: Any) -> PostingEvent:
    defaults = {
        "posting_id": changes.get("posting_id") or make_posting().id,
        "at": NOW,
        "state": PostingState.DUE,
    }
    return PostingEvent.create(**defaults | changes)


def make_posting_batch(**changes: Any) -> PostingBatch:
    """A batch of one that was never sent."""
    number = next(_numbers)
    defaults = {
        "tenant_id": "tenant",
        "connection_id": changes.get("connection_id") or make_connection().id,
        "attempt": 1,
        "key": f"key-{number}",
        "body": b'{"BankTransactions": []}',
        "body_sha256": "0" * 64,
        "size": 1,
        "state": BatchState.INTENDED,
        "fence": 1,
        "created_at": NOW,
    }
    return PostingBatch.create(**defaults | changes)


def make_sync_run(*, connection: Connection | None = None, **changes: Any) -> SyncRun:
    """Tonight's run, due now; of `connection`, if given, and its organisation."""
    connection = connection or make_connection()
    defaults = {
        "organisation_id": connection.organisation_id,
        "connection_id": connection.id,
        "kind": RunKind.NIGHTLY,
        "local_date": TODAY,
        "lane": "nightly",
        "wake_at": NOW,
        "created_at": NOW,
    }
    return SyncRun.create(**defaults | changes)


def make_outbox_message(**changes: Any) -> OutboxMessage:
    defaults = {"lane": "nightly", "actor": "organisation.sync", "arguments": '{"run_id": 1}', "created_at": NOW}
    return OutboxMessage.create(**defaults | changes)


def make_outbox_event(**changes: Any) -> OutboxEvent:
    return OutboxEvent.create(**{"type": "sync.completed", "body": "{}", "created_at": NOW} | changes)


def make_inbox_event(**changes: Any) -> InboxEvent:
    """An account was created a moment ago, and nobody has followed it yet."""
    number = next(_numbers)
    defaults = {
        "source": "/qonto/core/bank-accounts",
        "event_id": f"event-{number}",
        "type": "account.created",
        "organisation_id": f"organisation-{number}",
        "bank_account_id": f"bank-account-{number}",
        "version": NOW,
        "happened_at": NOW,
        "digest": "0" * 64,
        "received_at": NOW,
        "announced_at": NOW,
    }
    return InboxEvent.create(**defaults | changes)


def make_lease(**changes: Any) -> LeaseRow:
    """A lease that somebody holds for another minute."""
    defaults = {
        "organisation_id": f"organisation-{next(_numbers)}",
        "owner": "somebody",
        "fence": 1,
        "expires_at": NOW + timedelta(minutes=1),
    }
    return LeaseRow.create(**defaults | changes)


def make_call_budget(**changes: Any) -> CallBudget:
    """What a tenant has used, at rest."""
    return CallBudget.create(**{"scope": f"tenant-{next(_numbers)}"} | changes)


def make_pause(**changes: Any) -> Pause:
    defaults = {"tenant_id": f"tenant-{next(_numbers)}", "not_before": NOW + timedelta(minutes=1), "reason": "429"}
    return Pause.create(**defaults | changes)


def make_quarantine(**changes: Any) -> Quarantine:
    defaults = {
        "source": "nightly",
        "payload": b"\xff",
        "digest": str(next(_numbers)),
        "reason": "not a message",
        "created_at": NOW,
    }
    return Quarantine.create(**defaults | changes)


def make_awaited_transaction(**changes: Any) -> AwaitedTransaction:
    """Qonto listed it as completed and without the moment at which it settled."""
    defaults = {
        "bank_account_id": f"bank-account-{next(_numbers)}",
        "transaction_id": f"transaction-{next(_numbers)}",
        "tenant_id": "tenant",
        "reason": "completed_without_settlement",
        "updated_at": NOW,
        "signed_cents": -4_730,
        "first_seen_at": NOW,
    }
    return AwaitedTransaction.create(**defaults | changes)


def make_opening_balance(**changes: Any) -> OpeningBalance:
    """An account held a thousand euros when it was connected."""
    defaults = {
        "bank_account_id": f"bank-account-{next(_numbers)}",
        "tenant_id": "tenant",
        "starts_at": CONNECTED_AT,
        "cents": 100_000,
        "source": Source.CONNECTING,
    }
    return OpeningBalance.create(**defaults | changes)


def make_invariant_check(**changes: Any) -> InvariantCheck:
    """It holds for everybody."""
    defaults = {"name": "I1", "scope": "fleet", "checked_at": NOW, "violations": 0, "examples": ""}
    return InvariantCheck.create(**defaults | changes)


def make_heartbeat(**changes: Any) -> Heartbeat:
    """A scheduler that has just turned."""
    return Heartbeat.create(**{"process": SCHEDULER, "beat_at": NOW} | changes)


def make_audit_entry(**changes: Any) -> AuditEntry:
    defaults = {"at": NOW, "who": "ada", "action": "connection.add", "subject": "connection-1"}
    return AuditEntry.create(**defaults | changes)


def make_web_session(**changes: Any) -> WebSession:
    """Somebody has signed in just now."""
    number = next(_numbers)
    defaults = {
        "id": f"session-{number}",
        "organisation_id": f"organisation-{number}",
        "organisation_name": f"Farolillo {number} SL",
        "person": "Ada Lovelace",
        "credential_id": changes.get("credential_id") or make_credential(kind="qonto_oauth").id,
        "created_at": NOW,
        "seen_at": NOW,
    }
    return WebSession.create(**defaults | changes)


def make_authorisation(**changes: Any) -> Authorisation:
    """Somebody was sent to Xero just now."""
    number = next(_numbers)
    defaults = {
        "id": f"authorisation-{number}",
        "session_id": f"session-{number}",
        "side": Side.XERO,
        "state_hash": f"hash-{number}",
        "verifier": "ciphertext",
        "created_at": NOW,
    }
    return Authorisation.create(**defaults | changes)
