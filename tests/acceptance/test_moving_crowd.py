"""A crowd of one `updated_at` larger than a page is read whole, however people edit it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clients.http import Answer, Http
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance


class EditsBetweenPages(Http):
    """After the first page of the crowd itself was read, 30 of its rows are edited."""

    def __init__(self, http: Http, edit: Callable[[], None]) -> None:
        self._http, self._edit, self._pages = http, edit, 0

    def call(self, method: str, url: str, **parts: Any) -> Answer:
        answer: Answer = self._http.call(method, url, **parts)
        if url.endswith("/v2/transactions"):
            self._pages += 1
            if self._pages == 2:
                self._edit()
        return answer


def test_a_crowd_that_is_edited_while_it_is_read_loses_no_row(office: Office) -> None:
    company = office.connected()
    moment = office.world.now.isoformat()
    told = {"settled_at": moment, "updated_at": moment}
    made = company.moves(*(spends(100 + number, **told) for number in range(150)))

    def edit() -> None:
        for row in made[:30]:
            company.at_qonto(f"transactions/{row}", {"note": "edited in mid-scan"})

    office.workbench = replace(office.workbench, http=EditsBetweenPages(office.workbench.http, edit))
    office.night()

    assert len(company.rows()) == 150
