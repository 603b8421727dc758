"""What the kernel says about a process, read from its own words."""

from __future__ import annotations

import pytest

from benchmarks.process_costs import TICKS_PER_SECOND, cpu_seconds_in, peak_megabytes_in

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
