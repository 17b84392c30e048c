"""The clock: what is believed, and what a recording's frames are of."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.harness.moved_clock import NOT_HERE, MovedClock

from telstraat_device.quarters.clock import (
    NOT_BEFORE,
    AnchoredClock,
    ClockReading,
    SystemClock,
    boot_id,
    clock_is_synchronised,
)


def test_a_recording_counts_from_its_start() -> None:
    clock = AnchoredClock(datetime.fromisoformat("2026-11-21T13:00:00+01:00"))
    reading = clock.read(90.5)
    assert datetime.fromtimestamp(reading.at_s, UTC) == datetime(2026, 11, 21, 12, 1, 30, 500_000, tzinfo=UTC)
    assert reading.trusted
    assert clock.repeatable


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        AnchoredClock(datetime.fromisoformat("2026-11-21T13:00"))


def test_a_crossing_is_a_little_earlier_than_its_frame() -> None:
    assert ClockReading(100.0, 50.0).earlier(1.5) == ClockReading(98.5, 48.5)


def test_the_system_clock_is_believed_once_the_kernel_believes_it_and_stays_so() -> None:
    answers = iter([False, True, False])
    clock = SystemClock("kernel", lambda: next(answers))
    assert not clock.now().trusted
    clock._ask_at_s = 0.0
    assert clock.now().trusted
    clock._ask_at_s = 0.0
    assert clock.read(0.0).trusted
    assert not clock.repeatable


def test_the_kernel_is_not_asked_at_every_frame() -> None:
    steps = iter(range(10))
    clock = SystemClock("kernel", lambda: next(steps) < 0)
    for _ in range(100):
        clock.now()
    assert next(steps) == 1


def test_a_machine_without_a_time_server_may_be_believed_by_a_setting() -> None:
    reading = SystemClock("system", lambda: False).now()
    assert reading.trusted
    assert abs(reading.at_s - time.time()) < 60


def test_the_monotonic_clock_never_goes_back() -> None:
    clock = SystemClock("system")
    readings = [clock.now().monotonic_s for _ in range(50)]
    assert readings == sorted(readings)


def test_the_kernel_can_be_asked_here() -> None:
    assert clock_is_synchronised() in (True, False)
    assert boot_id() == boot_id() != ""


@pytest.mark.skipif(bool(NOT_HERE), reason=NOT_HERE)
@pytest.mark.parametrize(("moment", "believed"), [("1970-01-01 00:01:00", False), ("2027-03-01 12:00:00", True)])
def test_a_time_before_the_software_was_built_is_never_believed(tmp_path: Path, moment: str, believed: bool) -> None:
    code = (
        "from telstraat_device.quarters.clock import SystemClock\n"
        "reading = SystemClock('system').now()\n"
        "print(reading.trusted, reading.monotonic_s > 0)"
    )
    moved = MovedClock(tmp_path)
    moved.set(datetime.fromisoformat(moment + "+00:00"))
    environment = {**os.environ, **moved.environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(believed), "True"]


def test_the_software_was_built_before_now() -> None:
    assert datetime.now(UTC) > NOT_BEFORE
