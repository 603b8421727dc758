"""What every answer tells the browser: run nothing of others', be framed by nobody, keep no copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

YEAR_SECONDS = 365 * 24 * 3600
STATIC = "public, max-age=3600"


NOTHING = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}


def customers_policy(form_targets: Sequence[str]) -> dict[str, str]:
    """Our own scripts and forms. `form_targets`: other origins that a form may lead to, if they do not speak https.

    Browsers count every redirect behind a form: where Qonto and Xero send a person to sign in is theirs to say.
    """
    form_action = " ".join(["'self'", "https:", *form_targets])
    return {**NOTHING, "script-src": "'self'", "connect-src": "'self'", "form-action": form_action}


def operators_policy() -> dict[str, str]:
    """No script, not even ours, and no form."""
    return {**NOTHING, "script-src": "'none'", "form-action": "'none'"}


def security_headers(policy: Mapping[str, str]) -> dict[str, str]:
    """For every answer of a site whose pages may do this and no more."""
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Strict-Transport-Security": f"max-age={YEAR_SECONDS}; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cache-Control": "no-store",
    }
