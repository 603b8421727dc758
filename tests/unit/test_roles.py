"""Who may connect and disconnect: owners, admins and accountants whose membership is active, and nobody else."""

from __future__ import annotations

import pytest

from domain.reasons import NotAllowed
from domain.roles import why_not_allowed


@pytest.mark.parametrize("role", ["owner", "admin", "reporting", "accountant"])
def test_owners_admins_and_accountants_may(role: str) -> None:
    assert why_not_allowed(role, "active") is None


@pytest.mark.parametrize("role", ["manager", "employee", "Owner", "auditor", "", None])
def test_nobody_else_may_whatever_roles_qonto_will_have(role: str | None) -> None:
    assert why_not_allowed(role, "active") == NotAllowed.ROLE


@pytest.mark.parametrize("status", ["inactive", "pending", "invitable", "ACTIVE", "", None])
def test_not_even_an_owner_may_whose_membership_is_not_active(status: str | None) -> None:
    assert why_not_allowed("owner", status) == NotAllowed.NOT_ACTIVE
