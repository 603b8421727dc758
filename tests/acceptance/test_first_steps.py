"""The README's first steps, word for word: one machine, one shell, no server, and the payments are in Xero."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import COMMAND_SECONDS, Company, in_qonto, in_xero, payments
from tests.sandbox.world_client import REPOSITORY, Party, WorldClient
from tests.servers.processes import wait_until

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town

BLOCK = re.compile(r"```\n(qonto-xero db migrate\n.*?)```", re.DOTALL)
GLANCE_SECONDS = 0.1


def commands_of_the_readme() -> list[str]:
    """The lines of the code block that begins with the migration, as they stand there."""
    [block] = BLOCK.findall((REPOSITORY / "README.md").read_text())
    return list(block.splitlines())


class Terminal:
    """A shell command on a terminal of its own, as a person sees it and types."""

    def __init__(self, line: str, company: Company) -> None:
        self.shown = ""
        self._mine, theirs = pty.openpty()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        self._process = subprocess.Popen(
            ["bash", "-ec", line],
            env=company.environment() | {"PATH": path, "TERM": "dumb"},
            cwd=company.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def answer(self, question: str, text: str) -> None:
        """Type a line once the question is shown."""
        wait_until(lambda: self._shows(question), seconds=COMMAND_SECONDS, what=f"the question {question!r}")
        os.write(self._mine, f"{text}\n".encode())

    def _shows(self, words: str) -> bool:
        self._read()
        return words in self.shown

    def end(self) -> int:
        """Wait for its end; its exit code."""
        wait_until(self._has_ended, seconds=COMMAND_SECONDS, what=f"the command to end after {self.shown!r}")
        return int(self._process.returncode)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._read()
        os.killpg(self._process.pid, signal.SIGINT)

    def close(self) -> None:
        """Kill what still runs."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._mine)

    def _has_ended(self) -> bool:
        self._read()
        return self._process.poll() is not None

    def _read(self) -> None:
        with suppress(OSError):  # the other end is closed
            while select([self._mine], [], [], GLANCE_SECONDS)[0] and (read := os.read(self._mine, 65536)):
                self.shown += read.decode(errors="replace")


@contextmanager
def terminal(line: str, company: Company) -> Iterator[Terminal]:
    """A terminal that is closed in the end."""
    made = Terminal(line, company)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def newcomer(town: WorldClient, tmp_path: Path) -> Company:
    """A company that has the settings that the README asks for, and the default database in an empty folder."""
    settings = processes.company_settings(town.url, "", "")
    return Company(tmp_path, {name: value for name, value in settings.items() if value})


def test_the_five_commands_of_the_readme_bring_payments_into_xero(town: WorldClient, newcomer: Company) -> None:
    migrate, add, plan, sync, scheduler = commands_of_the_readme()
    party = town.organisation()
    secrets = (
        f"{party.known['qonto_login']}:{party.known['qonto_secret']}",
        party.known["xero_tokens"]["refresh_token"],
    )

    with terminal(migrate, newcomer) as migrating:
        assert migrating.end() == 0, migrating.shown
    with terminal(add, newcomer) as adding:
        adding.answer("Qonto API key", secrets[0])
        adding.answer("Xero refresh token", secrets[1])
        assert adding.end() == 0, adding.shown
    assert f"qonto-xero sync {party.known['slug']}" in adding.shown
    party.pay(*payments(3))
    with terminal(plan, newcomer) as planning:
        assert planning.end() == 0, planning.shown
    assert in_xero(party) == {}
    with terminal(sync, newcomer) as syncing:
        assert syncing.end() == 0, syncing.shown
    assert in_xero(party) == in_qonto(party)

    party.pay(*payments(2))
    with terminal(scheduler, newcomer) as scheduling:
        processes.at(town, processes.NIGHT)
        wait_until(lambda: in_xero(party) == in_qonto(party), seconds=COMMAND_SECONDS, what="the night to be in Xero")
        scheduling.interrupt()
        assert scheduling.end() == 0, scheduling.shown
    assert [account["name"] for account in bank_accounts(party)] == ["Main"]
    assert not any(secret in shown.shown for secret in secrets for shown in (adding, planning, syncing, scheduling))


def bank_accounts(party: Party) -> list[dict[str, str]]:
    """Every bank account that the world's own Xero has of a company, by whomever it was made."""
    return [account for account in party.ledger()["accounts"] if account["type"] == "BANK"]
