"""One world for the whole run, made empty before each test, at a time that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.world_client import Party, WorldClient, running_world

NOON = "2026-11-20T12:00:00.000Z"


@pytest.fixture(scope="session")
def world_url() -> Iterator[str]:
    with running_world("--frozen-at", NOON) as url:
        yield url


@pytest.fixture(scope="session")
def default_settings(world_url: str) -> dict[str, Any]:
    return WorldClient(world_url).control("GET", "/settings")


@pytest.fixture
def world(world_url: str, default_settings: dict[str, Any]) -> Iterator[WorldClient]:
    client = WorldClient(world_url)
    client.control("POST", "/reset")
    client.control("POST", "/settings", default_settings)
    client.control("POST", "/core", {"broker_url": None, "key_id": None, "key": None, "emits": True})
    client.control("POST", "/clock", {"now": NOON, "frozen": True})
    with client.session:
        yield client


@pytest.fixture
def party(world: WorldClient) -> Party:
    """An organisation with one Qonto account and a connected Xero."""
    return world.organisation()


@pytest.fixture
def bank_account(party: Party) -> str:
    """A Xero bank account made by API."""
    return party.bank_account()
