"""The trouble that each runbook is about, in the sandbox: how it comes, what people do meanwhile, what is promised."""

from __future__ import annotations

import base64
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from messaging.messages import encode
from models.quarantine import Quarantine, quarantine
from models.states import RunKind
from services.receive_event import Delivery, receive_event
from tests.acceptance.processes import EVENING, NIGHT, at, in_qonto, in_xero, payments
from tests.acceptance.stage import Stage
from tests.acceptance.test_cli_events import at_desk
from tests.events import event, headers_of
from tests.sandbox.world_client import Party

NOBODY = "127.0.0.1:1"  # where neither a database nor a broker listens
EARLY = "2026-11-21T04:30:00Z"  # when the night's sample is compared with Xero, and the observation is over
NEW_KEY = "k2:" + base64.b64encode(b"n" * 32).decode()
ANOTHER_KEY = "core-9:" + base64.b64encode(b"k" * 32).decode()
PARIS = ZoneInfo("Europe/Paris")
NIGHTS = "SELECT local_date, state FROM sync_run WHERE kind = 'nightly' ORDER BY local_date"
UNSETTLED = "SELECT id FROM quarantine WHERE settled_at IS NULL"
SECRETS = "SELECT secret || access_token FROM credential WHERE secret || access_token <> ''"

Act = Callable[[], Any]


@dataclass
class Trouble:
    """What the words in capitals stand for, and what must hold in the end.

    `meanwhile`, in order: what people and time do just before the command that begins so.
    """

    values: dict[str, str]
    promise: Act
    meanwhile: list[tuple[str, Act]] = field(default_factory=list)


def _slug(party: Party) -> str:
    return str(party.known["slug"])


def _of(party: Party) -> dict[str, str]:
    """The words that name a customer and one of their transactions."""
    return {"ORG": _slug(party), "TRANSACTION": next(iter(in_qonto(party)))}


def _all_is_well(stage: Stage, *parties: Party) -> None:
    """Each transaction is in Xero once, no night failed or waits, quarantine is empty, and everything holds."""
    stage.works()
    for party in parties:
        assert in_xero(party) == in_qonto(party)
        assert stage.say("check", _slug(party)).code == 0
    assert {state for _, state in stage.company.query_file(NIGHTS)} <= {"done", "caught_up"}
    assert stage.company.query_file(UNSETTLED) == []


def _night(stage: Stage) -> None:
    at(stage.town, NIGHT)
    stage.until_quiet()


def night_is_late(stage: Stage) -> Trouble:
    """Three workers have died over one customer's night; the others wait, because no worker is left."""
    unlucky, other = stage.customer(), stage.customer()
    at(stage.town, NIGHT)
    stage.opens_what_is_due()
    stage.company.execute(f"UPDATE sync_run SET starts = 3 WHERE organisation_id = '{unlucky.id}'")
    return Trouble(
        _of(unlucky),
        lambda: _all_is_well(stage, unlucky, other),
        [("qonto-xero runs ORG", stage.until_quiet), ("qonto-xero check ORG", stage.until_quiet)],
    )


def xero_is_away(stage: Stage) -> Trouble:
    """Xero loses the answer to the first request, then it answers nobody until the night is given up.

    What is uncertain holds up no night by itself, so the accounts are to be read again too.
    """
    party = stage.customer()
    at(stage.town, NIGHT)
    puts = {"service": "xero", "method": "PUT", "path": "/BankTransactions$"}
    stage.town.fault("drop", when="after", match=puts, times=1)
    stage.works()
    stage.company.execute("UPDATE sync_run SET prepared_at = NULL")
    away = stage.town.fault("status", status=503, match={"service": "xero"}, times=None)

    def comes_back() -> None:
        stage.until_quiet()
        assert stage.company.query_file(NIGHTS)[-1][1] == "failed"
        stage.town.control("DELETE", f"/faults/{away}")

    return Trouble(
        _of(party),
        lambda: _all_is_well(stage, party),
        [
            ("qonto-xero replay failed", comes_back),
            ("qonto-xero check ORG", stage.until_quiet),
        ],
    )


def broker_is_down(stage: Stage) -> Trouble:
    """Nothing that the scheduler publishes is confirmed, for longer than five minutes of the night."""
    party = stage.customer()
    stage.company.settings["BROKER_URL"] = f"amqp://{NOBODY}/"
    at(stage.town, NIGHT)
    stage.opens_what_is_due()
    stage.town.advance(360)
    outbox = "SELECT id FROM outbox_message WHERE sent_at IS NULL"
    assert stage.company.query_file(outbox)

    def promise() -> None:
        _all_is_well(stage, party)
        assert stage.company.query_file(outbox) == []

    return Trouble(_of(party), promise, [("qonto-xero check ORG", stage.until_quiet)])


