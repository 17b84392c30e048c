"""Counts simulated streets and keeps truth and counts of each (variant, scene, seed) as one JSON line, to be scored later."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench.accuracy.ablations import VARIANTS

from telstraat_device.counting.counter import Counter, CounterSettings
from telstraat_device.counting.crossings.classify import MIDDLE_M
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_firmware_sim.street.scenes import Trial, trials
from telstraat_firmware_sim.street.street import SimulatedStreet
from telstraat_firmware_sim.street.truth import TrueCrossing

SCENES = ("day~", "rain~", "shadow~", "shake~", "drift~", "exposure~", "oblique~", "groups~", "night~")
FIRST_SEED = 90_001  # nobody has looked at these
GIVEN = "scale given by hand"
WARM_S = 1.0  # what crosses in the first second is not scored


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One street that was counted."""

    variant: str
    scene: str
    seed: int
    hours: float
    truth: list[dict[str, Any]]
    counts: list[dict[str, Any]]


def read_rows(path: Path) -> list[Row]:
    """Read what was counted so far."""
    if not path.exists():
        return []
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [
        Row(row["variant"], row["scene"], row["seed"], row["hours"], row["truth"], row["counts"])
        for row in map(json.loads, lines)
    ]


def run(
    path: Path,
    variants: Sequence[str],
    scenes: Sequence[str],
    seeds: int,
    seconds: float,
    fps: float,
    part: tuple[int, int],
) -> None:
    """Count what is not there yet, seed by seed, so that a stop leaves all scenes with as many seeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {(row.variant, row.scene, row.seed) for row in read_rows(path)}
    for number, (variant, trial) in enumerate(work(variants, scenes, seeds, seconds, fps)):
        if number % part[1] != part[0] or (variant, trial.scene, trial.seed) in done:
            continue
        begun = time.process_time()
        row = count(variant, trial)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
        spent = time.process_time() - begun
        print(f"{variant}, {trial.scene} {trial.seed}: {len(row['counts'])} of {len(row['truth'])}, {spent:.0f} CPU s")


def work(
    variants: Sequence[str], scenes: Sequence[str], seeds: int, seconds: float, fps: float
) -> Iterator[tuple[str, Trial]]:
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for trial in trials(scenes, [seed], seconds, fps=fps, width=320, height=240):
            for variant in variants:
                yield variant, trial


def count(variant: str, trial: Trial) -> dict[str, Any]:
    """Count one street as it is rendered."""
    street = trial.street()
    counter = with_scale(street) if variant == GIVEN else VARIANTS[variant](street.width, street.height, street.line)
    crossings: list[Crossing] = []
    for frame in street:
        crossings += counter.process(frame.luma, frame.t_s)
    crossings += counter.finish()
    end_s = trial.settings.duration_s or 0.0
    return {
        "variant": variant,
        "scene": trial.scene,
        "seed": trial.seed,
        "hours": end_s / 3600,
        "truth": [as_truth(crossing) for crossing in street.truth_between(WARM_S, end_s - WARM_S)],
        "counts": [as_count(crossing) for crossing in crossings if WARM_S <= crossing.t_s < end_s - WARM_S],
    }


def with_scale(street: SimulatedStreet) -> Counter:
    """Give the counter the true scale of what passes with its middle on the line's middle."""
    camera = street.camera
    row = np.array((street.line[0][1] + street.line[1][1]) / 2)
    ray = camera.rays(np.array(camera.width / 2), row)
    depth_m = -(camera.height_m - MIDDLE_M) / float(ray[2])
    given = CounterSettings(pixels_per_metre=camera.focal_px / depth_m)
    return Counter(street.width, street.height, street.line, given)


def as_truth(crossing: TrueCrossing) -> dict[str, Any]:
    return {
        "t": round(crossing.t_s, 3),
        "t0": round(crossing.t0_s, 3),
        "t1": round(crossing.t1_s, 3),
        "class": crossing.class_name,
        "direction": crossing.direction,
        "speed": round(crossing.speed_kmh, 2),
    }


def as_count(crossing: Crossing) -> dict[str, Any]:
    return {
        "t": crossing.t_s,
        "class": crossing.class_name,
        "direction": crossing.direction,
        "speed": crossing.speed_kmh,
        "confidence": crossing.confidence,
    }
