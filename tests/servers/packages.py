"""Finding server programs on this machine, and installing them on Debian or Ubuntu when we may."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import ServerError

# Debian asks this script before it starts a freshly installed service; 101 means no.
POLICY = Path("/usr/sbin/policy-rc.d")
APT_OPTIONS = ["-qq", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
APT_SECONDS = 900


def find_or_install(program: str, *, places: list[str], package: str) -> Path:
    """The path of `program`, looked for under the glob patterns `places`; else `package` is installed first.

    The highest version wins. Raises `ServerError` that says what is missing when it cannot be had here.
    """
    found = _find(program, places)
    if found is None:
        _install(package, wanted_for=program)
        found = _find(program, places)
    if found is None:
        raise ServerError(f"{package} is installed but {program} is in none of {', '.join(places)}")
    return found


def _find(program: str, places: list[str]) -> Path | None:
    candidates = [path for place in places for path in Path("/").glob(f"{place.lstrip('/')}/{program}")]
    return max(candidates, key=_version, default=None)


def _version(path: Path) -> list[int]:
    digits = "".join(character if character.isdigit() else " " for character in str(path))
    return [int(number) for number in digits.split()]


def _install(package: str, *, wanted_for: str) -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ServerError(
            f"integration tests need {wanted_for}: start a Docker engine, or install the package {package}, "
            "or run the tests as root on Debian or Ubuntu and they install it"
        )
    with _services_stay_off():
        _apt_get("update")
        _apt_get("install", "--no-install-recommends", package)


def _apt_get(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", *APT_OPTIONS, *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=APT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"apt-get {' '.join(arguments)} failed:\n{done.stdout[-2000:]}")


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Keep the package scripts from starting the machine-wide service: the tests run their own process."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(POLICY.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
