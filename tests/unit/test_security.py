"""Of the whole tree: nothing is unpickled, no call out is unbounded, no log line is forged, every pin has a hash."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from log_context import LogContextFilter
from logs import JsonFormatter, TextFormatter

ROOT = Path(__file__).parents[2]
OURS = (
    "clients",
    "commands",
    "demo",
    "domain",
    "messaging",
    "models",
    "monitoring",
    "scheduler",
    "services",
    "web",
    "workers",
)
UNSAFE = {"pickle", "cPickle", "dill", "shelve", "marshal"}
CALLS_OUT = {"requests", "httpx", "urllib3", "aiohttp"}
PIN = re.compile(r"^[a-z0-9][\w.\-\[\]]*==\S+ \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.MULTILINE)


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the product."""
    for path in [*ROOT.glob("*.py"), *(path for name in OURS for path in (ROOT / name).rglob("*.py"))]:
        yield path.relative_to(ROOT), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of what a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_nothing_is_ever_unpickled() -> None:
    assert [path for path, tree in modules() if imported(tree) & UNSAFE] == []


def test_calls_to_other_people_s_servers_have_one_home_which_bounds_them() -> None:
    homes = {str(path): imported(tree) & CALLS_OUT for path, tree in modules() if imported(tree) & CALLS_OUT}

    assert homes == {"clients/http.py": {"requests", "urllib3"}, "web/server.py": {"aiohttp"}}
    sends = [node for node in ast.walk(_parse("clients/http.py")) if _is_call_of(node, "send")]
    assert sends
    for send in sends:
        assert isinstance(send, ast.Call)
        assert {"timeout", "allow_redirects", "stream"} <= {keyword.arg for keyword in send.keywords}
    assert not [node for node in ast.walk(_parse("web/server.py")) if _is_call_of(node, "ClientSession")]


def _parse(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name


@pytest.mark.parametrize("hostile", ['"\n{"level": "info"}', "a\r\nb", "\x1b[2J", "\u2028", "\x00"])
def test_nobody_writes_a_line_of_their_own_into_the_log(hostile: str) -> None:
    record = logging.LogRecord("services", logging.INFO, "", 0, "account %s", (hostile,), None)
    LogContextFilter().filter(record)

    line = JsonFormatter().format(record)

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == f"account {hostile}"


@pytest.mark.parametrize("hostile", ["\n2026-11-26 12:00 info", "a\r\nb", "\x1b[31m", "\u202e", "\u2028", "\x00"])
def test_nobody_begins_or_colours_a_line_that_a_person_reads(hostile: str) -> None:
    def fail() -> None:
        raise ValueError(hostile)

    with pytest.raises(ValueError, match=re.escape(hostile)) as raised:
        fail()
    error = (ValueError, raised.value, raised.tb)
    record = logging.LogRecord("services", logging.INFO, "", 0, "account %s", (hostile,), error)
    record.context = {"run_id": f"7{hostile}"}

    first, *rest = TextFormatter().format(record).split("\n")

    assert all(line.isprintable() for line in (first, *rest))
    assert all(line.startswith("    ") for line in rest)


def test_an_id_cannot_pass_for_two() -> None:
    record = logging.LogRecord("services", logging.INFO, "", 0, "posted", (), None)
    record.context = {"message_id": "a run_id=7", "run_id": 8}

    assert TextFormatter().format(record).endswith('  message_id="a run_id=7"  run_id=8')


@pytest.mark.parametrize("name", ["run", "dev"])
def test_every_dependency_is_pinned_by_version_and_hash_and_says_nothing_of_a_host(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()

    named = {line.partition("==")[0] for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)}
    pinned = {found[0].partition("==")[0] for found in PIN.finditer(text)}
    assert named == pinned
    assert len(pinned) > 10
    assert "://" not in text
