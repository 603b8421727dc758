"""What the kernel says about a process, read from its own words."""

from __future__ import annotations

import pytest

from benchmarks.process_costs import (
    TICKS_PER_SECOND,
    busy_seconds_in,
    cpu_seconds_in,
    family_seconds,
    peak_megabytes_in,
)

AFTER_NAME = "S 1 7 7 0 -1 4194304 100 0 0 0 250 150 9 9 20 0 8 0 100 1000 10"


@pytest.mark.parametrize("name", ["python", "qonto-xero", "a b", "od) (d"])
def test_processor_time_is_user_and_system_whatever_the_process_is_called(name: str) -> None:
    assert cpu_seconds_in(f"7 ({name}) {AFTER_NAME}\n") == 400 / TICKS_PER_SECOND


def test_the_peak_is_the_high_water_mark_and_not_what_is_resident_now() -> None:
    assert peak_megabytes_in("VmPeak:\t  999999 kB\nVmHWM:\t  102400 kB\nVmRSS:\t   51200 kB\n") == 100


def test_a_text_without_the_number_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="VmHWM"):
        peak_megabytes_in("VmRSS:\t   51200 kB\n")
    with pytest.raises(ValueError, match="stat"):
        cpu_seconds_in("")


def process(pid: int, parent: int, *, own: int, ended_children: int = 0) -> str:
    return f"{pid} (some name) S {parent} 7 7 0 -1 4194304 100 0 0 0 {own} 0 {ended_children} 0 20 0 8 0 100 1000 10\n"


def test_a_family_is_a_process_with_all_that_it_started_whether_they_live_or_have_ended() -> None:
    everybody = [
        process(9, 8, own=4),
        process(8, 7, own=20, ended_children=300),
        process(7, 1, own=1000),
        process(5, 1, own=50_000),
    ]
    assert family_seconds(everybody, 7) == 1324 / TICKS_PER_SECOND


def test_a_process_that_has_ended_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="no process 6"):
        family_seconds([process(7, 6, own=1)], 6)


def test_a_core_that_waits_or_is_lent_is_not_busy() -> None:
    stat = "cpu  100 20 3 5000 700 40 5 9000 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    assert busy_seconds_in(stat) == 168 / TICKS_PER_SECOND
    with pytest.raises(ValueError, match="/proc/stat"):
        busy_seconds_in("intr 1 2 3\n")
