"""Unit tests open no socket, and Hypothesis tries few examples, always the same ones."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("unit", max_examples=60, derandomize=True, deadline=None, database=None)
settings.load_profile("unit")


def _refuse(*_: object) -> NoReturn:
    raise AssertionError("a unit test tried to open a connection")


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _refuse)