def database_is_restored(stage: Stage) -> Trouble:
    """The database is away; then it is back as it was before the night, which it has forgotten."""
    party = stage.customer()
    backup, url = stage.copy_of_database(), stage.company.database_url
    _night(stage)
    stage.company.settings["DATABASE_URL"] = f"postgresql://sync@{NOBODY}/sync"

    def is_restored() -> None:
        for leftover in stage.company.folder.glob("company.sqlite3*"):
            leftover.unlink()
        shutil.copy(backup, url.removeprefix("sqlite:///"))
        stage.company.settings["DATABASE_URL"] = url

    def seven_minutes_pass() -> None:
        stage.town.advance(420)
        stage.until_quiet()

    return Trouble(
        _of(party) | {"MOMENT": EVENING.rstrip("Z")},
        lambda: _all_is_well(stage, party),
        [("qonto-xero db migrate", is_restored), ("qonto-xero verify ORG", seven_minutes_pass)],
    )


def something_is_in_quarantine(stage: Stage) -> Trouble:
    """An event signed under a key that we do not have yet, a message of no use, and a transaction that is held."""
    party = stage.customer()
    stage.in_xero(party, "lock-date", {"period_lock_date": "2099-01-01"})
    _night(stage)
    ours = stage.company.settings["EVENT_KEYS"]
    stage.company.settings["EVENT_KEYS"] = ANOTHER_KEY
    body = event(organisation_id=party.id, account_id=party.account_id, version=EVENING, time=EVENING)
    with at_desk(stage.company) as workbench:
        receive_event(Delivery(body, *headers_of(body).values()), workbench)
        quarantine("lane nightly", encode("organisation.gone", "nightly", {}), "nobody knows it", workbench.clock())
        numbers = [str(row.id) for row in Quarantine.select().order_by(Quarantine.id)]

    def promise() -> None:
        stage.until_quiet()
        _all_is_well(stage, party)
        assert stage.company.query_file("SELECT outcome FROM inbox_event") == [("in_xero",)]

    return Trouble(
        _of(party) | dict(zip(("QUARANTINED", "ANOTHER"), numbers, strict=True)),
        promise,
        [
            ("qonto-xero quarantine requeue", lambda: stage.company.settings.update(EVENT_KEYS=ours)),
            (
                "qonto-xero replay transaction",
                lambda: stage.in_xero(party, "lock-date", {"period_lock_date": "2026-01-01"}),
            ),
        ],
    )


def duplicate_is_found(stage: Stage) -> Trouble:
    """A transaction stands twice in Xero, and the night's sample has seen it."""
    party = stage.customer()
    _night(stage)
    row = party.ledger()["bank_transactions"][0]
    told = {name: row[name] for name in ("account_id", "type", "date", "url")} | {"amount_cents": row["cents"]}
    copy = stage.in_xero(party, "bank-transactions", told)
    at(stage.town, EARLY)
    stage.until_quiet()
    stage.looks_at_itself()
    assert "I1 VIOLATED" in stage.say("status").out

    def promise() -> None:
        live = [one["url"] for one in party.ledger()["bank_transactions"] if one["status"] == "AUTHORISED"]
        assert Counter(live) == Counter(set(live))
        assert len(live) == len(in_qonto(party))
        _all_is_well(stage, party)
        assert "VIOLATED" not in stage.say("status").out

    return Trouble(
        {"ORG": _slug(party), "TRANSACTION": str(row["url"]).rpartition("/")[2]},
        promise,
        [("qonto-xero verify ORG", lambda: stage.in_xero(party, f"bank-transactions/{copy['id']}/delete"))],
    )


def xero_lets_nobody_in(stage: Stage) -> Trouble:
    """Every refresh token of a customer's has died; then they sign in anew."""
    party = stage.customer()
    stage.in_xero(party, "revoke")
    _night(stage)
    key, token = stage.company.folder / f"{party.id}.key", stage.company.folder / f"{party.id}.token"

    def signs_in() -> None:
        party.authorize()
        token.write_text(party.known["xero_tokens"]["refresh_token"])

    def promise() -> None:
        assert in_xero(party) == in_qonto(party)
        at(stage.town, (stage.now + timedelta(days=1)).isoformat())
        stage.until_quiet()
        assert stage.company.query_file("SELECT state FROM connection") == [("live",)]
        assert stage.say("check", _slug(party)).code == 0

    return Trouble(
        _of(party) | {"KEY_FILE": str(key), "TOKEN_FILE": str(token)},
        promise,
        [("qonto-xero connections add", signs_in), ("qonto-xero sync ORG", stage.until_quiet)],
    )


def key_has_leaked(stage: Stage) -> Trouble:
    """The encryption key is known to somebody, and so are the secrets of a customer who is ended for that."""
    party, leaked = stage.customer(), stage.customer()
    company = stage.company
    old = company.settings["ENCRYPTION_KEYS"]
    ring = f"{NEW_KEY},{old}"

    def promise() -> None:
        assert company.settings["ENCRYPTION_KEYS"] == NEW_KEY
        _night(stage)
        _all_is_well(stage, party)
        assert len(company.query_file(SECRETS)) == 2, "those of one customer"

    return Trouble(
        _of(party) | {"ORG": _slug(leaked)},
        promise,
        [
            ("qonto-xero keys rotate", lambda: company.settings.update(ENCRYPTION_KEYS=ring)),
            ("qonto-xero connections list", lambda: company.settings.update(ENCRYPTION_KEYS=NEW_KEY)),
        ],
    )


