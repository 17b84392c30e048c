"""How fast the simulated street renders, by scene and size, and what starting it costs.

    python -m bench.simulator.street [--json] [--frames N] [--scenes day,rain]

Milliseconds are process CPU time, so that a busy machine does not count; the 10th percentile stands beside the mean.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from typing import Any

import numpy as np

from telstraat_firmware_sim.street.scenes import SCENES, scene
from telstraat_firmware_sim.street.street import SimulatedStreet

SIZES = ((320, 240), (640, 480), (1280, 720))
WARM_FRAMES = 20


def measure(name: str, width: int, height: int, frames: int) -> dict[str, Any]:
    began = time.process_time()
    street = SimulatedStreet(scene(name, seed=1, width=width, height=height))
    street.render(0.0)
    start_s = time.process_time() - began
    for number in range(WARM_FRAMES):
        street.render(number / 25)
    spent = []
    for number in range(frames):
        began = time.process_time()
        street.render(60 + number / 25)
        spent.append(time.process_time() - began)
    return {
        "scene": name,
        "size": f"{width}x{height}",
        "start_cpu_s": round(start_s, 2),
        "mean_ms": round(1000 * float(np.mean(spent)), 3),
        "p10_ms": round(1000 * float(np.quantile(spent, 0.1)), 3),
        "frames_a_s": round(1 / float(np.mean(spent))),
    }


def measure_truth(hours: float) -> dict[str, Any]:
    """Time the traffic alone: what a restart after so many hours costs before its first frame."""
    street = SimulatedStreet(scene("day", width=320, height=240))
    street.truth_between(0, 60)
    began = time.process_time()
    crossings = street.truth_between(0, hours * 3600)
    return {"hours": hours, "crossings": len(crossings), "cpu_s": round(time.process_time() - began, 2)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--frames", type=int, default=500, help="frames a scene and size (default 500)")
    parser.add_argument("--scenes", default=",".join(SCENES), help="which scenes, separated by commas")
    args = parser.parse_args()
    SimulatedStreet(scene("everything", width=320, height=240)).render(0.0)  # compiles, or loads what is compiled
    names = args.scenes.split(",")
    rows = [measure(name, 640, 480, args.frames) for name in names]
    rows += [measure("dense", width, height, args.frames) for width, height in SIZES]
    figures: dict[str, Any] = {
        "renders": rows,
        "traffic": measure_truth(6),
        "max_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if args.json:
        print(json.dumps(figures))
        return 0
    for row in rows:
        print(
            "{scene:14} {size:>9}  {frames_a_s:>6} frames/s  mean {mean_ms:7.3f} ms  p10 {p10_ms:7.3f} ms".format(**row)
        )
    print("traffic of {hours} h: {crossings} crossings in {cpu_s} s".format(**figures["traffic"]))
    print(f"largest memory {figures['max_rss_mb']} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
