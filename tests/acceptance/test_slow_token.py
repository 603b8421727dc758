"""Getting a token may take longer than Xero remembers a key: the rule is asked again at the send itself."""

from __future__ import annotations

import pytest

from services.access_tokens import StoredTokens
from settings import Secret
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance


def test_a_replay_whose_token_came_too_late_is_not_sent(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    office.world.wait(minutes=2)
    real = StoredTokens.current

    def slow(tokens: StoredTokens) -> Secret:
        office.world.wait(minutes=4)
        return real(tokens)

    with monkeypatch.context() as patch:
        patch.setattr(StoredTokens, "current", slow)
        office.turn()

    assert len(company.postings_sent()) == 1
    office.run_until_quiet()
    assert len(company.postings_sent()) == 1
