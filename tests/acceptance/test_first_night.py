"""The first night: everything that settled is in Xero once, as an accountant wants to find it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.credential import Credential
from services.connect import CannotConnect
from tests.acceptance.world import Company, Office, Row, deep_link, receives, spends

pytestmark = pytest.mark.acceptance


def sent_element(company: Company, transaction_id: str) -> Row:
    """The element of the request that created a transaction."""
    elements = [element for sent in company.postings_sent() for element in sent.elements()]
    [element] = [element for element in elements if element["Url"] == deep_link(transaction_id)]
    return element


def facts(row: Row) -> tuple[str, int, str, str]:
    return row["type"], row["cents"], row["contact"], row["url"]


def test_every_settled_transaction_is_in_xero_once_with_its_sign_its_cents_and_its_link(office: Office) -> None:
    company = office.connected()
    invoice, hosting, cent = company.moves(receives(125_000, "Farolillo  SL"), spends(4_730), spends(1))

    office.night()

    assert company.states() == {"posted": 3}
    assert facts(company.row(invoice)) == ("RECEIVE", 125_000, "Farolillo SL", deep_link(invoice))
    assert facts(company.row(hosting)) == ("SPEND", 4_730, "Nube Hosting", deep_link(hosting))
    assert sent_element(company, cent) == {
        "Type": "SPEND",
        "Contact": {"Name": "Nube Hosting"},
        "LineItems": [
            {
                "Description": "Nube Hosting",
                "Quantity": 1,
                "UnitAmount": 0.01,
                "AccountCode": company.coding_account()["code"],
            }
        ],
        "BankAccount": {"AccountID": company.bank_accounts()[0]["id"]},
        "Date": company.row(cent)["date"],
        "Url": deep_link(cent),
        "LineAmountTypes": "NoTax",
        "Status": "AUTHORISED",
    }


@pytest.mark.parametrize(
    ("zone", "settled_at", "date"),
    [
        ("Europe/Paris", "2026-07-14T23:30:00Z", "2026-07-15"),
        ("Europe/Paris", "2026-07-14T21:59:59Z", "2026-07-14"),
        ("Pacific/Auckland", "2026-07-14T12:00:00Z", "2026-07-15"),
        ("America/New_York", "2026-07-15T03:59:59Z", "2026-07-14"),
    ],
)
def test_a_transaction_has_the_date_of_the_day_on_which_it_settled_where_the_company_is(
    office: Office, zone: str, settled_at: str, date: str
) -> None:
    company = office.company()
    [late] = company.moves(spends(990, settled_at=settled_at))
    office.connect(company, zone=zone, starts_at=datetime(2026, 7, 1, tzinfo=UTC))

    office.night(zone)

    assert company.row(late)["date"] == date


def test_twins_stay_two(office: Office) -> None:
    company = office.connected()
    settled = office.world.now.isoformat()
    twins = company.moves(*[spends(250, "Bakery", reference="bread", settled_at=settled, updated_at=settled)] * 2)

    office.night()

    assert [company.row(twin)["cents"] for twin in twins] == [250, 250]


def test_zero_amounts_old_ones_pending_and_declined_ones_stay_out_each_with_its_reason(office: Office) -> None:
    company = office.company()
    [before] = company.moves(spends(100))
    office.connect(company)
    zero, pending, declined, last = company.moves(
        spends(0), spends(200, status="pending"), spends(300, status="declined"), spends(400)
    )

    office.night()

    assert company.states() == {"excluded: zero_amount": 1, "excluded: settled_before_connection": 1, "posted": 1}
    assert company.state(zero) == "excluded: zero_amount"
    assert company.state(before) == "excluded: settled_before_connection"
    assert company.state(pending) == company.state(declined) == "unknown"
    assert company.state(last) == "posted"


def test_a_pending_payment_is_sent_the_night_after_it_settles_with_what_it_settled_at(office: Office) -> None:
    company = office.connected()
    hotel, cancelled = company.moves(spends(20_000, "Hotel", status="pending"), spends(500, status="pending"))
    office.night()
    company.at_qonto(f"transactions/{hotel}/settle", {"amount_cents": 18_350})
    company.at_qonto(f"transactions/{cancelled}/decline")

    office.night()

    assert company.row(hotel)["cents"] == 18_350
    assert company.state(cancelled) == "unknown"


def test_a_foreign_card_payment_is_posted_in_euros_and_tells_what_the_shop_charged(office: Office) -> None:
    company = office.connected()
    card = spends(9_213, "NUBE INC", local_amount_cents=10_000, local_currency="USD", operation_type="card")
    [payment] = company.moves(card | {"card_last_digits": "4242"})

    office.night()

    assert (company.row(payment)["cents"], company.row(payment)["currency"]) == (9_213, "EUR")
    assert sent_element(company, payment)["LineItems"][0]["Description"] == "NUBE INC · card 4242 · 100.00 USD"


def test_a_refund_is_money_in_beside_the_payment(office: Office) -> None:
    company = office.connected()
    payment, refund = company.moves(spends(3_000, "Shop"), receives(3_000, "Shop", operation_type="card"))

    office.night()

    assert [company.row(one)["type"] for one in (payment, refund)] == ["SPEND", "RECEIVE"]


@pytest.mark.parametrize(
    ("name", "contact"),
    [
        ("<script>alert(1)</script>", "script alert(1) /script"),
        ("Eve\r\nX-Header: 1", "Eve X-Header: 1"),
        ("\x1b[31mRed", "[31mRed"),
        ("\u202egnirts", "gnirts"),
        ("  two   spaces ", "two spaces"),
        ('"||1==1||"', '"||1==1||"'),
        ("Ålesund Bäckerei 🥐", "Ålesund Bäckerei 🥐"),
        ("Nu\x00l", "Nul"),
        ("x" * 300, "x" * 255),
        ("", "Label"),
        (None, "Label"),
    ],
)
def test_every_name_survives_and_none_does_harm(office: Office, name: str | None, contact: str) -> None:
    company = office.connected()
    odd, plain = company.moves(spends(100, "Label", clean_counterparty_name=name), spends(200))

    office.night()

    assert company.row(odd)["contact"] == contact
    assert company.state(plain) == "posted"


def test_a_whole_generated_town_comes_through_with_nothing_lost_or_twice(office: Office) -> None:
    since = office.world.now
    company = office.company(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    office.world.wait(hours=10)
    company.at_qonto("transactions", {"count": 80, "seed": 7, "settled_within_hours": 9})
    office.connect(company, starts_at=since)

    office.night()

    assert company.states()["posted"] == len(company.truth()) > 50


def test_an_account_at_another_bank_is_never_created_and_nothing_of_it_sent(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Elsewhere", "is_external": True}])
    [foreign] = company.moves(spends(100, account_id=company.account_ids[1]))

    office.night()

    assert [account["name"] for account in company.bank_accounts()] == ["Main"]
    assert company.state(foreign) == "excluded: external_account"


def test_lines_are_coded_to_what_the_customer_chose_for_money_in_money_out_and_fees(office: Office) -> None:
    company = office.company()
    office.connect(company, money_in_code="200", money_out_code="429", fees_code="404")
    income, payment, fee = company.moves(receives(100), spends(200), spends(300, operation_type="qonto_fee"))

    office.night()

    assert [company.row(one)["line_account_code"] for one in (income, payment, fee)] == ["200", "429", "404"]
    assert [account for account in company.ledger()["accounts"] if "Qonto:" in account["name"]] == []


def test_a_xero_organisation_takes_one_qonto_organisation_also_when_two_connect_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = office.connected("Bar Uno")
    second = office.company("Bar Dos", xero={"tenant_id": first.tenant, "tenant_name": "Bar Uno"})
    monkeypatch.setattr("services.connect.taken_by", lambda _: None)  # each looked before the other had stored

    with pytest.raises(CannotConnect, match="at this moment"):
        office.connect(second)

    assert Credential.select().count() == 2
