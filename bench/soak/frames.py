"""10^6 frames through the counting core: does the process grow?

Two minutes of the simulated street are rendered once into a file, and counted again and again with their times going on: the core
sees traffic all the time, and no renderer is in its process.

    python -m bench.soak.frames FILM FRAMES X1 Y1 X2 Y2
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from telstraat_device.counting.counter import Counter

WIDTH, HEIGHT, FPS = 320, 240, 25.0
FILM_S = 120
SAMPLES = 100
WARM_SHARE = 0.1
RSS_GROWTH_KB = 1024


class FramesVerdict(msgspec.Struct):
    """What the frames have shown; a sample is the frames counted so far, resident kB, file descriptors, crossings."""

    frames: int
    samples: list[tuple[int, int, int, int]] = []
    wall_s: float = 0.0

    @property
    def settled(self) -> list[tuple[int, int, int, int]]:
        """The samples after the warm-up."""
        return self.samples[max(1, int(WARM_SHARE * len(self.samples))) :]

    @property
    def grown_kb(self) -> float:
        """By how much memory grew over the whole run, by the line through the samples after the warm-up."""
        if len(self.settled) < 2:
            return 0.0
        counted, rss_kb = np.array([sample[:2] for sample in self.settled], float).T
        return float(np.polyfit(counted, rss_kb, 1)[0] * self.frames)

    @property
    def green(self) -> bool:
        """Whether nothing grew, and something was counted."""
        fds = {sample[2] for sample in self.settled}
        return bool(self.samples) and self.samples[-1][3] > 0 and self.grown_kb < RSS_GROWTH_KB and len(fds) == 1

    def sentence(self) -> str:
        """Say it."""
        if not self.settled:
            return "no frames were counted"
        rss = [sample[1] for sample in self.settled]
        return (
            f"{self.frames} frames of {WIDTH} x {HEIGHT}, {self.samples[-1][3]} crossings, in {self.wall_s:.0f} s: memory "
            f"{min(rss)} to {max(rss)} kB, {self.grown_kb:+.0f} kB over the run; file descriptors "
            f"{sorted({sample[2] for sample in self.settled})}; {'nothing grew' if self.green else 'RED'}"
        )


def count_frames(frames: int, tell: Callable[[str], None]) -> FramesVerdict:
    """Count them in a process of its own."""
    tell(f"{frames} frames through the counting core")
    from telstraat_firmware_sim.street.scenes import scene
    from telstraat_firmware_sim.street.street import SimulatedStreet

    street = SimulatedStreet(scene("day", seed=1, width=WIDTH, height=HEIGHT))
    with tempfile.NamedTemporaryFile(prefix="telstraat-soak-") as film:
        for number in range(min(frames, int(FILM_S * FPS))):
            film.write(street.render(number / FPS).tobytes())
        film.flush()
        line = [str(value) for point in street.line for value in point]
        words = [sys.executable, "-m", "bench.soak.frames", film.name, str(frames), *line]
        began_s = time.monotonic()
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    verdict = FramesVerdict(frames, [tuple(sample) for sample in json.loads(done.stdout)])
    verdict.wall_s = round(time.monotonic() - began_s, 1)
    return verdict


def rss_kb() -> int:
    """Return the resident memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def main(argv: Sequence[str]) -> int:
    """Count, and print the samples as JSON."""
    frames = int(argv[1])
    x1, y1, x2, y2 = (float(value) for value in argv[2:])
    counter = Counter(WIDTH, HEIGHT, ((x1, y1), (x2, y2)))
    luma = np.empty((HEIGHT, WIDTH), np.uint8)
    samples, crossings = [], 0
    every = max(1, frames // SAMPLES)
    with Path(argv[0]).open("rb", buffering=0) as film:
        for number in range(frames):
            if film.readinto(luma.data) < luma.size:
                film.seek(0)
                film.readinto(luma.data)
            crossings += len(counter.process(luma, number / FPS))
            if number % every == every - 1:
                samples.append((number + 1, rss_kb(), len(list(Path("/proc/self/fd").iterdir())), crossings))
    print(json.dumps(samples))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
