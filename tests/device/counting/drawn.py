"""Tiny drawn streets: textured boxes that follow a path over a grey road, for tables of scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.crossing import Crossing

WIDTH, HEIGHT, FPS = 320, 240, 25.0
LINE = ((160.0, 20.0), (160.0, 220.0))  # drawn downwards: left_to_right is towards the left edge
Path = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True)
class Thing:
    """A box of w x h pixels whose middle is at path(t), or nowhere; tone is its mean brightness."""

    path: Path
    w: int = 40
    h: int = 24
    tone: int = 190
    flat: bool = False


def road(seed: int = 0) -> NDArray[np.uint8]:
    """Return an empty road with a smooth texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(80, 120, (HEIGHT // 8, WIDTH // 8)).astype(np.float64)
    fine = np.kron(coarse, np.ones((8, 8)))
    return np.asarray(fine + rng.integers(-2, 3, fine.shape), np.uint8)


def frame(t_s: float, things: Sequence[Thing], empty: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the things of a moment with a little noise."""
    picture = empty.astype(np.int16)
    for number, thing in enumerate(things):
        at = thing.path(t_s)
        if at is None:
            continue
        x0, y0 = round(at[0] - thing.w / 2), round(at[1] - thing.h / 2)
        skin = np.random.default_rng(number).integers(-35, 36, (thing.h, thing.w)) * (not thing.flat)
        left, top = max(x0, 0), max(y0, 0)
        right, bottom = min(x0 + thing.w, WIDTH), min(y0 + thing.h, HEIGHT)
        if right > left and bottom > top:
            picture[top:bottom, left:right] = thing.tone + skin[top - y0 : bottom - y0, left - x0 : right - x0]
    picture += rng.integers(-1, 2, picture.shape, dtype=np.int16)
    return np.ascontiguousarray(picture.clip(0, 255).astype(np.uint8))


def frames(things: Sequence[Thing], seconds: float, seed: int = 0, fps: float = FPS) -> list[NDArray[np.uint8]]:
    """Draw a film."""
    empty, rng = road(seed), np.random.default_rng(seed + 1)
    return [frame(number / fps, things, empty, rng) for number in range(round(seconds * fps))]


def count(film: Sequence[NDArray[np.uint8]], fps: float = FPS) -> list[Crossing]:
    """Count a film from its first frame to its last."""
    counter = Counter(WIDTH, HEIGHT, LINE)
    crossings = [crossing for number, luma in enumerate(film) for crossing in counter.process(luma, number / fps)]
    return crossings + counter.finish()


def straight(x0: float, x1: float, y: float, start_s: float, end_s: float) -> Path:
    """Go from x0 to x1 at height y between two times; be nowhere before and after."""

    def path(t_s: float) -> tuple[float, float] | None:
        if not start_s <= t_s <= end_s:
            return None
        return x0 + (x1 - x0) * (t_s - start_s) / (end_s - start_s), y

    return path


def through(*points: tuple[float, float, float]) -> Path:
    """Go straight from point to point; a point is (t_s, x, y)."""

    def path(t_s: float) -> tuple[float, float] | None:
        if not points[0][0] <= t_s <= points[-1][0]:
            return None
        times, xs, ys = zip(*points, strict=True)
        return float(np.interp(t_s, times, xs)), float(np.interp(t_s, times, ys))

    return path
