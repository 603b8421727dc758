"""Readiness: every check is told by its name, within two seconds, on one thread each, and without a secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from threading import Event

import pytest

from monitoring import readiness
from monitoring.readiness import Group, Readiness


class Known(Exception):
    """An error whose words are ours."""


def refuse(error: Exception) -> Callable[[], str]:
    """A check that raises."""

    def check() -> str:
        raise error

    return check


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds are a moment."""
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.05)


@pytest.fixture
def hanging() -> Iterator[Event]:
    """What a hanging check waits for; it is set when the test ends."""
    event = Event()
    yield event
    event.set()


def test_each_check_says_ok_or_what_is_wrong() -> None:
    asked = Readiness([Group({"one": lambda: "", "two": lambda: "is away"}), Group({"three": lambda: ""})])

    assert asked.ask() == {"one": "ok", "two": "is away", "three": "ok"}


def test_only_an_error_whose_words_are_ours_is_quoted() -> None:
    checks = {"ours": refuse(Known("no key opens it")), "other": refuse(ValueError("hunter2"))}

    assert Readiness([Group(checks, told=(Known,))]).ask() == {"ours": "no key opens it", "other": "ValueError"}


def test_what_a_group_stands_on_speaks_for_each_of_its_checks() -> None:
    def unreachable() -> nullcontext[None]:
        raise Known("cannot reach it")

    group = Group({"one": lambda: "", "two": lambda: ""}, unreachable, (Known,))

    assert Readiness([group]).ask() == {"one": "cannot reach it", "two": "cannot reach it"}


@pytest.mark.usefixtures("hurried")
def test_a_check_that_hangs_is_said_to_and_hides_no_other(hanging: Event) -> None:
    before = Group({"first": lambda: "", "stuck": lambda: str(hanging.wait()), "behind": lambda: ""})

    answer = Readiness([before, Group({"beside": lambda: ""})]).ask()

    assert answer == {"first": "ok", "stuck": "no answer for 0 s", "behind": "no answer for 0 s", "beside": "ok"}


@pytest.mark.usefixtures("hurried")
def test_a_check_that_hangs_is_not_begun_a_second_time(hanging: Event) -> None:
    begun = []

    def stuck() -> str:
        begun.append(True)
        return str(hanging.wait())

    asked = Readiness([Group({"stuck": stuck})])
    for _ in range(5):
        assert asked.ask() == {"stuck": "no answer for 0 s"}

    assert begun == [True]


@pytest.mark.usefixtures("hurried")
def test_a_check_that_hung_is_asked_anew_once_it_has_ended(hanging: Event) -> None:
    asked = Readiness([Group({"late": lambda: "" if hanging.wait() else "never"})])
    assert asked.ask()["late"].startswith("no answer")

    hanging.set()
    deadline = time.monotonic() + 60
    while asked.ask() != {"late": "ok"}:
        assert time.monotonic() < deadline
