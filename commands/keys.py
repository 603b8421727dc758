"""The keys that stored secrets are encrypted under."""

from __future__ import annotations

import logging
import sys
from typing import Any

import click

from commands.frame import BROKEN, REASON, WHO, as_json, at_work, start_log
from console import Screen
from models.encryption import Keyring
from services.rotate_keys import rotate_keys, sealed_under

COLUMNS = ("key", "secrets", "is_newest", "is_in_the_ring")


@click.group()
def keys() -> None:
    """The ring of keys that stored secrets are encrypted under: QONTO_XERO_ENCRYPTION_KEYS, the newest first."""


@keys.command("list")
@as_json
def keys_list(screen: Screen) -> None:
    """How many secrets each key encrypts. One that encrypts none can be thrown away."""
    with at_work() as (_, workbench):
        screen.rows("Keys", COLUMNS, _views(workbench.keyring))


@keys.command("rotate")
@REASON
@WHO
@as_json
def keys_rotate(screen: Screen, reason: str, who: str) -> None:
    """Encrypt everything anew under the newest key, the first of the ring.

    Put the new key first and restart every process before: one that still has the old order goes on to use the old key.
    It may be ended at any moment and said again. It exits with 1 while another key still encrypts something.
    """
    start_log(logging.WARNING)
    with at_work() as (_, workbench):
        keyring = workbench.keyring
        with screen.progress() as bar:
            task = bar.add_task("encrypting", total=sealed_under().total())
            for looked_at in rotate_keys(keyring, who, reason, workbench.clock()):
                bar.advance(task, looked_at)
        views = _views(keyring)
        screen.rows("Keys", COLUMNS, views)
    if any(view["secrets"] and not view["is_newest"] for view in views):
        sys.exit(BROKEN)


def _views(keyring: Keyring) -> list[dict[str, Any]]:
    found = sealed_under()
    return [
        {
            "key": key,
            "secrets": found[key],
            "is_newest": key == keyring.newest,
            "is_in_the_ring": key in keyring.ids,
        }
        for key in [*keyring.ids, *sorted(found.keys() - set(keyring.ids))]
    ]
