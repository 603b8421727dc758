"""Who may send our forms, and how often anybody may ask."""

from __future__ import annotations

import pytest

from web import guard
from web.guard import MINUTE, MOST, Forged, Pace, TooFast, check_origin, origin_of, peer_of

HERE = "https://xero.example.com"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": HERE},
        {"Sec-Fetch-Site": "same-origin", "Origin": HERE},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_of_ours_may_be_sent_also_by_a_browser_that_tells_nothing(headers: dict[str, str]) -> None:
    check_origin(headers, HERE)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://xero.example.com"},
        {"Origin": "https://xero.example.com:8443"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
    ],
)
def test_no_other_site_may_send_our_forms(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        check_origin(headers, HERE)


@pytest.mark.parametrize(
    ("forwarded", "proxies", "peer"),
    [
        ("", 0, "10.0.0.1"),
        ("198.51.100.7", 0, "10.0.0.1"),
        ("198.51.100.7", 1, "198.51.100.7"),
        ("made up, 198.51.100.7", 1, "198.51.100.7"),
        ("made up, 198.51.100.7, 10.0.0.9", 2, "198.51.100.7"),
        ("198.51.100.7", 2, "10.0.0.1"),
    ],
)
def test_where_a_request_comes_from_is_what_our_own_proxies_saw(forwarded: str, proxies: int, peer: str) -> None:
    assert peer_of("10.0.0.1", forwarded, proxies) == peer


def test_an_origin_is_what_stands_before_the_path() -> None:
    assert origin_of("https://login.xero.com/identity/connect/authorize") == "https://login.xero.com"
    assert origin_of("http://localhost:8080") == "http://localhost:8080"


def test_an_address_may_ask_thirty_times_a_minute_and_others_meanwhile_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("web.guard.time.monotonic", lambda: now[0])
    pace = Pace()
    for _ in range(MOST):
        pace.check("one")

    with pytest.raises(TooFast):
        pace.check("one")
    pace.check("another")
    now[0] += MINUTE
    pace.check("one")


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_PEERS", 2)
    pace = Pace()
    for peer in ("one", "two", "three"):
        pace.check(peer)

    assert list(pace._times) == ["two", "three"]
