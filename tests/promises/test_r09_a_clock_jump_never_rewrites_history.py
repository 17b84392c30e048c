"""R9: a clock jump never rewrites history.

The real service with the real system clock in a moved clock: it wakes up in 1970, the clock is set, jumps two days ahead,
an hour back, over a leap second and over both changes of summer time. Every crossing is in one quarter, once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from tests.harness.moved_clock import NOT_HERE, MovedClock

from telstraat_contract.messages import Flag, Report
from telstraat_demo.run.reconciliation import closed_reports

DEVICE = """
import json, sys, time
from pathlib import Path
from tests.device.toys import LINE, ToyCore, ToyStreet
from tests.device.wires import device_settings
from telstraat_device.quarters.clock import SystemClock
from telstraat_device.service import DeviceService

folder = Path(sys.argv[1])
settings = device_settings(folder, "r9", 1, send={"flush_s": 0}, storage={"save_s": 0.05})
service = DeviceService(settings, SystemClock("system"), line=LINE, make_counter=ToyCore)

class Street(ToyStreet):
    def __iter__(self):
        for frame in super().__iter__():
            if (folder / "stop").exists():
                service.stop()
            (folder / "shown").write_text(str(int(time.time())))
            yield frame

service.run(lambda: Street(frames=10**9, fps=50.0, every=5, pause_s=0.02))
print(json.dumps({"crossings": service.counters.crossings, "errors": service.troubles.errors}))
"""

JUMPS = {
    "wakes up in 1970, is set, two days ahead": ["1970-01-01 00:00:10", "2027-03-03 12:14:58", "2027-03-05 12:14:58"],
    "an hour back": ["2027-03-03 13:14:58", "2027-03-03 12:15:02"],
    "over a leap second": ["2027-06-30 23:59:58", "2027-06-30 23:59:59", "2027-07-01 00:00:30"],
    "into summer time": ["2027-03-28 00:59:58", "2027-03-28 01:00:20"],
    "out of summer time": ["2027-10-31 00:59:58", "2027-10-31 01:00:20"],
}


def run_through(folder: Path, moments: list[str]) -> tuple[list[Report], dict[str, int]]:
    """Let a device live through the moments, each for a second and a half; return what it closed and counted."""
    clock = MovedClock(folder)
    clock.set(utc(moments[0]))
    environment = {**os.environ, **clock.environment, "TZ": "Europe/Brussels"}
    with subprocess.Popen(
        [sys.executable, "-c", DEVICE, str(folder)], env=environment, stdout=subprocess.PIPE, text=True
    ) as device:
        try:
            for number, moment in enumerate(moments):
                clock.set(utc(moment))
                wait_for(folder / "shown", moment, device)
                time.sleep(1.5)
                if number + 1 == len(moments):
                    (folder / "stop").touch()
            output, _ = device.communicate(timeout=30)
        finally:
            device.kill()
    return closed_reports(folder / "state" / "outbox.sqlite"), json.loads(output)


def utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment + "+00:00")


def wait_for(path: Path, moment: str, device: subprocess.Popen[str]) -> None:
    """Wait until a frame has been taken under the new time."""
    wanted_s = utc(moment).timestamp()
    for _ in range(600):
        written = path.read_text() if path.exists() else ""
        if written and abs(int(written) - wanted_s) < 60:
            return
        assert device.poll() is None
        time.sleep(0.05)
    raise AssertionError(f"the device does not see {moment}")


@pytest.mark.skipif(bool(NOT_HERE), reason=NOT_HERE)
@pytest.mark.parametrize("name", JUMPS)
def test_every_crossing_is_in_one_quarter_once_whatever_the_clock_did(tmp_path: Path, name: str) -> None:
    reports, output = run_through(tmp_path, JUMPS[name])
    counted = sum(
        p.lft + p.rgt for r in reports for p in (r.counts.pedestrian, r.counts.bike, r.counts.car, r.counts.heavy)
    )
    assert output["errors"] == 0
    assert counted == output["crossings"] > 0
    keys = [(report.epoch, report.period_start) for report in reports]
    assert len(set(keys)) == len(keys)
    assert [report.period_start for report in reports] == sorted(report.period_start for report in reports)
    flags = {flag for report in reports for flag in Flag if report.flags & flag}
    if "1970" in name:
        assert Flag.CLOCK_CORRECTED in flags
        assert min(report.period_start.year for report in reports) == 2027
    if "back" in name or "ahead" in name:
        assert Flag.CLOCK_STEPPED in flags
