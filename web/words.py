"""What states are called on the page. The words are English here, and translated where they are shown."""

from __future__ import annotations

from models.states import LinkState, RunState


def word(text: str) -> str:
    """Marks a text that the catalogues must have."""
    return text


ACCOUNTS = {
    LinkState.CREATING: word("being created"),
    LinkState.LIVE: word("in Xero"),
    LinkState.HELD: word("waiting"),
    LinkState.GONE: word("removed in Xero"),
    "no": word("not in Xero"),
}
NIGHTS = {
    RunState.DUE: word("about to begin"),
    RunState.RUNNING: word("under way"),
    RunState.WAITING: word("under way"),
    RunState.DONE: word("done"),
    RunState.FAILED: word("not finished"),
}
