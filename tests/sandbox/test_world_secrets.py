"""The world tells what must never be seen, and whoever looks for it finds it."""

from __future__ import annotations

import pytest

from tests.canaries import Canaries
from tests.checker import reader
from tests.sandbox.world_client import WorldClient

IBAN = "FR7610096000501234567890189"


@pytest.mark.parametrize("what", ["refresh_token", "access_token", "key", "code", "iban", "iban in groups", "secret"])
def test_each_kind_of_secret_is_found_in_a_text_and_not_quoted(world: WorldClient, what: str) -> None:
    canaries = Canaries(reader(world))
    party = world.organisation(accounts=[{"name": "Main", "iban": IBAN}])
    secret = {
        "refresh_token": party.known["xero_tokens"]["refresh_token"],
        "access_token": party.known["qonto_tokens"]["access_token"],
        "key": party.known["qonto_secret"],
        "code": world.control("POST", f"/xero/{party.tenant}/authorize", {})["code"],
        "iban": IBAN,
        "iban in groups": "FR76 1009 6000 5012 3456 7890 189",
        "secret": party.known["xero_client_secret"],
    }[what]

    [line] = canaries.seen_in([("the log", f'{{"message": "it said {secret}!"}}')])

    assert "the log" in line
    assert secret not in line


def test_customers_words_are_looked_for_where_they_have_no_place(world: WorldClient) -> None:
    canaries = Canaries(reader(world))
    world.organisation().pay({"amount_cents": 1, "label": "Impuestos de noviembre"})
    log = [("the log", "sent Impuestos de noviembre")]

    assert len(canaries.seen_in(log, words=True)) == 1
    assert canaries.seen_in(log) == []


def test_nothing_is_found_where_nothing_is(world: WorldClient) -> None:
    canaries = Canaries(reader(world))
    world.organisation()

    assert canaries.seen_in([("the log", "run 17 is done"), ("nothing", "")], words=True) == []


def test_only_what_was_made_since_is_told(world: WorldClient) -> None:
    world.organisation()
    last = world.control("GET", "/secrets")["last"]
    party = world.organisation()

    fresh = world.control("GET", f"/secrets?after={last}")

    assert party.known["xero_tokens"]["refresh_token"] in fresh["secrets"]
    assert fresh["last"] > last
    assert world.call("GET", "/control/secrets?after=x").status_code == 400
