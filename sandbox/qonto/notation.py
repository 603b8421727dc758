"""How Qonto writes money."""

import msgspec


def amount_json(cents: int) -> msgspec.Raw:
    """Cents as a JSON number with two decimals."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return msgspec.Raw(f"{sign}{whole}.{rest:02d}".encode())
