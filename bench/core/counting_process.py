"""A process that counts: `python -m bench.core.counting_process FRAMES WIDTH HEIGHT FPS X1 Y1 X2 Y2 [--service]`.

FRAMES is a file of luma frames, one behind the other, so that no decoder takes part. It counts and does nothing else;
with --service it is the whole device service, with its outbox and a broker that does not answer. Printed is one JSON
object: the crossings, the peak of the memory, the CPU time until the first frame was taken and until frames were counted
(the first second shows the empty street), and which compilers were imported.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from telstraat_device.cameras.frames import ClosingSource, Frame
from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment

COMPILERS = ("numba", "llvmlite")
BEGUN_S = 2.0
NOBODY = 1  # a port at which nobody answers


class Frames(ClosingSource):
    """The frames of a file, and the CPU time when the first had been taken, and when counting had begun."""

    def __init__(self, path: str, width: int, height: int, fps: float) -> None:
        self._path = Path(path)
        self.name, self.width, self.height, self.fps = path, width, height, fps
        self.frames: int | None = self._path.stat().st_size // (width * height)
        self.first_cpu_s = self.begun_cpu_s = 0.0

    def __iter__(self) -> Iterator[Frame]:
        luma = np.empty((self.height, self.width), np.uint8)
        number = 0
        with self._path.open("rb", buffering=0) as file:
            while file.readinto(luma.data) == luma.size:
                if number == 1:
                    self.first_cpu_s = time.process_time()
                if not self.begun_cpu_s and number / self.fps > BEGUN_S:
                    self.begun_cpu_s = time.process_time()
                yield Frame(luma, number / self.fps)
                number += 1

    def close(self) -> None:
        """Nothing is held between frames."""


def count(frames: Frames, line: Segment) -> list[Crossing]:
    """Count, and do nothing else."""
    counter = Counter(frames.width, frames.height, line)
    crossings = [crossing for frame in frames for crossing in counter.process(frame.luma, frame.t_s)]
    return crossings + counter.finish()


def serve(frames: Frames, line: Segment) -> list[Crossing]:
    """Be the device service until the frames end; what crossed stays in its outbox."""
    from telstraat_device.quarters.clock import AnchoredClock
    from telstraat_device.service import DeviceService
    from telstraat_device.settings import settings_of

    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(
            {
                "sensor": {"name": "bench-1"},
                "broker": {"host": "127.0.0.1", "port": NOBODY},
                "send": {"flush_s": 0.0},
                "storage": {"folder": folder},
            }
        )
        clock = AnchoredClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
        DeviceService(settings, clock, line=line).run(lambda: frames)
    return []


def peak_kb() -> int:
    """The most memory that this process has held, VmHWM."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main(argv: list[str]) -> int:
    service = argv[-1] == "--service"
    path, width, height, *numbers = argv[:-1] if service else argv
    fps, x1, y1, x2, y2 = (float(number) for number in numbers)
    frames = Frames(path, int(width), int(height), fps)
    crossings = (serve if service else count)(frames, ((x1, y1), (x2, y2)))
    figures = {
        "frames": frames.frames,
        "crossings": [repr(crossing) for crossing in crossings],
        "peak_kb": peak_kb(),
        "first_frame_cpu_s": round(frames.first_cpu_s, 3),
        "begun_cpu_s": round(frames.begun_cpu_s, 3),
        "compilers": [name for name in COMPILERS if name in sys.modules],
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
