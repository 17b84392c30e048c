"""The street without anybody: asphalt, markings, pavements, houses and sky, seen by the camera, once per street."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from telstraat_firmware_sim.street.camera import Camera
from telstraat_firmware_sim.street.layout import StreetLayout
from telstraat_firmware_sim.street.settings import StreetSettings

MARGIN_PX = 10  # painted beyond every edge, for the camera's shaking
SAMPLES = ((0.25, 0.25), (0.75, 0.75))  # x and y within a pixel; the lens blurs over the rest
LAMP_APART_M = 26.0
FLOOR_M = 2.9
SKY = 214.0
FAR_M = 400.0

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def smooth_noise(table, x, y):  # type: ignore[no-untyped-def]
    """Give smooth noise around 0 with one hill a unit; x, y float64 (n,), `table` random in 0 to 1, (256, 256)."""
    noise = np.empty(x.size)
    for k in range(x.size):
        left, top = np.floor(x[k]), np.floor(y[k])
        u, v = x[k] - left, y[k] - top
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        i, j = int(left), int(top)
        i0, i1, j0, j1 = i & 255, (i + 1) & 255, j & 255, (j + 1) & 255
        upper = table[j0, i0] + u * (table[j0, i1] - table[j0, i0])
        lower = table[j1, i0] + u * (table[j1, i1] - table[j1, i0])
        noise[k] = upper + v * (lower - upper) - 0.5
    return noise


def night_light(night: float) -> tuple[float, float]:
    """Give (ambient, lamps) light for a depth of night; lamps burn from 0.3 on."""
    ambient = 1.0 - 0.90 * min(1.0, night) ** 0.7 if night > 0 else 1.0
    return max(0.1, ambient), 0.62 * max(0.0, min(1.0, (night - 0.3) / 0.4))


def lamp_places(settings: StreetSettings, layout: StreetLayout) -> Floats:
    """Give (n, 2) x, y of the street lamps."""
    if not settings.road.lamps:
        return np.zeros((0, 2))
    first = np.random.default_rng([settings.seed, 3]).uniform(-10, 10)
    xs = first + LAMP_APART_M * np.arange(-4, 5)
    return np.stack([xs, np.full_like(xs, layout.far_kerb_y + 0.4)], axis=1)


def paint_backdrop(settings: StreetSettings, layout: StreetLayout) -> NDArray[np.uint8]:
    """Give uint8 (height + 2 margins, width + 2 margins + 1)."""
    camera = layout.camera
    columns = np.arange(camera.width + 2 * MARGIN_PX + 1) - MARGIN_PX
    rows = np.arange(camera.height + 2 * MARGIN_PX + 1) - MARGIN_PX
    total = np.zeros((rows.size, columns.size))
    surface = _Surface(settings, layout)
    for dx, dy in SAMPLES:
        x_px, y_px = np.meshgrid(columns + dx, rows + dy)
        total += _seen(camera, layout, surface, x_px, y_px)
    return np.clip(np.round(total / len(SAMPLES)), 0, 255).astype(np.uint8)


def _seen(camera: Camera, layout: StreetLayout, surface: _Surface, x_px: Floats, y_px: Floats) -> Floats:
    """Give the grey under every sample: ground, or houses behind it, or sky above them."""
    ray = camera.rays(x_px, y_px)
    down = np.where(ray[..., 2] < -1e-6, ray[..., 2], -1e-6)
    to_ground = np.minimum(-camera.height_m / down, FAR_M * 4)
    to_ground = np.where(ray[..., 2] < -1e-6, to_ground, FAR_M * 4)
    out = np.where(ray[..., 1] > 1e-6, ray[..., 1], 1e-6)
    to_wall = np.where(ray[..., 1] > 1e-6, layout.facade_y / out, FAR_M * 8)
    along = np.minimum(to_wall, to_ground)
    x, y = along * ray[..., 0], along * ray[..., 1]
    z = camera.height_m + along * ray[..., 2]
    behind = to_wall < to_ground
    sky = (behind & (z > surface.roof(x))) | (along > FAR_M)
    wall, ground = behind & ~sky, ~behind & ~sky
    grey = surface.sky(z)
    grey[wall] = surface.wall(x[wall], z[wall], along[wall])
    grey[ground] = surface.ground(x[ground], y[ground], along[ground])
    return grey


class _Surface:
    """Greys of every place of one street, from its seed."""

    def __init__(self, settings: StreetSettings, layout: StreetLayout) -> None:
        self._settings, self._layout = settings, layout
        rng = np.random.default_rng([settings.seed, 1])
        self._table = rng.random((256, 256))
        self._asphalt = rng.uniform(84, 122)
        self._pavement = rng.uniform(118, 160)
        self._garden = rng.uniform(58, 92)
        self._house_m = rng.uniform(5.2, 7.2)
        self._shift = rng.uniform(0, 6)
        self._house_grey = rng.uniform(88, 188, 512)
        self._house_high = rng.uniform(5.6, 9.5, 512)
        self._door = rng.integers(0, 3, 512)
        self._patch = rng.uniform(-60, 60, (14, 2)), rng.uniform(0.7, 3.2, 14), rng.uniform(-22, 12, 14)
        self._ambient, self._lamp = night_light(settings.light.night)
        self._lamps = lamp_places(settings, layout)

    def _noise(self, x: Floats, y: Floats) -> Floats:
        return np.asarray(smooth_noise(self._table, np.ascontiguousarray(x), np.ascontiguousarray(y)))

    def _fade(self, far: Floats, size_m: float) -> Floats:
        """Fade detail of a size that a pixel no longer resolves."""
        per_px = far / self._layout.camera.focal_px
        return np.asarray(np.clip(size_m / (2.2 * per_px), 0, 1))

    def ground(self, x: Floats, y: Floats, far: Floats) -> Floats:
        layout, road = self._layout, self._settings.road
        grain = 16 * self._noise(x * 9, y * 9) * self._fade(far, 0.12) + 9 * self._noise(x * 2.1, y * 2.1)
        broad = 14 * self._noise(x * 0.35 + 7, y * 0.5)
        carriage = self._asphalt + grain + broad - 7 * np.exp(-(((y - layout.near_lane_y) % 1.6 - 0.8) ** 2) * 4)
        places, sizes, greys = self._patch
        for (px, py), size, grey in zip(places, sizes, greys, strict=True):
            inside = (np.abs(x - px) < size) & (np.abs(y - layout.axis_y - py / 15) < 0.4 * size)
            carriage = carriage + np.where(inside, grey, 0.0)
        crack = (np.abs(self._noise(x * 0.9 + 3, y * 0.9 + 31)) < 0.006) & (self._noise(x * 0.31, y * 0.31 + 90) > 0.12)
        carriage -= 20 * crack * self._fade(far, 0.04)
        grey = carriage
        for kerb_near, kerb_far in (
            (layout.near_kerb_y - road.pavement_m, layout.near_kerb_y),
            (layout.far_kerb_y, layout.far_kerb_y + road.pavement_m),
        ):
            joint = ((np.abs((x / 0.5) % 1 - 0.5) > 0.46) | (np.abs((y / 0.5) % 1 - 0.5) > 0.46)) * self._fade(
                far, 0.05
            )
            slab = 18 * (self._table[(np.floor(y / 0.5).astype(int)) & 255, np.floor(x / 0.5).astype(int) & 255] - 0.5)
            pavement = self._pavement + 0.6 * grain + slab * self._fade(far, 0.5) - 34 * joint
            grey = np.where((y >= kerb_near) & (y < kerb_far), pavement, grey)
        for kerb in (layout.near_kerb_y, layout.far_kerb_y):
            grey = np.where(np.abs(y - kerb) < 0.08, self._pavement + 22, grey)
        grey = self._markings(x, y, grey)
        green = (
            self._garden + 28 * self._noise(x * 3.1, y * 3.1) + 30 * self._noise(x * 11, y * 11) * self._fade(far, 0.1)
        )
        outside = (y < layout.near_kerb_y - road.pavement_m) | (y >= layout.far_kerb_y + road.pavement_m)
        grey = np.where(outside, green, grey)
        return self._lit(grey, x, y, self._shaded(y))

    def _shaded(self, y: Floats) -> NDArray[np.bool_]:
        reach_m = self._settings.light.house_shade_m
        return (y < self._layout.near_kerb_y + reach_m) & (reach_m > 0)

    def _markings(self, x: Floats, y: Floats, grey: Floats) -> Floats:
        layout, road = self._layout, self._settings.road
        worn = 176 + 60 * self._noise(x * 5, y * 5)
        dashes = (np.abs(y - layout.axis_y) < 0.06) & ((x / 6.0) % 1 < 0.5)
        strip = (np.abs(np.abs(y - layout.axis_y) - road.lane_m) < 0.05) & ((x / 2.0) % 1 < 0.5)
        return np.where(dashes | (strip & (road.bike_m > 0)), np.maximum(worn, grey), grey)

    def _house(self, x: Floats) -> tuple[NDArray[np.int64], Floats]:
        place = (x + self._shift) / self._house_m
        number = np.floor(place).astype(np.int64)
        return number & 511, (place - number) * self._house_m

    def roof(self, x: Floats) -> Floats:
        return np.asarray(self._house_high[self._house(x)[0]])

    def wall(self, x: Floats, z: Floats, far: Floats) -> Floats:
        number, across = self._house(x)
        bricks = 10 * (self._noise(x * 4.6, z * 14) * self._fade(far, 0.08)) + 10 * self._noise(x * 0.7, z * 0.7)
        grey = self._house_grey[number] + bricks
        bay = self._house_m / 3
        column, in_bay = np.floor(across / bay).astype(np.int64), across % bay / bay
        storey, in_storey = np.floor(z / FLOOR_M), z % FLOOR_M
        window = (in_bay > 0.2) & (in_bay < 0.8) & (in_storey > 0.95) & (in_storey < 2.35)
        pane = (in_bay > 0.25) & (in_bay < 0.75) & (in_storey > 1.03) & (in_storey < 2.27)
        door = (storey == 0) & (column == self._door[number])
        window, pane = window & ~door, pane & ~door
        leaf = door & (in_bay > 0.25) & (in_bay < 0.75) & (in_storey < 2.15)
        grey = np.where(window, 205.0, grey)
        grey = np.where(pane, 48 + 70 * (self._noise(x * 0.9, z * 0.8 + storey) + 0.3), grey)
        grey = np.where(leaf, 60 + 0.25 * self._house_grey[number], grey)
        grey = np.where((z < 0.45) & ~leaf, grey * 0.7, grey)
        grey = np.where(across < 0.07, grey * 0.8, grey)
        lit_window = pane & (self._table[(column + 3) & 255, number & 255] > 0.62) & (self._settings.light.night > 0.3)
        return np.where(
            lit_window, 165.0, self._lit(grey, x, np.full_like(x, self._layout.facade_y), np.zeros(x.shape, dtype=bool))
        )

    def sky(self, z: Floats) -> Floats:
        return np.asarray(self._ambient * np.clip(SKY + 0.4 * z, 0, 252) + 0 * z)

    def _lit(self, grey: Floats, x: Floats, y: Floats, shaded: NDArray[np.bool_] | bool) -> Floats:
        light = self._settings.light
        seen = np.where(shaded & (light.sun > 0), grey * (1 - light.sun), grey)
        wet = self._settings.lens.rain
        seen = seen * (1 - 0.28 * min(1.0, wet)) + 16 * wet * (self._noise(x * 0.6, y * 1.3) + 0.5)
        field = np.full_like(x, self._ambient)
        for lamp_x, lamp_y in self._lamps:
            field += self._lamp / (1 + ((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / 22.0)
        return np.asarray(seen * np.minimum(field, 1.15))
