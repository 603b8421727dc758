"""The checks that several processes share. None asks Xero or Qonto: their outage is no reason to stop a process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from messaging import BrokerUnreachable
from messaging.reachable import check_broker
from models.database import DATABASE_OUTAGE, ask_anything, connected
from models.encryption import CannotDecrypt, Keyring
from models.migrate import SchemaOutOfDate, check_schema
from monitoring.readiness import Check, Group
from services.check_keys import check_keys


def database(keyring: Keyring) -> Group:
    """It answers, has this code's schema, and our keys open what is stored. On one connection."""
    checks = {
        "database": _nothing_said(ask_anything),
        "schema": _nothing_said(check_schema),
        "keys": _nothing_said(lambda: check_keys(keyring)),
    }
    return Group(checks, connected, (*DATABASE_OUTAGE, SchemaOutOfDate, CannotDecrypt))


def broker(url: str) -> Group:
    """RabbitMQ lets us in."""
    return Group({"broker": _nothing_said(lambda: check_broker(url))}, told=(BrokerUnreachable,))


def own(**checks: Check) -> Group:
    """What a process knows of its own threads."""
    return Group(checks)


def alive(thread: Thread) -> Check:
    """The thread has not ended."""
    return lambda: "" if thread.is_alive() else f"the thread {thread.name} has ended"


def _nothing_said(check: Callable[[], object]) -> Check:
    """A check that raises what is wrong."""

    def say() -> str:
        check()
        return ""

    return say
