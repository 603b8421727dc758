"""What an ended connection left undone goes on under the next one to the same Xero organisation."""

from __future__ import annotations

from models.organisation import Connection
from models.posting import Posting, is_left_out
from models.posting_batch import PostingBatch
from models.states import OPEN_BATCH_STATES, PostingState

UNSETTLED = (PostingState.DUE, PostingState.SENDING, PostingState.UNCERTAIN, PostingState.HELD)


def adopt_unsettled(connection: Connection, left_out: str) -> None:
    """Hand the organisation's unfinished postings and batches for this Xero organisation to a new connection.

    `left_out` is the reason of postings that are excluded and may become due again.
    """
    earlier = Connection.select(Connection.id).where(
        (Connection.organisation_id == connection.organisation_id)
        & (Connection.tenant_id == connection.tenant_id)
        & (Connection.id != connection.id)
    )
    Posting.update(connection_id=connection.id).where(
        Posting.connection_id.in_(earlier) & (Posting.state.in_(UNSETTLED) | is_left_out(left_out))
    ).execute()
    PostingBatch.update(connection_id=connection.id).where(
        PostingBatch.connection_id.in_(earlier) & PostingBatch.state.in_(OPEN_BATCH_STATES)
    ).execute()
