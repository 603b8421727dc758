"""Who may see the night: the password and any name, and not many wrong tries."""

from __future__ import annotations

import base64

import pytest

from settings import Secret
from web.guard import MINUTE, TooFast
from web.operations.login import NAME_LENGTH, WRONG_TRIES, Login, NotLetIn

PASSWORD = "correct horse battery"


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
def login() -> Login:
    return Login(Secret(PASSWORD))


def test_whoever_knows_the_password_is_let_in_under_any_name(login: Login) -> None:
    assert login.check(basic("ada"), "192.0.2.1") == "ada"
    assert login.check(basic("Émile\n{}" + "x" * 99), "192.0.2.1").startswith("Émile {}xxx")
    assert len(login.check(basic("x" * 99), "192.0.2.1")) == NAME_LENGTH


def test_a_password_may_hold_what_separates_it_from_the_name() -> None:
    assert Login(Secret("a:long:password:")).check(basic("ada", "a:long:password:"), "") == "ada"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(""),
        basic("\n"),
        basic("ada", ""),
        basic("ada", PASSWORD + "x"),
        basic("ada", PASSWORD[:-1]),
        basic(PASSWORD, "ada"),
        {"Authorization": "Bearer " + PASSWORD},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic " + base64.b64encode(PASSWORD.encode()).decode()},
        {"Authorization": "Basic \u00e9"},
    ],
)
def test_nobody_else_is_let_in(login: Login, headers: dict[str, str]) -> None:
    with pytest.raises(NotLetIn):
        login.check(headers, "192.0.2.1")


def test_without_a_password_nobody_is_let_in() -> None:
    with pytest.raises(NotLetIn):
        Login(Secret("")).check(basic("ada", ""), "192.0.2.1")


def test_after_some_wrong_tries_an_address_has_to_wait_a_minute_but_not_who_knows_the_password(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("web.guard.time.monotonic", lambda: now[0])
    for _ in range(WRONG_TRIES):
        with pytest.raises(NotLetIn):
            login.check(basic("ada", "guessed"), "192.0.2.1")

    with pytest.raises(TooFast):
        login.check(basic("ada", "guessed"), "192.0.2.1")
    assert login.check(basic("ada"), "192.0.2.1") == "ada"
    with pytest.raises(NotLetIn):
        login.check(basic("ada", "guessed"), "192.0.2.2")
    now[0] += MINUTE
    with pytest.raises(NotLetIn):
        login.check(basic("ada", "guessed"), "192.0.2.1")


def test_looking_often_is_no_wrong_try(login: Login) -> None:
    for _ in range(3 * WRONG_TRIES):
        login.check(basic("ada"), "192.0.2.1")


def test_a_browser_that_has_not_been_asked_yet_has_tried_nothing(login: Login) -> None:
    for _ in range(2 * WRONG_TRIES):
        with pytest.raises(NotLetIn):
            login.check({}, "192.0.2.1")

    assert login.check(basic("ada"), "192.0.2.1") == "ada"


def test_a_password_in_the_place_of_the_name_is_not_handed_on_to_the_log(login: Login) -> None:
    assert login.check(basic(f"x{PASSWORD}"), "192.0.2.1") == "***"
