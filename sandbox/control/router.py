"""The control API's addresses."""

import re
from collections.abc import Callable

from sandbox.control import (
    clock,
    core,
    faults,
    organisations,
    people,
    qonto,
    qonto_accounts,
    requests,
    secrets,
    settings,
    worlds,
    xero,
    xero_books,
    xero_users,
)
from sandbox.control.answers import Wrong
from sandbox.wire import Answer, Call
from sandbox.world import World

Action = Callable[..., Answer]

_ROUTES: tuple[tuple[str, str, Action], ...] = (
    ("GET", "/clock", clock.show),
    ("POST", "/clock", clock.move),
    ("GET", "/settings", settings.show),
    ("POST", "/settings", settings.change),
    ("POST", "/reset", settings.reset),
    ("GET", "/organisations", organisations.show_all),
    ("POST", "/organisations", organisations.make),
    ("POST", "/worlds", worlds.make),
    ("GET", "/tenants", xero.show_tenants),
    ("POST", "/tenants", xero.make_tenant),
    ("GET", "/requests", requests.show),
    ("GET", "/requests/open", requests.show_open),
    ("DELETE", "/requests", requests.clear),
    ("GET", "/secrets", secrets.show),
    ("GET", "/faults", faults.show_all),
    ("POST", "/faults", faults.add),
    ("DELETE", "/faults", faults.clear),
    ("GET", "/faults/{}", faults.show),
    ("DELETE", "/faults/{}", faults.remove),
    ("POST", "/faults/{}/release", faults.release),
    ("GET", "/core", core.show),
    ("POST", "/core", core.change),
    ("GET", "/core/events", core.show_events),
    ("GET", "/qonto/{}/ledger", qonto.ledger),
    ("GET", "/qonto/{}/people", people.show),
    ("POST", "/qonto/{}/people", people.add),
    ("POST", "/qonto/{}/people/{}", people.change),
    ("POST", "/qonto/{}/transactions", qonto.add_transactions),
    ("POST", "/qonto/{}/transactions/{}", qonto.edit),
    ("POST", "/qonto/{}/transactions/{}/settle", qonto.settle),
    ("POST", "/qonto/{}/transactions/{}/decline", qonto.decline),
    ("POST", "/qonto/{}/transactions/{}/restate", qonto.restate),
    ("POST", "/qonto/{}/transactions/{}/take-back", qonto.take_back),
    ("POST", "/qonto/{}/accounts", qonto_accounts.open_account),
    ("POST", "/qonto/{}/accounts/{}/activate", qonto_accounts.activate_account),
    ("POST", "/qonto/{}/accounts/{}/close", qonto_accounts.close_account),
    ("POST", "/qonto/{}/accounts/{}/rename", qonto_accounts.rename_account),
    ("POST", "/qonto/{}/accounts/{}/emit", qonto_accounts.emit),
    ("POST", "/qonto/{}/revoke", qonto.revoke),
    ("GET", "/xero/users", xero_users.show),
    ("POST", "/xero/users", xero_users.change),
    ("GET", "/xero/{}/ledger", xero_books.ledger),
    ("POST", "/xero/{}/bank-transactions", xero_books.enter_transaction),
    ("POST", "/xero/{}/bank-transactions/{}/delete", xero_books.delete_transaction),
    ("POST", "/xero/{}/bank-transactions/{}/reconcile", xero_books.reconcile),
    ("POST", "/xero/{}/bank-transactions/{}/edit", xero_books.edit_transaction),
    ("POST", "/xero/{}/accounts", xero_books.make_account),
    ("POST", "/xero/{}/accounts/{}/archive", xero_books.archive_account),
    ("POST", "/xero/{}/accounts/{}/unarchive", xero_books.unarchive_account),
    ("POST", "/xero/{}/accounts/{}/delete", xero_books.delete_account),
    ("POST", "/xero/{}/accounts/{}/rename", xero_books.rename_account),
    ("POST", "/xero/{}/contacts/{}/archive", xero_books.archive_contact),
    ("POST", "/xero/{}/lock-date", xero.lock),
    ("POST", "/xero/{}/currencies", xero.change_currencies),
    ("POST", "/xero/{}/day-limit", xero.change_day_limit),
    ("POST", "/xero/{}/disconnect", xero.disconnect),
    ("POST", "/xero/{}/authorize", xero.authorize),
    ("POST", "/xero/{}/revoke", xero.revoke),
)


class Control:
    """Finds the action of a control request and does it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes = [
            (method, re.compile(pattern.replace("{}", "([^/]+)")), action) for method, pattern, action in _ROUTES
        ]

    def answer(self, call: Call) -> Answer:
        """Answer one request below /control."""
        known = False
        for method, pattern, action in self._routes:
            found = pattern.fullmatch(call.path.rstrip("/"))
            known = known or found is not None
            if found is not None and method == call.method:
                return self._do(action, call, found.groups())
        text = f"{call.method} is not offered at" if known else "Nothing of the control API is at"
        return Wrong(f"{text} {call.path}.", 404).answer()

    def _do(self, action: Action, call: Call, names: tuple[str, ...]) -> Answer:
        try:
            return action(self._world, call, *names)
        except Wrong as wrong:
            return wrong.answer()
