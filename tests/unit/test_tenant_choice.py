"""Which Xero organisation a consent was for: what Xero says, then what is likely; in doubt a person chooses."""

from __future__ import annotations

from domain.tenant_choice import Offer, Reached, offer

NOW, LATER = "2026-11-20T22:00:00.1000000", "2026-11-20T22:00:00.2000000"
BAKERY, FLORIST, FLAT = Reached("bakery", "today", NOW), Reached("florist", "may", LATER), Reached("flat", "may", NOW)


def test_the_only_one_of_this_consent_is_certain_however_many_the_login_reaches() -> None:
    assert offer([FLORIST, BAKERY, FLAT], "today", {"florist"}) == Offer(("bakery",), "", is_certain=True)


def test_several_of_one_consent_are_asked_about_and_none_of_them_is_the_first_choice() -> None:
    assert offer([FLORIST, FLAT, BAKERY], "may", set()) == Offer(("florist", "flat"), "", is_certain=False)


def test_of_several_the_one_that_this_customer_had_is_suggested() -> None:
    assert offer([FLORIST, FLAT], "may", {"flat", "bakery"}).suggested == "flat"


def test_where_xero_names_no_consent_all_are_offered_and_the_one_it_touched_last_is_suggested() -> None:
    assert offer([BAKERY, FLORIST, FLAT], "tomorrow", set()) == Offer(
        ("bakery", "florist", "flat"), "florist", is_certain=False
    )


def test_where_xero_names_no_consent_the_one_that_this_customer_had_comes_before_the_one_touched_last() -> None:
    assert offer([BAKERY, FLORIST, FLAT], "", {"flat"}).suggested == "flat"


def test_of_two_that_this_customer_had_the_one_touched_last_is_suggested() -> None:
    assert offer([BAKERY, FLORIST, FLAT], "", {"flat", "bakery"}).suggested == "florist"


def test_without_a_consent_that_is_known_one_of_none_belongs_to_it() -> None:
    unknown = Reached("bakery", "", NOW)

    assert offer([unknown, FLORIST], "", set()) == Offer(("bakery", "florist"), "florist", is_certain=False)


def test_the_only_one_that_the_login_reaches_at_all_is_certain() -> None:
    assert offer([FLORIST], "tomorrow", set()) == Offer(("florist",), "florist", is_certain=True)


def test_a_login_that_reaches_nothing_offers_nothing() -> None:
    assert offer([], "today", {"bakery"}) == Offer((), "", is_certain=False)
