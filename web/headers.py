"""What every answer tells the browser: run nothing of others', be framed by nobody, keep no copy."""

from __future__ import annotations

from collections.abc import Sequence

YEAR_SECONDS = 365 * 24 * 3600
STATIC = "public, max-age=3600"


def security_headers(form_targets: Sequence[str]) -> dict[str, str]:
    """For every answer. `form_targets`: other origins that a form of ours may lead to, if they do not speak https.

    Browsers count every redirect behind a form: where Qonto and Xero send a person to sign in is theirs to say.
    """
    policy = {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": " ".join(["'self'", "https:", *form_targets]),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }
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
