"""Draws sprites from polygons, limbs and discs in metres, and packs them into one atlas of texels at four sizes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from telstraat_firmware_sim.rendering.paint import LEVELS, PAINT_UNIT

OVER = 2  # drawn at twice the size, then averaged: soft edges; halved as the smaller levels are

Floats = NDArray[np.float32]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Material:
    """What a place is made of: a fixed grey, and shares (0 to 1) of the object's two paints."""

    base: float
    paint1: float = 0.0
    paint2: float = 0.0


TYRE = Material(24)
RIM = Material(120)
GLASS = Material(46)
BRIGHT_GLASS = Material(92)
SKIN = Material(158)
HAIR = Material(44)
DARK = Material(18)
STEEL = Material(95)
LAMP = Material(225)
RED_LAMP = Material(105)
PAINT = Material(0, 1.0)
PAINT_LIGHT = Material(14, 1.05)
PAINT_DARK = Material(0, 0.72)
SECOND = Material(0, 0.0, 1.0)
SECOND_DARK = Material(0, 0.0, 0.75)


class Drawing:
    """A picture `width_m` x `height_m`; x to the right, z up from the ground, both in metres."""

    def __init__(self, width_m: float, height_m: float, per_m: float = 64.0) -> None:
        self._per_m = per_m * OVER
        step = OVER * 2 ** (LEVELS - 1)  # so that every level has whole texels
        self._columns = max(step, int(np.ceil(width_m * self._per_m / step)) * step)
        self._rows = max(step, int(np.ceil(height_m * self._per_m / step)) * step)
        self.width_m = self._columns / self._per_m
        self.height_m = self._rows / self._per_m
        self._alpha = np.zeros((self._rows, self._columns), dtype=np.float32)
        self._planes = np.zeros((3, self._rows, self._columns), dtype=np.float32)

    def _box(self, x0: float, x1: float, z0: float, z1: float) -> tuple[slice, slice, Floats, Floats] | None:
        """Give the rows and columns that a box touches, and the metres of their middles."""
        left = max(0, int(x0 * self._per_m) - 1)
        right = min(self._columns, int(np.ceil(x1 * self._per_m)) + 1)
        top = max(0, int((self.height_m - z1) * self._per_m) - 1)
        bottom = min(self._rows, int(np.ceil((self.height_m - z0) * self._per_m)) + 1)
        if left >= right or top >= bottom:
            return None
        x = ((np.arange(left, right) + 0.5) / self._per_m).astype(np.float32)
        z = (self.height_m - (np.arange(top, bottom) + 0.5) / self._per_m).astype(np.float32)
        return slice(top, bottom), slice(left, right), x[None, :], z[:, None]

    def _lay(self, rows: slice, columns: slice, inside: NDArray[np.bool_], material: Material) -> None:
        self._alpha[rows, columns][inside] = 1.0
        for plane, value in zip(self._planes, (material.base, material.paint1, material.paint2), strict=True):
            plane[rows, columns][inside] = value

    def polygon(self, points: list[Point], material: Material) -> None:
        """Fill a polygon, also one that is not convex (even-odd rule)."""
        xs, zs = [p[0] for p in points], [p[1] for p in points]
        box = self._box(min(xs), max(xs), min(zs), max(zs))
        if box is None:
            return
        rows, columns, x, z = box
        inside = np.zeros(np.broadcast_shapes(x.shape, z.shape), dtype=bool)
        for (xa, za), (xb, zb) in zip(points, points[1:] + points[:1], strict=True):
            if za == zb:
                continue
            cross = (xb - xa) * (z - za) / (zb - za) + xa
            inside ^= ((za <= z) != (zb <= z)) & (x < cross)
        self._lay(rows, columns, inside, material)

    def rectangle(self, x0: float, z0: float, x1: float, z1: float, material: Material) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x0, z0), (x1, z0), (x1, z1), (x0, z1)], material)

    def limb(self, a: Point, b: Point, radius_a: float, radius_b: float, material: Material) -> None:
        """Fill a limb: a line from `a` to `b` with round ends whose thickness goes from one radius to the other."""
        most = max(radius_a, radius_b)
        box = self._box(min(a[0], b[0]) - most, max(a[0], b[0]) + most, min(a[1], b[1]) - most, max(a[1], b[1]) + most)
        if box is None:
            return
        rows, columns, x, z = box
        dx, dz = b[0] - a[0], b[1] - a[1]
        length = dx * dx + dz * dz or 1e-9
        along = np.clip(((x - a[0]) * dx + (z - a[1]) * dz) / length, 0, 1)
        apart = (x - a[0] - along * dx) ** 2 + (z - a[1] - along * dz) ** 2
        self._lay(rows, columns, apart <= (radius_a + along * (radius_b - radius_a)) ** 2, material)

    def disc(self, centre: Point, radius: float, material: Material) -> None:
        """Fill a disc."""
        self.limb(centre, centre, radius, radius, material)

    def ring(self, centre: Point, radius: float, thickness: float, material: Material) -> None:
        """Fill a ring: a tyre."""
        box = self._box(centre[0] - radius, centre[0] + radius, centre[1] - radius, centre[1] + radius)
        if box is None:
            return
        rows, columns, x, z = box
        apart = np.sqrt((x - centre[0]) ** 2 + (z - centre[1]) ** 2)
        self._lay(rows, columns, (apart <= radius) & (apart >= radius - thickness), material)

    def paste(self, other: Drawing, x: float) -> None:
        """Lay another drawing of the same scale over this one, its left edge at `x`, both on the ground."""
        left = round(x * self._per_m)
        rows, columns = min(self._rows, other._rows), min(self._columns - left, other._columns)
        here = (slice(self._rows - rows, self._rows), slice(left, left + columns))
        there = (slice(other._rows - rows, other._rows), slice(0, columns))
        opaque = other._alpha[there] > 0
        self._alpha[here][opaque] = 1.0
        for plane, source in zip(self._planes, other._planes, strict=True):
            plane[here][opaque] = source[there][opaque]

    def shaded(self, light: Floats) -> None:
        """Multiply all greys by (rows, 1), (1, columns) or (rows, columns) of light, resized by repetition."""
        rows = np.linspace(0, light.shape[0] - 1, self._rows).round().astype(int)
        columns = np.linspace(0, light.shape[1] - 1, self._columns).round().astype(int)
        self._planes *= light[np.ix_(rows, columns)]

    def field(self, alpha: Floats, material: Material) -> None:
        """Replace everything by one material whose alpha is given (rows, columns), resized by repetition."""
        rows = np.linspace(0, alpha.shape[0] - 1, self._rows).round().astype(int)
        columns = np.linspace(0, alpha.shape[1] - 1, self._columns).round().astype(int)
        self._alpha[:] = alpha[np.ix_(rows, columns)]
        for plane, value in zip(self._planes, (material.base, material.paint1, material.paint2), strict=True):
            plane[:] = value

    def texels(self) -> list[NDArray[np.uint32]]:
        """Pack at full size and at every smaller level."""
        planes = np.concatenate([self._alpha[None], self._planes * self._alpha])
        packed = []
        for _ in range(LEVELS):
            planes = planes[:, 0::2] + planes[:, 1::2]
            planes = 0.25 * (planes[:, :, 0::2] + planes[:, :, 1::2])
            mean = planes[1:] / np.maximum(planes[0], 1e-6)
            texel = np.round(planes[0] * 255).astype(np.uint32) << 24
            for plane, unit, shift in zip(mean, (1.0, PAINT_UNIT, PAINT_UNIT), (16, 8, 0), strict=True):
                texel |= np.minimum(plane * unit + 0.5, 255).astype(np.uint32) << shift
            packed.append(np.asarray(texel, dtype=np.uint32))
        return packed


@dataclass(slots=True)
class Atlas:
    """All sprites in one array of texels, with the table of where each is."""

    _pieces: list[NDArray[np.uint32]] = field(default_factory=list)
    _table: list[list[tuple[int, int, int]]] = field(default_factory=list)
    _sizes_m: list[tuple[float, float]] = field(default_factory=list)
    _end: int = 0

    def add(self, drawing: Drawing) -> int:
        """Store a drawing at every level; return its number."""
        levels = []
        for texels in drawing.texels():
            levels.append((self._end, texels.shape[1], texels.shape[0]))
            self._pieces.append(texels.ravel())
            self._end += texels.size
        self._table.append(levels)
        self._sizes_m.append((drawing.width_m, drawing.height_m))
        return len(self._table) - 1

    def packed(self) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float64]]:
        """Give texels, table (sprite, level, [offset, width, height]) and sizes (sprite, [width_m, height_m])."""
        return (
            np.concatenate(self._pieces),
            np.array(self._table, dtype=np.int64),
            np.array(self._sizes_m, dtype=np.float64),
        )
