"""Failpoints: nothing unless armed, and then exactly once, whoever comes first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failpoints import Failpoint, hit, watch


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    watch(str(tmp_path))
    yield tmp_path
    watch("")


def test_a_place_at_which_nothing_is_armed_does_nothing(folder: Path) -> None:
    (folder / "elsewhere").write_text("raise")

    hit("here")


def test_nothing_can_be_armed_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").write_text("raise")
    watch("")

    hit("here")


def test_it_strikes_once(folder: Path) -> None:
    (folder / "here").write_text("raise\n")

    with pytest.raises(Failpoint):
        hit("here")
    hit("here")

    assert (folder / "here.fired").exists()


def test_it_strikes_each_time_when_told_to(folder: Path) -> None:
    (folder / "here").write_text("raise always")

    for _ in range(3):
        with pytest.raises(Failpoint):
            hit("here")


def test_it_can_hold_a_thread_up(folder: Path) -> None:
    (folder / "here").write_text("sleep:0.05")
    began = time.monotonic()

    hit("here")

    assert time.monotonic() - began >= 0.05
