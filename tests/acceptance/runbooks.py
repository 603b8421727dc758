"""The runbooks as a reader has them: headings, commands in their blocks of `console`, the services that they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from cli import main
from tests.sandbox.world_client import REPOSITORY

OPERATIONS = REPOSITORY / "docs" / "operations"
RUNBOOKS = OPERATIONS / "runbooks"
BLOCK = re.compile(r"^( *)```console\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
PROMPT, EXITS = "$ ", re.compile(r"^# exits (\d): .+")
PROGRAM = "qonto-xero"
COMPOSE = re.compile(r"docker compose ([^`|&<>#\n]+)")
OF_ONE_SERVICE = {"exec", "run"}  # what follows its name is said inside
WITH_A_VALUE = {"-f", "--file", "--profile", "--tail", "--scale"}
WORD_IN_CAPITALS = re.compile(r"\b[A-Z][A-Z_]+\b")


@dataclass(frozen=True)
class Command:
    """A command as it is typed, and the code it exits with."""

    text: str
    code: int = 0

    @property
    def words(self) -> list[str]:
        """What follows the program's name."""
        program, *words = shlex.split(self.text)
        assert program == PROGRAM, f"`{self.text}` is none of ours: it belongs into a block of sh"
        return words

    @property
    def placeholders(self) -> set[str]:
        """Its words in capitals, which stand for something."""
        return {word for word in self.words if WORD_IN_CAPITALS.fullmatch(word)}

    def with_values(self, values: Mapping[str, str]) -> list[str]:
        """Its words with each placeholder's value."""
        return [values[word] if word in self.placeholders else word for word in self.words]

    def unknown(self) -> list[str]:
        """What it says that no command line of ours understands."""
        found: click.Command = main
        options: set[str] = set()
        for word in self.words:
            if word.startswith("-"):
                options.add(word)
            elif isinstance(found, click.Group):
                if word not in found.commands:
                    return [word]
                found = found.commands[word]
        known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
        return sorted(options - known)


def commands_in(path: Path) -> Iterator[Command]:
    """The commands of a page, in order. A comment line below one says that it does not exit with 0, and why."""
    for _, block in BLOCK.findall(path.read_text()):
        waiting: Command | None = None
        for line in map(str.strip, block.splitlines()):
            exits = EXITS.match(line)
            if exits and waiting:
                waiting = Command(waiting.text, int(exits[1]))
            elif line.startswith(PROMPT):
                if waiting:
                    yield waiting
                waiting = Command(line.removeprefix(PROMPT))
            else:
                raise ValueError(f"{path.name}: neither a command nor what it exits with: {line!r}")
        if waiting:
            yield waiting


def services_in(path: Path) -> set[str]:
    """The services that a page's `docker compose` commands name."""
    return {name for command in COMPOSE.findall(path.read_text()) for name in _services(shlex.split(command))}


def _services(words: list[str]) -> list[str]:
    """Those that one such command names, by what follows `docker compose`."""
    named: list[str] = []
    before = ""
    for word in words:
        if not word.startswith("-") and before not in WITH_A_VALUE:
            named.append(word)
        before = word
    subcommand, *services = named
    return services[:1] if subcommand in OF_ONE_SERVICE else services


def runbooks() -> list[Path]:
    """Every runbook."""
    return sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")


def headings_in(path: Path) -> list[str]:
    """Those of the second rank."""
    return [line.removeprefix("## ") for line in path.read_text().splitlines() if line.startswith("## ")]
