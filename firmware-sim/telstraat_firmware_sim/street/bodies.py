"""The kinds of things that pass: their class, their size in metres, how many of each there are.

Lengths, widths and heights are those of common vehicles of each kind (manufacturers' data sheets); shares follow
European city traffic by eye.
"""

from __future__ import annotations

from dataclasses import dataclass

from telstraat_device.counting.crossings.crossing import ClassName


@dataclass(frozen=True, slots=True)
class RoadUserKind:
    """One kind of road user; `share` is within its class."""

    kind: str
    class_name: ClassName
    length_m: float
    width_m: float
    height_m: float
    share: float


BODIES: tuple[RoadUserKind, ...] = (
    RoadUserKind("walker", "pedestrian", 0.6, 0.5, 1.74, 0.65),
    RoadUserKind("coat", "pedestrian", 0.6, 0.55, 1.70, 0.22),
    RoadUserKind("child", "pedestrian", 0.45, 0.35, 1.22, 0.08),
    RoadUserKind("pram", "pedestrian", 1.45, 0.55, 1.70, 0.05),
    RoadUserKind("umbrella", "pedestrian", 0.95, 0.95, 2.02, 0.0),
    RoadUserKind("jogger", "pedestrian", 0.8, 0.5, 1.76, 0.0),
    RoadUserKind("city-bike", "bicycle", 1.8, 0.6, 1.72, 0.62),
    RoadUserKind("race-bike", "bicycle", 1.72, 0.5, 1.58, 0.26),
    RoadUserKind("cargo-bike", "bicycle", 2.5, 0.7, 1.72, 0.12),
    RoadUserKind("motorcycle", "motorcycle", 2.15, 0.8, 1.62, 0.5),
    RoadUserKind("scooter", "motorcycle", 1.85, 0.7, 1.66, 0.5),
    RoadUserKind("hatchback", "car", 3.95, 1.72, 1.48, 0.34),
    RoadUserKind("small-car", "car", 3.55, 1.64, 1.52, 0.12),
    RoadUserKind("saloon", "car", 4.65, 1.82, 1.44, 0.12),
    RoadUserKind("estate", "car", 4.65, 1.82, 1.49, 0.14),
    RoadUserKind("suv", "car", 4.50, 1.86, 1.67, 0.18),
    RoadUserKind("mpv", "car", 4.45, 1.83, 1.82, 0.10),
    RoadUserKind("panel-van", "heavy", 5.60, 2.02, 2.45, 0.52),
    RoadUserKind("box-lorry", "heavy", 7.80, 2.50, 3.35, 0.16),
    RoadUserKind("tipper", "heavy", 8.20, 2.50, 3.05, 0.08),
    RoadUserKind("semi", "heavy", 14.6, 2.55, 3.85, 0.06),
    RoadUserKind("bus", "heavy", 12.0, 2.55, 3.10, 0.14),
    RoadUserKind("tractor", "heavy", 4.6, 2.25, 2.80, 0.04),
)

INDEX = {body.kind: number for number, body in enumerate(BODIES)}
