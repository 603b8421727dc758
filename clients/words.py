"""What others say about a refusal, made fit to be stored and shown."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from clients.decoding import MOST_TEXT

MOST_MESSAGES = 20


def words(messages: Iterable[object]) -> list[str]:
    """Return the messages that say something, as texts: the first twenty, each cut at MOST_TEXT characters."""
    texts = (str(message)[:MOST_TEXT].replace("\x00", "") for message in messages if message)
    return list(islice(texts, MOST_MESSAGES))
