"""The world of a soak: it remembers every fault that was let loose, and knows what people do in it."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

from services.connect import Grant, Wishes, connect
from services.workbench import make_workbench
from settings import Secret, read_settings
from tests.acceptance.processes import MORNING, Company, payments
from tests.checker import opened
from tests.sandbox.world_client import Party, WorldClient
from tests.soak.tally import Tally

LOGGED_REQUESTS = 2_000_000
SLOW_ANSWER_SECONDS = 120  # the whole request log is one answer
DAY_HOURS = 8  # of the payments of a day, before its evening


class Town(WorldClient):
    """A world whose faults are not forgotten when they are taken away: the checker asks what each of them told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._faults: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}

    def call(self, method: str, path: str, **options: Any) -> Any:
        return super().call(method, path, **{"timeout": SLOW_ANSWER_SECONDS, **options})

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        if path != "/faults" or method == "POST":
            return super().control(method, path, body)
        current = super().control("GET", path)["faults"]
        self._faults |= {fault["id"]: fault for fault in current}
        if method == "DELETE":
            super().control("DELETE", path)
        return {"faults": list(self._faults.values())}

    def let_loose(self, name: str, fault: dict[str, Any]) -> None:
        """One more fault, counted under a name."""
        self._names[str(self.control("POST", "/faults", fault)["id"])] = name

    def struck(self) -> dict[str, int]:
        """How often faults of each name have struck."""
        struck = dict.fromkeys(self._names.values(), 0)
        for fault in self.control("GET", "/faults")["faults"]:
            struck[self._names[fault["id"]]] += fault["hits"]
        return struck

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("GET", "/clock")["now"])

    def move_to(self, moment: datetime) -> None:
        """Never back."""
        self.advance(max(0.0, (moment - self.now()).total_seconds()))


def found_organisations(town: WorldClient, company: Company, count: int) -> list[Party]:
    """So many organisations, each connected to a Xero organisation of its own."""
    parties = [town.organisation(name=f"Société {number}") for number in range(count)]
    workbench = make_workbench(read_settings(company.environment()))
    with opened(company.database_url):
        for party in parties:
            key = Secret(f"{party.known['qonto_login']}:{party.known['qonto_secret']}")
            grant = Grant(key, Secret(""), Secret(party.known["xero_tokens"]["refresh_token"]))
            connect(workbench, grant, Wishes(starts_at=datetime.fromisoformat(MORNING)), who="soak")
    return parties


class Life:
    """What happens at Qonto and in Xero besides us, drawn from the seed."""

    def __init__(self, town: Town, parties: list[Party], transactions: int, seed: int, tally: Tally) -> None:
        self._town = town
        self._parties = parties
        self._transactions = transactions
        self._draw = Random(f"life {seed}")
        self._tally = tally
        self._seed = seed
        self._few = max(1, len(parties) // 20)

    def day(self, number: int) -> None:
        """Payments everywhere, and some accounts opened and closed."""
        for party in self._draw.sample(self._parties, self._few):
            self._qonto(party, "accounts", {"name": f"Projet {number}", "currency": "EUR"})
            self._tally.add("account opened at Qonto")
        for party in self._parties:
            self._spend(party, number)
        for party in self._draw.sample(self._parties, self._few):
            beside = [account for account in self._accounts(party) if not account["main"]]
            if beside:
                self._qonto(party, f"accounts/{self._draw.choice(beside)['id']}/close", {})
                self._tally.add("account closed at Qonto")

    def in_the_night(self) -> None:
        """Payments that settle while runs are at work, and people who clear up in Xero just then."""
        for party in self._draw.sample(self._parties, self._few):
            party.pay(*payments(2))
            self._tally.add("transaction at Qonto", 2)
        self._meddle("delete", {}, "row deleted in Xero")

    def morning(self) -> None:
        """People look at their books: rows deleted, edited and reconciled, accounts archived and deleted."""
        for _ in range(2):
            self._meddle("delete", {}, "row deleted in Xero")
            self._meddle("edit", {"reference": "Checked", "contact": "Somebody else"}, "row edited in Xero")
            self._meddle("reconcile", {}, "row reconciled in Xero")
        for how in ("archive", "delete"):
            for party in self._draw.sample(self._parties, max(1, self._few // 3)):
                ours = [a for a in party.ledger()["accounts"] if a["made_by"] == "api" and a["status"] == "ACTIVE"]
                banks = [account for account in ours if account["type"] == "BANK"]
                if banks:
                    account = self._draw.choice(banks)
                    self._town.control("POST", f"/xero/{party.tenant}/accounts/{account['id']}/{how}", {})
                    self._tally.add(f"account {how}d in Xero")

    def _spend(self, party: Party, day: int) -> None:
        accounts = self._accounts(party)
        shares = [self._transactions - self._transactions // 2, self._transactions // 2]
        for account, count in zip(accounts[-2:], shares if len(accounts) > 1 else [self._transactions], strict=False):
            rows = {
                "count": count,
                "seed": self._seed * 1_000 + day,
                "account_id": account["id"],
                "settled_within_hours": DAY_HOURS,
            }
            made = self._qonto(party, "transactions", rows)
            self._tally.add("transaction at Qonto", len(made["transactions"]))

    def _accounts(self, party: Party) -> list[dict[str, Any]]:
        ledger = self._town.control("GET", f"/qonto/{party.id}/ledger")
        return [account for account in ledger["accounts"] if account["status"] == "active"]

    def _meddle(self, how: str, body: dict[str, Any], name: str) -> None:
        for party in self._draw.sample(self._parties, self._few):
            rows = [row for row in party.ledger()["bank_transactions"] if row["status"] == "AUTHORISED"]
            open_rows = [row for row in rows if not row["is_reconciled"]]
            if open_rows:
                row = self._draw.choice(open_rows)
                self._town.control("POST", f"/xero/{party.tenant}/bank-transactions/{row['id']}/{how}", body)
                self._tally.add(name)

    def _qonto(self, party: Party, what: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._town.control("POST", f"/qonto/{party.id}/{what}", body)
