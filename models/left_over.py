"""What a run leaves behind: what is not in Xero yet, what waits for a person, and what could not be mended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.organisation import Connection
from models.posting_version import TAKEN_BACK
from models.statements import read
from models.states import RunKind, RunState


class Left(StrEnum):
    """What is counted."""

    UNDER_WAY = "under_way"  # transactions that are due or sent without an answer
    UNCERTAIN = "uncertain"  # transactions that were sent without an answer and cannot be looked for, by their reason
    HELD = "held"  # transactions, by their reason
    REJECTED = "rejected"  # transactions, by their reason, since the last night that was done
    LEFT_OUT = "left_out"  # transactions excluded for a reason that may pass, since the last night that was done
    ACCOUNT = "account"  # bank accounts in use that Xero does not make, by their reason
    CHAIN = "chain"  # bank accounts in use whose balances do not chain
    DRIFT = "drift"  # bank accounts whose balance does not follow from their transactions, for more than a night
    AWAITED = "awaited"  # transactions that cannot be stored, by their reason
    CHANGED = "changed"  # transactions that Qonto changed after they were sent, since the last night that was done
    ECHO = "echo"  # transactions that Xero answered otherwise than they were sent, since the last night that was done
    TAKEN_BACK = "taken_back"  # the same, and Qonto lists them no more
    UNREAD = "unread"  # bank accounts whose transactions cannot be read, closed ones too, by their reason


@dataclass(frozen=True)
class LeftOver:
    """So many of a kind, for a reason, which is empty where the kind says it all."""

    what: Left
    reason: str
    count: int


LAST_DONE = f"""COALESCE((
        SELECT finished_at FROM sync_run WHERE organisation_id = {{organisation_id}} AND kind = '{RunKind.NIGHTLY}'
        AND state = '{RunState.DONE}' AND id <> {{run_id}} ORDER BY local_date DESC LIMIT 1
    ), {{since}})"""  # noqa: S608 - names of ours
LEFT = f"""
    SELECT CASE WHEN state IN ('held', 'rejected') OR (state = 'uncertain' AND reason <> '') THEN state
        WHEN state = 'excluded' THEN '{Left.LEFT_OUT}' ELSE '{Left.UNDER_WAY}' END AS what, reason, COUNT(*)
    FROM posting
    WHERE connection_id = {{connection_id}} AND state IN ('due', 'sending', 'uncertain', 'held', 'rejected', 'excluded')
    AND (state <> 'excluded' OR reason = {{left_out}})
    AND (state NOT IN ('rejected', 'excluded') OR changed_at > {LAST_DONE})
    GROUP BY 1, 2
    UNION ALL
    SELECT '{Left.ACCOUNT}', reason, COUNT(*) FROM account_link AS link
    JOIN bank_account ON bank_account.id = link.bank_account_id
    WHERE tenant_id = {{tenant_id}} AND organisation_id = {{organisation_id}} AND status = {{in_use}} AND state = 'held'
    AND NOT EXISTS (
        SELECT 1 FROM account_link AS newer WHERE newer.tenant_id = link.tenant_id
        AND newer.bank_account_id = link.bank_account_id AND newer.generation > link.generation
    )
    GROUP BY 2
    UNION ALL
    SELECT '{Left.CHAIN}', '', COUNT(*) FROM cursor JOIN bank_account ON bank_account.id = bank_account_id
    WHERE connection_id = {{connection_id}} AND chain_broken_at <> '' AND status = {{in_use}}
    HAVING COUNT(*) > 0
    UNION ALL
    SELECT '{Left.DRIFT}', '', COUNT(*) FROM cursor
    WHERE connection_id = {{connection_id}} AND drift_since <= {LAST_DONE}
    HAVING COUNT(*) > 0
    UNION ALL
    SELECT '{Left.AWAITED}', reason, COUNT(*) FROM awaited_transaction AS awaited
    JOIN bank_account ON bank_account.id = awaited.bank_account_id
    WHERE tenant_id = {{tenant_id}} AND organisation_id = {{organisation_id}} AND ended_at IS NULL
    GROUP BY 2
    UNION ALL
    SELECT CASE WHEN changed_to = '{TAKEN_BACK}' THEN '{Left.TAKEN_BACK}' ELSE '{Left.CHANGED}' END, '', COUNT(*)
    FROM posting
    WHERE tenant_id = {{tenant_id}} AND organisation_id = {{organisation_id}} AND noted_at > {LAST_DONE}
    AND changed_to <> ''
    GROUP BY 1
    UNION ALL
    SELECT '{Left.ECHO}', '', COUNT(*) FROM posting
    WHERE tenant_id = {{tenant_id}} AND organisation_id = {{organisation_id}} AND noted_at > {LAST_DONE}
    AND state = 'posted' AND reason <> ''
    HAVING COUNT(*) > 0
    UNION ALL
    SELECT '{Left.UNREAD}', unread_reason, COUNT(*) FROM cursor
    JOIN bank_account ON bank_account.id = bank_account_id
    WHERE connection_id = {{connection_id}} AND unread_since IS NOT NULL AND NOT is_external
    GROUP BY 2
"""  # noqa: S608 - names of ours


def left_over(connection: Connection, run_id: int, in_use: str, left_out: str) -> list[LeftOver]:
    """Return what a connection's night leaves, each kind and reason once.

    `in_use` is the status of an account that is, `left_out` the reason of transactions that are excluded and may become
    due again.
    """
    rows = read(
        LEFT,
        connection_id=connection.id,
        organisation_id=connection.organisation_id,
        tenant_id=connection.tenant_id,
        run_id=run_id,
        since=connection.created_at,
        in_use=in_use,
        left_out=left_out,
    )
    return [LeftOver(Left(what), str(reason), int(count)) for what, reason, count in rows]
