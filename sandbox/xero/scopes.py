"""Which OAuth scope an endpoint needs; Xero accepts its granular scopes and the older broad ones."""

from functools import lru_cache

_SETTINGS = frozenset({"accounting.settings"})
_SCOPES = {
    "organisation": _SETTINGS,
    "currencies": _SETTINGS,
    "accounts": _SETTINGS,
    "banktransactions": frozenset({"accounting.banktransactions", "accounting.transactions"}),
    "contacts": frozenset({"accounting.contacts"}),
}
_ACCOUNTING = (
    *("transactions", "invoices", "payments", "banktransactions", "manualjournals", "settings", "contacts"),
    *("attachments", "journals", "reports", "budgets"),
)
# What a consent may ask for: the person's identity, and the granular and the broad scopes of the Accounting API.
KNOWN = frozenset(
    {
        *("openid", "profile", "email", "offline_access", "bankfeeds", "assets", "files", "projects"),
        *(f"accounting.{name}" for name in _ACCOUNTING),
        *(f"accounting.{name}.read" for name in _ACCOUNTING),
    }
)


@lru_cache(maxsize=1024)
def _scopes(text: str) -> frozenset[str]:
    return frozenset(text.split())


def scope_allows(granted: str, method: str, path: str) -> bool:
    """Whether the granted scopes reach this endpoint; `.read` reaches it for reading only."""
    resource = path.split("/")[3].lower() if path.count("/") >= 3 else ""
    needed = _SCOPES.get(resource)
    if needed is None:
        return True
    scopes = _scopes(granted)
    if needed & scopes:
        return True
    return method == "GET" and any(f"{scope}.read" in scopes for scope in needed)
