"""What Xero never took, for an account that is gone by now, is held, and holds no other."""

from __future__ import annotations

import pytest

from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance


def test_what_was_never_taken_for_an_account_that_is_gone_is_held_and_holds_no_other(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    [never_taken] = company.moves(spends(100, account_id=old))
    office.world.fault("status", status=500)
    office.world.fault("status", status=503, method="GET", times=None)
    office.night()  # Xero can be asked for nothing all night: the batch stays uncertain, and says why
    office.world.end_faults()
    assert company.state(never_taken) == "uncertain: not_looked_up"
    company.at_qonto(f"accounts/{old}/close")
    company.in_xero(f"accounts/{company.bank_accounts(name='Old')[0]['id']}/archive")
    [other] = company.moves(spends(200))

    office.night()

    assert company.state(other) == "posted"
    company.missing[never_taken] = "held: account_not_in_xero"
