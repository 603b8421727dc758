"""The world as a process, and as an island."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import requests

from tests.sandbox.world_client import READY, REPOSITORY, TIMEOUT_S

OURS = {
    "cli",
    "clients",
    "commands",
    "console",
    "demo",
    "domain",
    "messaging",
    "models",
    "scheduler",
    "services",
    "settings",
}


def hang_up_while_talking(url: str) -> None:
    """Begin a request, and be gone in the middle of its body."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), TIMEOUT_S) as caller:
        caller.sendall(b"PUT /xero/BankTransactions HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")


def test_it_says_where_it_listens_and_ends_cleanly_on_sigterm() -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--frozen-at", "2026-01-01T00:00:00Z", "--latency", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as world:
        assert world.stdout is not None
        assert world.stderr is not None
        line = world.stdout.readline().strip()
        assert line.startswith(f"{READY}http://127.0.0.1:")
        url = line.removeprefix(READY)
        assert requests.get(f"{url}/control/clock", timeout=TIMEOUT_S).json()["now"] == "2026-01-01T00:00:00.000Z"
        hang_up_while_talking(url)
        assert requests.get(f"{url}/control/clock", timeout=TIMEOUT_S).ok
        world.send_signal(signal.SIGTERM)
        assert world.wait(TIMEOUT_S) == 0
        assert world.stderr.read() == ""


def test_the_sandbox_imports_nothing_of_the_project() -> None:
    for path in (REPOSITORY / "sandbox").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not {name.split(".")[0] for name in names} & OURS, path
