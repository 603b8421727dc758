"""Which Xero account a line is coded to: money in, money out or fees, as the customer chose, else the one we made."""

from __future__ import annotations

from dataclasses import dataclass

FEE = "qonto_fee"  # Qonto's operation_type for what Qonto itself charges


@dataclass(frozen=True)
class CodingCodes:
    """Account Codes in Xero. An empty choice means `by_default`, which is empty while Xero lacks it."""

    money_in: str
    money_out: str
    fees: str
    by_default: str

    def code_for(self, side: str, operation_type: str) -> str:
        """The Code for a line; empty when there is none yet."""
        if operation_type == FEE:
            chosen = self.fees
        else:
            chosen = self.money_in if side == "credit" else self.money_out
        return chosen or self.by_default
