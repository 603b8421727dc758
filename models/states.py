"""The states things can be in. Coarse states drive the code; the reason beside them tells a person why."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """A queue that jobs travel on, by its name in RabbitMQ: one kind of work never waits behind another."""

    INTERACTIVE = "interactive"  # a person is waiting, or an account was opened or closed
    NIGHTLY = "nightly"  # the runs of 23:00 and what catches up on them
    BACKFILL = "backfill"  # history asked for at connection time, which may take hours


class ConnectionState(StrEnum):
    LIVE = "live"  # synced every night
    NEEDS_RECONNECT = "needs_reconnect"  # Xero or Qonto no longer lets us in: a person must connect again
    DISCONNECTING = "disconnecting"  # a person has asked for its end: nothing begins, and what runs gives way
    DISCONNECTED = "disconnected"  # ended by a person; its postings are kept for ever


class LinkState(StrEnum):
    CREATING = "creating"  # we are asking Xero for it, or do not know yet whether Xero made it
    LIVE = "live"  # the Xero account exists and is ours
    HELD = "held"  # Xero refuses to make it, for a reason that may pass
    GONE = "gone"  # deleted or archived in Xero by a person


class PostingState(StrEnum):
    DUE = "due"  # to be sent
    SENDING = "sending"  # in a batch that is being sent, or about to be
    UNCERTAIN = "uncertain"  # sent without a readable answer: Xero may or may not have it
    POSTED = "posted"  # Xero has it
    HELD = "held"  # waits for something outside to change; the reason says for what
    REJECTED = "rejected"  # Xero refused it for good
    EXCLUDED = "excluded"  # not sent, by our rules; the reason says which, and whether it may pass
    DELETED = "deleted_in_xero"  # was posted; a person deleted it in Xero, and it stays deleted


class BatchState(StrEnum):
    INTENDED = "intended"  # frozen and stored; no byte of it can be at Xero
    SENDING = "sending"  # a request may be on the wire
    UNCERTAIN = "uncertain"  # a request had no readable answer
    RESOLVED = "resolved"  # every member has its outcome


class RunState(StrEnum):
    DUE = "due"  # waits for a worker to pick it up
    RUNNING = "running"  # picked up, and more to do at once
    WAITING = "waiting"  # goes on at `wake_at`: a rate limit, an outage, or an uncertain batch
    DONE = "done"  # nothing left to do
    FAILED = "failed"  # ended early; the reason says what a person must do
    CAUGHT_UP = "caught_up"  # a missed night, covered by the next night's run


class RunKind(StrEnum):
    NIGHTLY = "nightly"  # the night's sync, one a local date
    MANUAL = "manual"  # asked for by a person
    OBSERVATION = "observation"  # a daily look at what people changed in Xero
    ACCOUNTS = "accounts"  # Xero was connected, or Qonto's core told of an account: followed at once
    DISCONNECTION = "disconnection"  # a person ended the connection
    VERIFICATION = "verification"  # a person doubts our record: it is held against Xero, and nothing is sent
    PROBE = "probe"  # a daily look whether a broken connection works again
    INSPECTION = "inspection"  # our record, Qonto and Xero compared, for a few organisations a night


OPEN_RUN_STATES = (RunState.DUE, RunState.RUNNING, RunState.WAITING)
OPEN_BATCH_STATES = (BatchState.INTENDED, BatchState.SENDING, BatchState.UNCERTAIN)
SETTLED_IN_XERO = (PostingState.POSTED, PostingState.DELETED)
