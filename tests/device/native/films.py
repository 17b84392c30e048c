"""Simulated streets as files of frames, counted by a process of their own, with numba's kernels or the precompiled ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.street.street import SimulatedStreet

ROOT = Path(__file__).resolve().parents[3]
FPS = 10.0


@dataclass(frozen=True)
class Film:
    """A street's frames in a file, and what a counter has to know of them."""

    path: Path
    width: int
    height: int
    line: tuple[float, ...]

    def arguments(self) -> list[str]:
        """Return the arguments of `bench.core.counting_process`."""
        return [str(word) for word in (self.path, self.width, self.height, FPS, *self.line)]


def film_of(name: str, folder: Path, width: int, height: int, seconds: float) -> Film:
    """Write the frames of a simulated scene."""
    street = SimulatedStreet(scene(name, seed=5, width=width, height=height, fps=FPS, duration_s=seconds))
    path = folder / f"{name}.luma"
    with path.open("wb") as frames:
        for frame in street:
            frames.write(frame.luma.tobytes())
    (x1, y1), (x2, y2) = street.line
    return Film(path, width, height, (x1, y1, x2, y2))


def count_film(film: Film, kernels: str, python: Sequence[str] = (sys.executable,), path: str = "") -> dict[str, Any]:
    """Count a film in a process of its own and return what it prints."""
    environment = os.environ | {"TELSTRAAT_KERNELS": kernels}
    if path:
        environment |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*python, "-m", "bench.core.counting_process", *film.arguments()]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted
