"""The sensor of the soak: the whole device service, but for its pixels, in a process of its own that lives faster than the clock.

    python -m bench.soak.sensor PLAN.json

What the service measures in seconds (saving, pruning, alarms) follows the street's time; what it waits for outside (the broker,
the camera) follows the clock on the wall. How far it has come stands in a file of eight bytes.
"""

from __future__ import annotations

import mmap
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
from bench.soak.street import FRAMES_A_DAY, STEP_S, CameraGap, ClockJump, YearCamera, YearClock, YearCore, kinds

from telstraat_device import service
from telstraat_device.counting.crossings.line import Segment, checked_line
from telstraat_device.settings import settings_of

PROGRESS_BYTES = 8
EVERY_FRAMES = 120  # a frame's lot of the pace is waited for so often
LINE = (0.1, 0.5, 0.9, 0.5)


class SensorPlan(msgspec.Struct, frozen=True):
    """What a start of the sensor is told."""

    name: str
    password_file: str
    port: int
    state: str
    progress: str
    start_s: int
    days: float
    boot: int
    pace: float
    """At most so many times as fast as the clock."""
    jumps: Sequence[ClockJump] = ()
    gaps: Sequence[CameraGap] = ()
    is_unset_at_boot: bool = False


class Progress:
    """The number of the first frame that has not been counted yet, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(PROGRESS_BYTES))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), PROGRESS_BYTES)

    @property
    def frames(self) -> int:
        """How many frames have been counted."""
        return int.from_bytes(self._map[:], "big")

    @frames.setter
    def frames(self, count: int) -> None:
        self._map[:] = count.to_bytes(PROGRESS_BYTES, "big")


class Pace:
    """Holds the frames back to the pace, and gives the service seconds that pass as fast."""

    def __init__(self, progress: Progress, pace: float) -> None:
        self._progress = progress
        self._first = progress.frames
        self._pace = pace
        self._began_s = time.monotonic()

    def take(self, number: int) -> None:
        """Note that a frame was counted."""
        self._progress.frames = number + 1
        if number % EVERY_FRAMES == 0:
            ahead_s = (number - self._first) * STEP_S / self._pace - (time.monotonic() - self._began_s)
            if ahead_s > 0:
                time.sleep(ahead_s)

    def monotonic(self) -> float:
        """Return seconds of the street; they pass on while no frame comes."""
        return self._progress.frames * STEP_S + time.monotonic()


def main(argv: Sequence[str]) -> int:
    """Count until the year ends or somebody ends it."""
    plan = msgspec.json.decode(Path(argv[0]).read_bytes(), type=SensorPlan)
    progress = Progress(Path(plan.progress))
    first, end = progress.frames, round(plan.days * FRAMES_A_DAY)
    pace = Pace(progress, plan.pace)
    service.__dict__["time"] = SimpleNamespace(monotonic=pace.monotonic, time=time.time)
    settings = settings_of(
        {
            "sensor": {"name": plan.name, "password_file": plan.password_file},
            "camera": {"source": "soak", "line": LINE},
            "broker": {"host": "127.0.0.1", "port": plan.port, "keepalive_s": 5, "reconnect_max_s": 1},
            "send": {
                "resend_s": 2,
                "resend_max_s": 8,
                "window": 2000,
                "per_second": 2000,
                "health_s": 1,
                "flush_s": 60,
            },
            "storage": {"folder": plan.state},
            "clock": {"trust": "system"},
        }
    )
    crossing_kinds = kinds(np.arange(end))
    clock = YearClock(plan.start_s, f"boot-{plan.boot}", first * STEP_S, plan.jumps, plan.is_unset_at_boot)

    def make_counter(width: int, height: int, line: Segment) -> YearCore:
        checked_line(line, width, height)
        return YearCore(crossing_kinds, pace.take)

    device = service.DeviceService(settings, clock, make_counter=make_counter)
    camera = YearCamera(first, end, plan.gaps)
    with service.stopped_by_signals(device):
        return device.run(camera.open)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
