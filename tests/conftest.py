"""Fixtures every tier shares."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.servers.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make pictures` says where."""
    parser.addoption("--pictures", default="", help="A folder for the pictures that tests take of the page.")
