"""Assembles every sprite and body once per process: the atlas, and the tables that the kernels read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from telstraat_firmware_sim.rendering import columns
from telstraat_firmware_sim.rendering.drawing import Atlas, Drawing, Floats, Material
from telstraat_firmware_sim.rendering.people import (
    CYCLES,
    MOTORS,
    PHASES,
    RUN,
    WALK,
    cyclist,
    motorcyclist,
    pedal_turn_m,
    person,
    pram_pusher,
    under_umbrella,
)
from telstraat_firmware_sim.rendering.vehicles import SHAPES, Shape, panel, vehicle_side
from telstraat_firmware_sim.street.bodies import BODIES, RoadUserKind

FIXTURES = ("trunk", "leaves-0", "leaves-1", "leaves-2")
NO_STRIDE_M = 99.0  # motorcycles: nothing moves but the whole
LOOKS = {"walker": (0, 2, 3), "coat": (1,), "child": (0,), "jogger": (3,)}
SIDE_LIGHT, END_LIGHT = 236, 250  # of 256: roofs catch more sky than sides


@dataclass(frozen=True, slots=True)
class Models:
    """What the kernels need of all bodies; rows of `bodies` are BODIES, then FIXTURES."""

    atlas: NDArray[np.uint32]
    sprites: NDArray[np.int64]
    sizes_m: NDArray[np.float64]
    bodies: NDArray[np.float64]
    panels: NDArray[np.float64]
    beam: int
    halo: int

    def fixture(self, name: str) -> int:
        """Give the row of a fixture."""
        return len(BODIES) + FIXTURES.index(name)


@cache
def models() -> Models:
    """Draw everything."""
    atlas = Atlas()
    bodies = np.zeros((len(BODIES) + len(FIXTURES), columns.BODY_COLUMNS))
    panels: list[tuple[float, ...]] = []
    shapes = {shape.kind: shape for shape in SHAPES}
    names = sorted({name for shape in SHAPES for name in shape.panels})
    panel_sprites = {name: atlas.add(panel(name)) for name in names}
    for row, body in zip(bodies, BODIES, strict=False):
        row[[columns.LENGTH, columns.WIDTH, columns.HEIGHT]] = body.length_m, body.width_m, body.height_m
        row[columns.STRIDE] = NO_STRIDE_M
        row[[columns.PHASES, columns.VARIANTS]] = 1
        if body.kind in shapes:
            _vehicle(row, shapes[body.kind], atlas, panels, panel_sprites)
        else:
            _figure(row, body, atlas)
    for row, name in zip(bodies[len(BODIES) :], FIXTURES, strict=True):
        row[columns.KIND], row[columns.SPRITE] = columns.STANDING, atlas.add(_fixture(name))
        row[columns.WIDTH] = 0.4
    beam, halo = atlas.add(_beam()), atlas.add(_halo())
    texels, table, sizes = atlas.packed()
    return Models(texels, table, sizes, bodies, np.array(panels), beam, halo)


def _vehicle(
    row: Floats | NDArray[np.float64],
    shape: Shape,
    atlas: Atlas,
    panels: list[tuple[float, ...]],
    panel_sprites: dict[str, int],
) -> None:
    row[columns.KIND], row[columns.SPRITE] = columns.DRIVING, atlas.add(vehicle_side(shape))
    row[columns.FIRST_PANEL], row[columns.PANELS] = len(panels), len(shape.panels)
    for (xa, za), (xb, zb), name in zip(shape.outline[:-1], shape.outline[1:], shape.panels, strict=True):
        flat = abs(zb - za) < abs(xb - xa)
        panels.append((xa, za, xb, zb, panel_sprites[name], 262 if flat else END_LIGHT))
    high = [x for x, z in shape.outline if z > 0.9 * shape.height_m]
    row[columns.CABIN0], row[columns.CABIN1] = min(high), max(high)
    row[columns.BELT] = 0.66 * shape.height_m


def _figure(row: NDArray[np.float64], body: RoadUserKind, atlas: Atlas) -> None:
    """Draw the phases of a figure; riders have two sprites a phase: whole, and the rider alone."""
    first = None
    if body.kind in LOOKS:
        gait = RUN if body.kind == "jogger" else WALK
        row[[columns.KIND, columns.PHASES, columns.VARIANTS]] = columns.WALKING, PHASES, len(LOOKS[body.kind])
        row[columns.STRIDE] = gait.stride_m * body.height_m / 1.74
        drawings = [person(k / PHASES, body.height_m, gait, look) for look in LOOKS[body.kind] for k in range(PHASES)]
    elif body.kind in ("pram", "umbrella"):
        row[[columns.KIND, columns.PHASES, columns.STRIDE]] = columns.WALKING, PHASES, WALK.stride_m
        push = body.kind == "pram"
        drawings = [pram_pusher(k / PHASES, 1.70) if push else under_umbrella(k / PHASES) for k in range(PHASES)]
    elif body.kind in CYCLES:
        row[[columns.KIND, columns.PHASES, columns.STRIDE]] = columns.RIDING, PHASES, pedal_turn_m()
        drawings = [cyclist(body.kind, k / PHASES, rider_only=alone) for k in range(PHASES) for alone in (False, True)]
    else:
        assert body.kind in MOTORS, body.kind
        row[columns.KIND] = columns.MOTORING
        drawings = [motorcyclist(body.kind, rider_only=alone) for alone in (False, True)]
    for drawing in drawings:
        number = atlas.add(drawing)
        first = number if first is None else first
    row[columns.SPRITE] = first


def _fixture(name: str) -> Drawing:
    rng = np.random.default_rng([len(name), ord(name[-1])])
    if name == "trunk":
        drawing = Drawing(0.36, 5.0, 32.0)
        drawing.polygon([(0.02, 0.0), (0.34, 0.0), (0.29, 5.0), (0.07, 5.0)], Material(62))
        drawing.shaded((0.8 + 0.35 * rng.random((60, 7))).astype(np.float32))
        return drawing
    drawing = Drawing(1.7, 1.4, 32.0)
    for _ in range(170):
        angle, out = rng.uniform(0, 6.283), rng.uniform(0, 1) ** 0.5
        x, z = 0.85 + 0.72 * out * np.cos(angle), 0.7 + 0.58 * out * np.sin(angle)
        drawing.limb(
            (x, z), (x + rng.normal(0, 0.06), z + rng.normal(0, 0.05)), 0.05, 0.03, Material(rng.uniform(28, 92))
        )
    return drawing


def _beam() -> Drawing:
    """Draw the light that headlights lay on the road, away from the lamp to the right."""
    drawing = Drawing(1.0, 1.0, 48.0)
    u, v = np.meshgrid(np.linspace(0, 1, 48), np.linspace(-1, 1, 48))
    spread = 0.28 + 0.62 * u
    light = np.exp(-((v / spread) ** 2) * 2.0) * np.clip(u * 9, 0, 1) * np.exp(-2.6 * u) * np.clip((1 - u) * 4, 0, 1)
    drawing.field(light.astype(np.float32), Material(0))
    return drawing


def _halo() -> Drawing:
    drawing = Drawing(1.0, 1.0, 48.0)
    u, v = np.meshgrid(np.linspace(-1, 1, 48), np.linspace(-1, 1, 48))
    apart = np.sqrt(u**2 + v**2)
    light = np.clip(1.25 * np.exp(-((apart / 0.42) ** 2)) - 0.01, 0, 1)
    drawing.field(np.where(apart < 1, light, 0).astype(np.float32), Material(0))
    return drawing
