"""When something is wrong a person learns what to do, and nothing of what was wrong; the log learns the rest."""

from __future__ import annotations

import re

import pytest

from models.database import DatabaseUnreachable
from tests.acceptance.page import Visitor, follow
from tests.acceptance.world import Office

pytestmark = pytest.mark.acceptance


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here."""
    return sqlite_url


def test_what_nobody_foresaw_is_logged_under_the_reference_that_the_page_shows_and_not_shown(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ada = visitor()
    ada.sign_in()

    def break_down(*_: object) -> None:
        raise KeyError("SELECT canary FROM somewhere")

    monkeypatch.setattr("web.overview.view_integration", break_down)

    shown = ada.browser.get("/")

    assert shown.status == 500
    assert shown.headers["X-Request-Id"] in shown.html
    assert not re.search("canary|Traceback|KeyError|/work|\\.py", shown.html)
    assert "canary" in caplog.text
    monkeypatch.undo()
    assert ada.browser.get("/").status == 200


@pytest.mark.parametrize("service", ["qonto", "xero"])
def test_when_qonto_or_xero_does_not_answer_the_page_says_later_and_changes_nothing(
    office: Office, visitor: Visitor, service: str
) -> None:
    ada = visitor()
    ada.sign_in()
    confirm = ada.consent()
    office.world.fault("status", service=service, method="GET", path=".*", status=503)

    shown = ada.browser.press(confirm, "Connect")

    assert (shown.status, shown.headers["Retry-After"]) == (503, "60")
    office.world.sandbox.delete("/faults")
    assert ada.browser.press(confirm, "Connect").heading == "Xero is connected"
    follow(office, ada)


def test_when_the_database_is_away_the_page_says_later(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = visitor()

    def unreachable(*_: object) -> None:
        raise DatabaseUnreachable("cannot reach the database canary at db.internal:5432")

    monkeypatch.setattr("web.site.session_of", unreachable)

    shown = ada.browser.get("/")

    assert shown.status == 503
    assert "canary" not in shown.html


def test_a_session_whose_qonto_authorisation_was_revoked_signs_in_again(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    ada.company.at_qonto("revoke")

    shown = ada.browser.get("/")

    assert shown.status == 401
    assert ada.browser.session == ""
    assert ada.sign_in().heading == "Connect Xero"


def test_an_attempt_that_xero_has_let_us_out_of_meanwhile_is_told(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    confirm = ada.consent()
    ada.company.in_xero("disconnect")

    shown = ada.browser.press(confirm, "Connect")

    assert shown.status == 409
    assert "Xero did not let us into any organisation." in shown.html


def test_the_log_of_a_page_never_holds_what_oauth_brings(
    office: Office, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    ada = visitor()
    ada.sign_in()
    back = ada.xero_says_yes(ada.go_to_xero())
    office.world.fault("status", service="identity", method="POST", path="/connect/token", status=500)
    ada.browser.get(back)

    assert "a page had to say later" in caplog.text
    assert "code=" not in caplog.text
    assert "state=" not in caplog.text
