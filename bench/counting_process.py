"""A process that counts and does nothing else: `python -m bench.counting_process FRAMES WIDTH HEIGHT FPS X1 Y1 X2 Y2`.

FRAMES is a file of luma frames, one behind the other, so that no decoder takes part. Printed is one JSON object: the
crossings, the peak of the memory, the CPU time until the first frame was done, and which compilers were imported.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from telstraat_device.counter import Counter

COMPILERS = ("numba", "llvmlite")


def peak_kb() -> int:
    """The most memory that this process has held, VmHWM."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main(argv: list[str]) -> int:
    path, width, height = argv[0], int(argv[1]), int(argv[2])
    fps, x1, y1, x2, y2 = (float(word) for word in argv[3:])
    counter = Counter(width, height, ((x1, y1), (x2, y2)))
    luma = np.empty((height, width), np.uint8)
    crossings, number, first_cpu_s = [], 0, 0.0
    with Path(path).open("rb", buffering=0) as frames:
        while frames.readinto(luma.data) == luma.size:
            crossings += counter.process(luma, number / fps)
            number += 1
            first_cpu_s = first_cpu_s or time.process_time()
    crossings += counter.finish()
    said = {
        "frames": number,
        "crossings": [repr(crossing) for crossing in crossings],
        "peak_kb": peak_kb(),
        "first_frame_cpu_s": round(first_cpu_s, 3),
        "compilers": [name for name in COMPILERS if name in sys.modules],
    }
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
