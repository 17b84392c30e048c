"""What counting costs beside the usual ways, from pixels to crossings: time, instructions, memory, start.

    python -m bench.core               measure all and write docs/bench/core.md (about 20 minutes on a quiet machine)
    python -m bench.core --instructions ours     (or none): without those of the peers, which take longest
    python -m bench.core --json        print what was measured, write nothing
    python -m bench.core --soak 1e6    so many small frames: does memory grow?

Time is that of one process in which each frame is given to all pipelines in shuffled order; instructions are those of
the whole process under valgrind's callgrind, the difference between two numbers of frames. Both use one tracker.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench.core.pipelines import FPS, NAMES, pipeline, upright
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SIZE = (640, 480)
WARM = 60
# valgrind knows AVX2, not AVX-512; the names are fixed so that what is kept natively is found under valgrind
VECTORS = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+avx,+bmi,+bmi2,+lzcnt,+popcnt,+fma,+sse4.2,+sse4.1,+ssse3,+sse3,+sse2,+movbe",
}


def film(scene: str, frames: int, width: int, height: int) -> NDArray[np.uint8]:
    """Render a simulated street."""
    from telstraat_firmware_sim.street.scenes import scene as settings
    from telstraat_firmware_sim.street.street import SimulatedStreet

    street = SimulatedStreet(settings(scene, seed=3, width=width, height=height))
    out = np.empty((frames, height, width), np.uint8)
    for number in range(frames):
        out[number] = street.render(30 + number / FPS)
    return out


def drawn(objects: int, frames: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw so many textured boxes that move over a grey road in rows."""
    rng = np.random.default_rng(objects)
    road = np.kron(rng.integers(80, 120, (height // 8, width // 8)), np.ones((8, 8))).astype(np.uint8)
    tall, wide = max(6, height // 16), max(10, width // 16)
    skins = rng.integers(140, 240, (max(objects, 1), tall, wide), dtype=np.uint8)
    out = np.empty((frames, height, width), np.uint8)
    for number in range(frames):
        picture = road.copy()
        for k in range(objects if number > 25 else 0):
            y = (k % 8) * (height // 8) + height // 48
            x = (number * width // 200 + (k // 8) * (width // 8) + 7 * k) % (width - wide)
            picture[y : y + tall, x : x + wide] = skins[k]
        out[number] = np.clip(picture + rng.integers(-1, 2, picture.shape), 0, 255)
    return out


def times_ms(frames: NDArray[np.uint8], names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Give each frame to all pipelines, in shuffled order, and return the milliseconds of each after WARM frames."""
    height, width = frames.shape[1:]
    pipes = {name: pipeline(name, width, height, upright(width, height)) for name in names}
    spent: dict[str, list[float]] = {name: [] for name in names}
    order, shuffle = list(names), random.Random(1)
    for number, luma in enumerate(frames):
        shuffle.shuffle(order)
        for name in order:
            began = time.perf_counter()
            pipes[name](luma, number / FPS)
            spent[name].append(1000 * (time.perf_counter() - began))
    return {name: np.array(values[WARM:]) for name, values in spent.items()}


def memory_gbs() -> float:
    """Return how much one core reads and writes in a second, beyond its own caches."""
    here, there = np.ones(1 << 23, np.uint8), np.zeros(1 << 23, np.uint8)  # 8 MB each: as much as several peers' state
    best = 1e9
    for _ in range(15):
        began = time.perf_counter()
        np.copyto(there, here)
        best = min(best, time.perf_counter() - began)
    return 2 * here.size / best / 1e9


def instructions(name: str, film: Path, first: int, last: int) -> float:
    """Return the instructions of a frame: the slope of the whole process between two numbers of frames."""
    here = {**os.environ, **VECTORS, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench.core.pipelines", name, str(film)]
    subprocess.run([*command, "30"], env=here, cwd=ROOT, check=True, capture_output=True)  # fills the cache
    totals = []
    for frames in (first, last):
        look = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        done = subprocess.run(
            [*look, *command, str(frames)], env=here, cwd=ROOT, check=True, capture_output=True, text=True
        )
        totals.append(int(re.findall(r"Collected : (\d+)", done.stderr)[0]))
    return (totals[1] - totals[0]) / (last - first)


def started(film: Path) -> dict[str, Any]:
    """Return CPU seconds to the first frame, and the memory of a process that counts 60 frames."""
    command = [sys.executable, "-m", "bench.core.pipelines", "ours", str(film), "60"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def soak(frames: int) -> int:
    """Count so many small frames and print the memory as it goes."""
    pictures = drawn(6, 200, 160, 120)
    count = pipeline("ours", 160, 120, upright(160, 120))
    for number in range(frames):
        count(pictures[number % 200], number / FPS)
        if number % (frames // 10) == 0:
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            print(f"{number:>9} frames: {resident / 1e6:.1f} MB, largest {largest_mb()} MB", flush=True)
    return 0


def largest_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def sweep() -> list[dict[str, Any]]:
    """Return the cost by number of objects and by size of the frame."""
    rows = []
    for width, height in ((320, 240), (640, 480), (1280, 720)):
        for objects in (0, 5, 10, 20, 40, 60):
            spent = times_ms(drawn(objects, 120, width, height), ("ours",))["ours"]
            rows.append({"size": f"{width} x {height}", "objects": objects, "ms": float(np.quantile(spent, 0.1))})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print what was measured, write nothing")
    parser.add_argument("--instructions", choices=("all", "ours", "none"), default="all", help="whose to count")
    parser.add_argument("--frames", type=int, default=400, help="frames of the film (default 400)")
    parser.add_argument(
        "--peer-frames", type=int, nargs=2, default=(100, 400), help="frames for the peers' instructions"
    )
    parser.add_argument("--scene", default="dense", help="scene of the simulated street (default dense)")
    parser.add_argument("--soak", type=float, help="count so many small frames and print the memory")
    args = parser.parse_args()
    if args.soak:
        return soak(int(args.soak))
    frames = film(args.scene, args.frames, *SIZE)
    figures: dict[str, Any] = {"scene": args.scene, "frames": args.frames, "machine": platform.processor()}
    figures["gbs"] = memory_gbs()
    figures["times"] = {
        name: {"p10": float(np.quantile(spent, 0.1)), "median": float(np.median(spent))}
        for name, spent in times_ms(frames, NAMES).items()
    }
    with tempfile.TemporaryDirectory() as folder:
        film_file = Path(folder) / "film.npy"
        np.save(film_file, frames)
        figures["start"] = started(film_file)
        spans = {name: (100, args.frames) if name == "ours" else tuple(args.peer_frames) for name in NAMES}
        names = {"all": NAMES, "ours": NAMES[:1], "none": ()}[args.instructions]
        figures["instructions"] = {name: instructions(name, film_file, *spans[name]) for name in names}
        figures["spans"] = {name: spans[name] for name in names}
    if args.json:
        print(json.dumps(figures, indent=1))
        return 0
    from bench.core.page import write

    write(figures, sweep(), ROOT / "docs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
