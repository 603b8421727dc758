"""What a test may choose about the world; the README's table says what each one means."""

from typing import Literal

import msgspec


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """One flat object, changed through /control/settings."""

    xero_read_latency: float = 0.0
    xero_write_latency: float = 0.0
    identity_latency: float = 0.0
    qonto_latency: float = 0.0
    xero_list_lag: float = 0.0
    qonto_list_lag: float = 0.0
    qonto_account_lag: float = 0.0
    rate_limits: bool = True
    concurrent_limit: int = 5
    minute_limit: int = 60
    app_minute_limit: int = 10_000
    qonto_rate_limits: bool = False
    concurrent_keys: Literal["wait", "both"] = "wait"
    archived_blocks_reuse: bool = True
    deleted_account: Literal["gone", "listed"] = "gone"
    batch_order: Literal["sent", "reversed"] = "sent"
    reconnect_keeps_auth_event: bool = True
    updated_at_from: Literal["inclusive", "exclusive"] = "inclusive"
    qonto_one_status: bool = False
    log_bodies: bool = False
    log_limit: int = 20_000


def with_latency(seconds: float) -> Settings:
    """Default settings where every service takes `seconds` to answer."""
    return Settings(
        xero_read_latency=seconds,
        xero_write_latency=seconds,
        identity_latency=seconds,
        qonto_latency=seconds,
    )
