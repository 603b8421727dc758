"""One call of ours is one request: nothing below us follows, repeats or redirects it."""

from __future__ import annotations

import pytest

from clients.errors import Temporary
from clients.http import Http
from tests.acceptance.world import World, read_log

pytestmark = pytest.mark.acceptance

PATH = "/api.xro/2.0/BankTransactions"


def test_a_redirect_is_not_followed(world: World, http: Http) -> None:
    world.fault("redirect")
    asked = world.last_request()

    with pytest.raises(Temporary, match="redirected with 302"):
        http.call("PUT", f"{world.sandbox.url}/xero{PATH}", body=b"{}")

    assert len(read_log(world, asked)) == 1


@pytest.mark.parametrize("action", ["drop", "reset", "truncated"])
def test_what_got_no_answer_is_sent_once(world: World, http: Http, action: str) -> None:
    world.fault(action)
    asked = world.last_request()

    with pytest.raises(Temporary, match="no answer"):
        http.call("PUT", f"{world.sandbox.url}/xero{PATH}", body=b"{}")

    assert len(read_log(world, asked)) == 1
