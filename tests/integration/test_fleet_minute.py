"""Processes that each take many calls at once take together no more than the app's minute."""

from __future__ import annotations

from contextlib import suppress

import pytest

from clients.errors import RateLimited
from domain.call_limits import NIGHT
from services.app_share import MOST_AT_ONCE, AppShare
from tests.factories import NOW


@pytest.mark.usefixtures("database")
def test_two_processes_together_take_no_more_than_the_apps_minute() -> None:
    shares = [AppShare(lambda: NOW), AppShare(lambda: NOW)]
    taken = 0

    with suppress(RateLimited):
        while taken <= NIGHT.app_minute:
            shares[taken % 2].take(NIGHT)
            taken += 1

    assert NIGHT.app_minute - MOST_AT_ONCE <= taken <= NIGHT.app_minute
