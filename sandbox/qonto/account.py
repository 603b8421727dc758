"""A Qonto bank account and its transactions, indexed for every order in which they are listed."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.instants import instant_text
from sandbox.qonto.notation import amount_json
from sandbox.qonto.transaction import Transaction
from sandbox.timeline import Timeline
from sandbox.wire import encode_json


@dataclass(frozen=True, slots=True)
class Face:
    """What may change about an account by the bank's doing, as it is from `updated_ms` on."""

    name: str
    status: str
    updated_ms: int


@dataclass(slots=True, eq=False)
class BankAccount:
    """One account; `balance_cents` is the opening plus every completed row, `faces` go from its first to today's."""

    id: str
    slug: str
    organisation_id: str
    iban: str
    currency: str
    main: bool
    is_external: bool
    opening_cents: int
    balance_cents: int
    faces: list[Face]
    transactions: dict[str, Transaction] = field(default_factory=dict)
    _indexes: dict[tuple[str, str], Timeline[Transaction]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return self.faces[-1].name

    @property
    def status(self) -> str:
        """`active`, `pending` or `closed`."""
        return self.faces[-1].status

    @property
    def updated_ms(self) -> int:
        """When its name or status last changed."""
        return self.faces[-1].updated_ms

    @property
    def bic(self) -> str:
        """Qonto's own, for accounts of its own."""
        return "" if self.is_external else "QNTOFRP1XXX"  # Qonto's BIC; XXX is its head office

    def change(self, now_ms: int, *, name: str | None = None, status: str | None = None) -> None:
        """Another name or status from now on."""
        former = self.faces[-1]
        name = former.name if name is None else name
        self.faces.append(Face(name, status or former.status, now_ms))

    def face_at(self, ms: int) -> Face | None:
        """How it was at an instant; None when it was not yet there."""
        return next((face for face in reversed(self.faces) if face.updated_ms <= ms), None)

    def index(self, status: str, order: str) -> Timeline[Transaction]:
        """The rows of a status by one of their times; built when first asked for, then kept."""
        name = (status, order)
        if name not in self._indexes:
            rows = (row for row in self.transactions.values() if row.status == status)
            self._indexes[name] = Timeline((row.time(order), row.sequence, row) for row in rows)
        return self._indexes[name]

    def add(self, rows: Iterable[Transaction]) -> None:
        """Take rows in; whoever calls has moved the balance."""
        for row in rows:
            self.transactions[row.id] = row
            for (status, order), timeline in self._indexes.items():
                if status == row.status:
                    timeline.add(row.time(order), row.sequence, row)

    def take_out(self, row: Transaction) -> None:
        """Take a row out to change it; `add` puts it back in its new places."""
        for (status, order), timeline in self._indexes.items():
            if status == row.status:
                timeline.remove(row.time(order), row.sequence)
        row.forget_json()

    def json(self, with_slug: bool, face: Face | None = None) -> bytes:
        """The account, with today's face or a former one; only the copy inside /organization has a slug."""
        face = face or self.faces[-1]
        pending = [row for row in self.index("pending", "created_at").slice(0) if row.side == "debit"]
        authorized_cents = self.balance_cents - sum(row.amount_cents for row in pending)
        content = {
            "id": self.id,
            "name": face.name,
            "status": face.status,
            "main": self.main,
            "organization_id": self.organisation_id,
            "iban": self.iban,
            "bic": self.bic,
            "currency": self.currency,
            "balance": amount_json(self.balance_cents),
            "balance_cents": self.balance_cents,
            "authorized_balance": amount_json(authorized_cents),
            "authorized_balance_cents": authorized_cents,
            "updated_at": instant_text(face.updated_ms),
            "is_external_account": self.is_external,
            "account_number": "",
        }
        if with_slug:
            content["slug"] = self.slug
        return encode_json(content)
