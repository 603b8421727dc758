"""Prometheus's own checker of rules: the machine's, or Debian's, installed when we may."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers.packages import find_or_install

PLACES = ["/usr/bin", "/usr/local/bin", "/opt/prometheus*", "/opt/homebrew/bin"]


def promtool(*arguments: str, folder: Path) -> str:
    """What it says, run in a folder; raises AssertionError with that when it finds something wrong."""
    program = find_or_install("promtool", places=PLACES, package="prometheus")
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    said = done.stdout + done.stderr
    assert not done.returncode, said
    return said
