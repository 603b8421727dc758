"""The check of every organisation: a fault met in one of them is named, and the others are checked."""

from __future__ import annotations

from typing import Any

import pytest

from services import check
from services.check import Check, check_all
from tests.acceptance.world import Company, Office

pytestmark = pytest.mark.acceptance


def test_a_fault_in_one_check_hides_no_other(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, whole = office.connected(), office.connected("Other SL")
    office.night()
    real = check.check_over

    def fails_for_one(connection: Any, *rest: Any) -> Check:
        if connection.id == broken.connection.id:
            raise ArithmeticError("secret")
        return real(connection, *rest)

    monkeypatch.setattr(check, "check_over", fails_for_one)
    found = {one.organisation: one for one in check_all(office.workbench)}

    assert found[_slug(whole)].holds
    assert not found[_slug(broken)].holds
    assert found[_slug(broken)].problem == "an error of this program: ArithmeticError"


def _slug(company: Company) -> str:
    return str(company.known["slug"])
