"""The steps of the image without a container: done in an empty folder, then run by a user who may write nothing."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.compose import COMPOSE, ROOT, SANDBOX, ours, read_compose

pytestmark = pytest.mark.faults  # it installs everything that the product needs: a minute

SECONDS = 600
SAID: list[list[str]] = [service["command"] for service in ours(read_compose(COMPOSE, SANDBOX)).values()]
HOME = "/opt/qonto-xero"
DATA = ("web/pages", "web/static", "web/catalogues", "sandbox/pages", "models/migrations")


@dataclass
class Image:
    """What the Dockerfile's steps leave under `root`, and what it says of how it is run."""

    root: Path
    context: Path
    workdir: Path = Path("/")
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    entrypoint: str = ""

    def path(self, inside: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / inside.lstrip("/")

    def build(self) -> None:
        """Every step, in order. Both stages share one root: the second takes one folder of the first along."""
        for instruction, rest in steps((ROOT / "Dockerfile").read_text()):
            getattr(self, f"_{instruction.lower()}", self._unknown)(rest)

    def _unknown(self, rest: str) -> None:
        """LABEL, EXPOSE and CMD do nothing to files."""

    def _from(self, rest: str) -> None:
        assert re.match(r"python:3\.11\.\d+-slim-bookworm( AS build)?$", rest)
        shutil.rmtree(self.path("/build"), ignore_errors=True)
        self.workdir, self.environment = Path("/"), {}

    def _workdir(self, rest: str) -> None:
        self.workdir = Path(rest)
        self.path(rest).mkdir(parents=True)

    def _run(self, rest: str) -> None:
        command = [word.replace(HOME, str(self.path(HOME))) for word in shlex.split(rest)]
        programs = {"python": [a_python()], "pip": [sys.executable, "-m", "pip"]}
        subprocess.run(
            [*programs[command[0]], *command[1:]],
            cwd=self.path(str(self.workdir)),
            check=True,
            timeout=SECONDS,
            stdout=subprocess.DEVNULL,
        )

    def _copy(self, rest: str) -> None:
        if rest.startswith("--from=build"):
            _, source, target = rest.split()
            assert source == target == HOME
            return
        source, target = rest.split()
        found, place = self.context / source, self.path(str(self.workdir / target))
        if found.is_dir():
            shutil.copytree(found, place, dirs_exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, place)

    def _env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            known = {"PATH": os.defpath} | self.environment
            self.environment[name] = value.replace(HOME, str(self.path(HOME))).replace("$PATH", known["PATH"])

    def _user(self, rest: str) -> None:
        self.user = rest

    def _entrypoint(self, rest: str) -> None:
        (self.entrypoint,) = re.findall(r'"([^"]+)"', rest)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its program as its user."""
        another = os.geteuid() == 0 and is_open(a_python())  # else we are somebody with few rights ourselves
        return subprocess.run(
            [self.path(f"{HOME}/bin/{self.entrypoint}"), *arguments],
            env=self.environment,
            cwd="/",
            user=int(self.user.partition(":")[0]) if another else None,
            extra_groups=[] if another else None,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def a_python() -> str:
    """The Python that an image would bring: one that every user may run, if there is one."""
    found = [sys._base_executable, shutil.which("python3.11", path=os.defpath)]  # type: ignore[attr-defined]
    return next((path for path in found if path and is_open(path)), str(found[0]))


def is_open(path: str) -> bool:
    """Whether everybody may run what is there."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in Path(path).resolve().parents)


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Each instruction and what stands behind it."""
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            instruction, _, rest = line.partition(" ")
            yield instruction, rest.strip()


def copy_context(target: Path) -> None:
    """What Docker would be sent: the tree without what .dockerignore names."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    kept = [line[1:] for line in lines if line.startswith("!")]

    def ignored(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(ROOT)
        return [
            name
            for name in names
            if any(_fits(inside / name, line) for line in lines if not line.startswith("!"))
            or (kept and inside.parts[:1] == ("deploy",) and not _leads_to(inside / name, kept))
        ]

    def _fits(path: Path, pattern: str) -> bool:
        if pattern.startswith("**/"):
            return path.name == pattern[3:]
        leads = _leads_to(path, kept)
        return not leads and fnmatch.fnmatch(str(path), pattern) and "/" not in str(path)

    shutil.copytree(ROOT, target, ignore=ignored)


def _leads_to(path: Path, kept: list[str]) -> bool:
    return any(path == Path(one) or path in Path(one).parents for one in kept)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)  # whoever runs it passes through
    try:
        copy_context(folder / "context")
        made = Image(folder / "root", folder / "context")
        made.build()
        subprocess.run(["chmod", "-R", "a-w", str(made.root)], check=True)
        yield made
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
        shutil.rmtree(folder)


def test_nothing_that_is_secret_or_only_ours_is_sent_to_the_builder(image: Image) -> None:
    sent = {path.name for path in image.context.iterdir()}

    assert not sent & {"secrets", "tests", "docs", ".git", ".venv", ".env", "benchmarks"}
    assert [
        str(path.relative_to(image.context)) for path in (image.context / "deploy").rglob("*") if path.is_file()
    ] == ["deploy/postgres/grants.sql"]


def test_it_runs_as_a_user_of_its_own_from_a_tree_that_nobody_writes(image: Image) -> None:
    assert image.user == "10001:10001"

    ran = image.run("--help")

    assert ran.returncode == 0, ran.stderr
    assert "qonto-xero scheduler" in ran.stdout
    assert not list(image.root.rglob("*.pyo"))


@pytest.mark.parametrize("command", [*SAID, ["ready"]], ids=" ".join)
def test_it_knows_what_the_containers_say(command: list[str], image: Image) -> None:
    ran = image.run(*command, "--help")

    assert ran.returncode == 0, ran.stderr


def test_it_holds_the_product_with_its_pages_and_nothing_of_the_build(image: Image) -> None:
    (packages,) = image.path(HOME).glob("lib/python3.*/site-packages")
    for folder in DATA:
        ours = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.suffix not in {"", ".pyc"}}
        assert ours - {str(path.relative_to(packages)) for path in packages.rglob("*")} == set()

    assert not image.path("/build").exists()
    assert not (image.path(HOME) / "bin" / "pip").exists()
    assert not {"tests", "benchmarks", "deploy"} & {path.name for path in packages.iterdir()}
    assert image.path("/etc/qonto-xero/grants.sql").read_text() == (ROOT / "deploy/postgres/grants.sql").read_text()