def nights_were_missed(stage: Stage) -> Trouble:
    """No scheduler has run for three nights, in which payments settled each day."""
    party = stage.customer()
    first = datetime.fromisoformat(NIGHT)
    for days in range(3):
        at(stage.town, (first + timedelta(days=days, minutes=30)).isoformat())
        party.pay(*payments(1))
    dates = [(first + timedelta(days=days)).astimezone(PARIS).date().isoformat() for days in range(3)]

    def promise() -> None:
        stage.until_quiet()
        _all_is_well(stage, party)
        newest = [("caught_up")] * 2 + ["done"]
        assert [state for day, state in stage.company.query_file(NIGHTS) if day in dates] == newest

    return Trouble(
        _of(party) | {"DATE": dates[0], "LAST_DATE": dates[-1]},
        promise,
        [("qonto-xero runs ORG", stage.until_quiet), ("qonto-xero check ORG", stage.until_quiet)],
    )


def customer_leaves(stage: Stage) -> Trouble:
    """A customer wants to be forgotten."""
    party = stage.customer()
    _night(stage)
    before = party.ledger()

    def promise() -> None:
        party.pay(*payments(1))
        at(stage.town, (stage.now + timedelta(days=1)).isoformat())
        stage.until_quiet()
        assert party.ledger() == before
        assert stage.company.query_file(SECRETS) == []

    return Trouble(_of(party), promise)


def release_is_rolled_back(stage: Stage) -> Trouble:
    """The later release left a migration, a run of a kind and a message for an actor that this one does not know."""
    party = stage.customer()
    at(stage.town, NIGHT)
    stage.opens_what_is_due()
    company = stage.company
    company.execute("INSERT INTO schema_migration (name, applied) VALUES ('0999_of_tomorrow', '2026-11-20')")
    company.execute("ALTER TABLE posting ADD COLUMN of_tomorrow TEXT NOT NULL DEFAULT ''")
    columns = "organisation_id, connection_id, local_date, lane, state, reason, code, wake_at, wave, turns, starts,"
    columns += " failures, imported, posted, accounts_created, created_at"
    company.execute(
        f"INSERT INTO sync_run (kind, {columns}) SELECT 'of_tomorrow', {columns} FROM sync_run WHERE kind = 'nightly'"
    )
    company.execute("UPDATE sync_run SET wake_at = created_at")
    with at_desk(company) as workbench:
        message = encode("organisation.reconcile", "nightly", {"run_id": 1})
        quarantine("lane nightly", message, "no actor is called organisation.reconcile", workbench.clock())
        (kept,) = Quarantine.select()

    def promise() -> None:
        _all_is_well(stage, party)
        kinds = dict(company.query_file("SELECT kind, state FROM sync_run"))
        assert (kinds[RunKind.NIGHTLY], kinds["of_tomorrow"]) == ("done", "waiting")

    return Trouble(_of(party) | {"QUARANTINED": str(kept.id)}, promise, [("qonto-xero runs ORG", stage.works)])


def clocks_change(stage: Stage) -> Trouble:
    """The night of the change to winter time comes 25 hours after the one before."""
    at(stage.town, "2026-10-24T10:00:00Z")
    party = stage.customer(since="2026-10-24T08:00:00Z")
    opened: dict[str, list[str]] = {}
    for moment in ("2026-10-24T21:00:05Z", "2026-10-25T21:00:05Z", "2026-10-25T22:00:05Z"):
        at(stage.town, moment)
        party.pay(*payments(1))
        stage.until_quiet()
        opened[moment] = [str(day) for day, _ in stage.company.query_file(NIGHTS) if str(day) >= "2026-10-24"]

    def promise() -> None:
        first, both = ["2026-10-24"], ["2026-10-24", "2026-10-25"]
        assert list(opened.values()) == [first, first, both]
        _all_is_well(stage, party)

    return Trouble(_of(party), promise)


TROUBLES: dict[str, Callable[[Stage], Trouble]] = {
    "01-night-is-late": night_is_late,
    "02-xero-limits-or-outage": xero_is_away,
    "03-broker": broker_is_down,
    "04-database": database_is_restored,
    "05-quarantine-and-replay": something_is_in_quarantine,
    "06-duplicate": duplicate_is_found,
    "07-many-must-reconnect": xero_lets_nobody_in,
    "08-keys-and-leaks": key_has_leaked,
    "09-missed-nights": nights_were_missed,
    "10-end-a-connection": customer_leaves,
    "11-roll-back": release_is_rolled_back,
    "12-clock": clocks_change,
}
