"""A street that does not exist: frames of any size and rate from a seed, with the exact truth of what crosses."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import ClosingSource, Frame, Luma
from telstraat_firmware_sim.rendering import columns
from telstraat_firmware_sim.rendering.backdrop import MARGIN_PX, lamp_places, night_light, paint_backdrop
from telstraat_firmware_sim.rendering.image_sensor import close_shutter, expose, gather, lay_backdrop, let_it_rain
from telstraat_firmware_sim.rendering.light import NOISE_ROOM, gain_at, noise_table, shake_px
from telstraat_firmware_sim.rendering.models import models
from telstraat_firmware_sim.rendering.paint import paint_boards
from telstraat_firmware_sim.rendering.stage import set_stage
from telstraat_firmware_sim.street.bodies import BODIES, INDEX
from telstraat_firmware_sim.street.camera import Camera
from telstraat_firmware_sim.street.layout import PARKED_STRIP_M, Segment, StreetLayout, lay_out
from telstraat_firmware_sim.street.settings import StreetSettings
from telstraat_firmware_sim.street.traffic import Mover, TrafficPlan
from telstraat_firmware_sim.street.truth import TrueCrossing

FAST_MS = 12.0  # a car's speed, for choosing how often an open shutter is looked through
MOMENT_PX = 3.0
MOMENTS_MAX = 6
BLOCK_S = 10.0  # road users are packed for the kernels in blocks of this length
KEEP_S = 30.0  # ended passages are kept this long, for frames asked for once more
COVERED = 14  # grey of a hand, a curtain or a spider's web right before the lens
MARKS = 65_000
SOFT_PX = 0.5  # `expose` takes a pixel from itself and its neighbours to the right and below
NO_IDS = np.zeros((1, 1), dtype=np.uint16)


@dataclass(frozen=True, slots=True)
class ObjectMask:
    """Where one object is seen in a frame: bool (height, width), hidden parts left out."""

    object_id: int
    kind: str
    class_name: str
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Packed:
    """Road users of one block of time, as the kernels read them."""

    block: int
    meta: NDArray[np.float64]
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    movers: list[Mover]


class SimulatedStreet(ClosingSource):
    """A simulated street as a source of frames; `render` gives the frame of any street time.

    The same settings give the same bytes: a frame depends on its street time alone, not on those rendered before.
    """

    def __init__(self, settings: StreetSettings | None = None) -> None:
        self.settings = settings or StreetSettings()
        self._layout: StreetLayout = lay_out(self.settings)
        self._plan = TrafficPlan(self.settings, self._layout, self.settings.start_s)
        self._models = models()
        self._backdrop = paint_backdrop(self.settings, self._layout)
        self._lamps = lamp_places(self.settings, self._layout)
        self._camera = _soft(self._layout.camera)
        self._noise = noise_table(self.settings)
        self._turned: tuple[NDArray[np.float64], NDArray[np.uint8]] | None = None
        shape = (self.settings.height, self.settings.width)
        self._canvas = np.zeros(shape, dtype=np.uint8)
        self._stamp = np.zeros(shape, dtype=np.uint16)
        self._light = np.zeros(shape, dtype=np.uint16)
        smear_px = self.settings.lens.shutter_s * FAST_MS * self._layout.camera.focal_px / self._layout.axis_y
        self._moments = max(1, min(MOMENTS_MAX, round(smear_px / MOMENT_PX)))
        self._boards = np.zeros((columns.BOARDS_MAX, columns.BOARD_COLUMNS))
        self._grounds = np.zeros((columns.BOARDS_MAX, columns.GROUND_COLUMNS))
        self._spans = np.zeros((self.settings.height + 1, 2), dtype=np.int64)
        self._spans[-1, 0] = self.settings.width
        self._mark = 0
        self._fixed = _fixed_things(self.settings, self._layout)
        self._block: _Packed | None = None
        self._numbers = self._constant_numbers()
        self._looked_s = self.settings.start_s

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"simulated street {self.settings.scene or 'day'} (seed {self.settings.seed})"

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.settings.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.settings.height

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.settings.fps

    @property
    def frames(self) -> int | None:
        """How many frames there will be; None when the street does not end."""
        duration_s = self.settings.duration_s
        return None if duration_s is None else round(duration_s * self.settings.fps)

    @property
    def line(self) -> Segment:
        """Default counting line in pixels, from the near pavement to the far one: `left_to_right` is to the right."""
        return self._layout.line

    @property
    def camera(self) -> Camera:
        """The camera, for whoever wants to measure in metres."""
        return self._layout.camera

    @property
    def truth(self) -> list[TrueCrossing]:
        """Crossings from the street time of the first frame to that of the last one rendered, oldest first."""
        return self.truth_between(self.settings.start_s, self._looked_s)

    def truth_between(self, from_s: float, to_s: float) -> list[TrueCrossing]:
        """Give every true crossing with from_s <= t_s < to_s, also of times that were not rendered."""
        if from_s < self._plan.complete_from_s:
            self._plan, self._block = TrafficPlan(self.settings, self._layout, from_s), None
        self._plan.until(to_s)
        crossings = self._plan.crossings
        first, last = (bisect_left(crossings, at_s, key=lambda crossing: crossing.t_s) for at_s in (from_s, to_s))
        return crossings[first:last]

    def __iter__(self) -> Iterator[Frame]:
        number = 0
        while self.frames is None or number < self.frames:
            t_s = number / self.settings.fps
            yield Frame(self.render(self.settings.start_s + t_s), t_s)
            number += 1

    def render(self, t_s: float) -> Luma:
        """Render the frame at a street time; the array is used again by the next call."""
        self._paint(t_s, NO_IDS)
        self._looked_s = max(self._looked_s, t_s)
        return self._canvas

    def masks(self, t_s: float) -> list[ObjectMask]:
        """Give the visible pixels of everybody who moves, at a street time."""
        ids = np.zeros((self.settings.height, self.settings.width), dtype=np.uint16)
        packed = self._paint(t_s, ids)
        masks = []
        for number in np.unique(ids[ids > 0]):
            mover = packed.movers[int(number) - 1]
            body = BODIES[mover.body]
            masks.append(ObjectMask(mover.object_id, body.kind, body.class_name, ids == number))
        return masks

    def seen_share(self, crossing: TrueCrossing) -> float:
        """Tell how much of a road user is seen when it crosses: 0 is hidden behind others, 1 in full view."""
        ids = np.zeros((self.settings.height, self.settings.width), dtype=np.uint16)
        packed = self._paint(crossing.t_s, ids)
        number = 1 + next(k for k, mover in enumerate(packed.movers) if mover.object_id == crossing.object_id)
        seen_px = int((ids == number).sum())
        ids[:] = 0
        alone = replace(packed, meta=packed.meta[number - 1 : number].copy())
        camera = self._scenery(crossing.t_s)[0]
        camera[13:15] += shake_px(self.settings, crossing.t_s)
        self._paint_boards(alone, camera, crossing.t_s, ids)
        return seen_px / max(1, int((ids == number).sum()))

    def _paint(self, t_s: float, ids: NDArray[np.uint16]) -> _Packed:
        """Paint the frame of a moment: backdrop, then boards, then what lens and sensor make of it."""
        lens = self.settings.lens
        packed = self._packed(t_s)
        frame = round(t_s * self.settings.fps)
        dice = np.random.Philox(key=self.settings.seed, counter=[frame & (2**63 - 1), 0, 0, 5]).random_raw(2)
        shake_x, shake_y = shake_px(self.settings, t_s)
        camera, backdrop = self._scenery(t_s)
        camera[13] += shake_x
        camera[14] += shake_y
        for moment in range(self._moments):
            lay_backdrop(self._canvas, backdrop, MARGIN_PX, shake_x, shake_y)
            at_s = t_s + lens.shutter_s * ((moment + 0.5) / self._moments - 0.5)
            self._paint_boards(packed, camera, at_s, ids if moment == self._moments // 2 else NO_IDS)
            if self._moments > 1:
                gather(self._light, self._canvas, int(moment == 0))
        if self._moments > 1:
            close_shutter(self._canvas, self._light, self._moments)
        if lens.rain > 0:
            let_it_rain(self._canvas, lens.rain, int(dice[0] >> 1) | 1)
        gain = gain_at(self.settings, t_s)
        if lens.auto_exposure > 0:
            gain *= float((backdrop[::8, ::8].mean() + 1) / (self._canvas[::8, ::8].mean() + 1)) ** lens.auto_exposure
        if lens.cover_s and lens.cover_s[0] <= t_s < lens.cover_s[1]:
            self._canvas[:] = COVERED
            ids[:] = 0
        strong = 8.0 * lens.noise * (1.0 + 0.9 * self.settings.light.night)
        noise_x, noise_y = int(dice[0]) % (2 * NOISE_ROOM), int(dice[1]) % NOISE_ROOM
        expose(self._canvas, self._noise, noise_x, noise_y, round(256 * gain), int(0.62 * strong), int(0.76 * strong))
        return packed

    def _paint_boards(self, packed: _Packed, camera: NDArray[np.float64], t_s: float, ids: NDArray[np.uint16]) -> None:
        scene, boards, grounds = self._models, self._boards, self._grounds
        self._mark += 1
        if self._mark > MARKS:
            self._stamp[:] = 0
            self._mark = 1
        users = packed.meta, packed.xs, packed.ys, scene.bodies, scene.panels
        count = set_stage(boards, grounds, camera, scene.sizes_m, *users, self._lamps, self._numbers, t_s)
        sprites = scene.atlas, scene.sprites
        paint_boards(self._canvas, self._stamp, ids, camera, *sprites, boards, grounds, count, self._spans, self._mark)

    def _scenery(self, t_s: float) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Give camera and backdrop: others once somebody has knocked the camera round."""
        lens = self.settings.lens
        if lens.turn_s is None or t_s < lens.turn_s:
            return self._camera.copy(), self._backdrop
        if self._turned is None:
            before = self._layout.camera
            camera = replace(before, yaw_deg=before.yaw_deg + lens.turn_deg)
            layout = replace(self._layout, camera=camera)
            self._turned = _soft(camera), paint_backdrop(self.settings, layout)
        return self._turned[0].copy(), self._turned[1]

    def _packed(self, t_s: float) -> _Packed:
        block = int(t_s // BLOCK_S)
        if self._block is not None and self._block.block == block:
            return self._block
        from_s, to_s = block * BLOCK_S, (block + 1) * BLOCK_S
        if self._block is not None and from_s < self._block.block * BLOCK_S - KEEP_S:
            self._plan = TrafficPlan(self.settings, self._layout, from_s)  # back in time: the same traffic again
        self._plan.until(to_s, from_s - KEEP_S)
        movers = [mover for mover in self._plan.movers if mover.t0_s < to_s and mover.end_s >= from_s]
        movers += self._fixed
        self._block = _pack(block, movers, len(self._fixed))
        return self._block

    def _constant_numbers(self) -> NDArray[np.float64]:
        light, lens = self.settings.light, self.settings.lens
        ambient, lamps = night_light(light.night)
        sun = light.sun if light.night < 0.5 else 0.0
        reach = 1.0 / tan(radians(light.sun_height_deg))
        numbers = np.zeros(columns.NUMBERS)
        numbers[columns.SUN_X] = reach * sin(radians(light.sun_azimuth_deg))
        numbers[columns.SUN_Y] = reach * cos(radians(light.sun_azimuth_deg))
        numbers[columns.SHADE_LIGHT] = 256 * (1 - sun)
        numbers[columns.CONTACT] = 118
        numbers[columns.AMBIENT], numbers[columns.LAMP_GAIN] = ambient, lamps
        numbers[columns.HEADLIGHTS] = 1.0 if light.night > 0.3 else 0.0
        numbers[columns.MIRRORS] = 70 * lens.rain
        shaded = sun > 0 and light.house_shade_m > 0
        numbers[columns.HOUSE_SHADE_Y] = self._layout.near_kerb_y + light.house_shade_m if shaded else -1.0
        numbers[columns.HOUSE_LIGHT] = 1 - 0.8 * sun
        numbers[columns.BEAM], numbers[columns.HALO] = self._models.beam, self._models.halo
        numbers[columns.WIND] = lens.wind
        return numbers


def _soft(camera: Camera) -> NDArray[np.float64]:
    packed = camera.packed().copy()
    packed[13:15] += SOFT_PX
    return packed


def _pack(block: int, movers: list[Mover], fixed: int) -> _Packed:
    meta = np.zeros((len(movers), columns.META))
    first = 0
    for row, mover in enumerate(movers):
        still = row >= len(movers) - fixed
        meta[row] = (
            mover.body,
            mover.heading,
            mover.t0_s,
            mover.dt_s,
            first,
            mover.xs.size,
            *mover.tones,
            mover.scale,
            mover.variant,
            mover.phase,
            0 if still else row + 1,
            still,
        )
        first += mover.xs.size
    empty = [np.zeros(1)]
    xs = np.concatenate([mover.xs for mover in movers] or empty)
    ys = np.concatenate([mover.ys for mover in movers] or empty)
    return _Packed(block, meta, xs, ys, movers)


def _fixed_things(settings: StreetSettings, layout: StreetLayout) -> list[Mover]:
    """Place what stands the whole time: parked vehicles, trees, the trunk in front."""
    rng = np.random.default_rng([settings.seed, 4])
    things: list[Mover] = []
    for count, y, heading in (
        (settings.road.parked_near, layout.near_kerb_y + PARKED_STRIP_M / 2, 1),
        (settings.road.parked_far, layout.far_kerb_y - PARKED_STRIP_M / 2, -1),
    ):
        things += _parked(rng, layout, count, y, heading)
    crown = [models().fixture(f"leaves-{k}") for k in range(3)]
    middle = 0.5 * (layout.from_x + layout.to_x)
    for tree in range(settings.road.trees):
        near = tree % 2 == 1
        x = middle + (tree - settings.road.trees / 2 + 0.3) * 6.5 * (0.5 if near else 1.0)
        y = layout.far_kerb_y + 0.5 if not near else max(1.8, layout.near_kerb_y - 2.2)
        if not near:
            things.append(_still(models().fixture("trunk"), x, y, 1, (60, 60), 0.55, 0, 0.0))
        for _ in range(10):
            things.append(
                _still(
                    int(rng.choice(crown)),
                    x + rng.normal(0, 0.9),
                    y + rng.normal(0, 0.2),
                    1,
                    (60, 60),
                    float(rng.uniform(0.8, 1.2)) * (0.55 if near else 1.0),
                    int(rng.integers(0, 60)),
                    float(rng.uniform(1.9, 4.0)) + (1.1 if near else 0.0),
                )
            )
    if settings.road.trunk:
        x = layout.line_x * (layout.near_kerb_y / layout.axis_y) + 1.4
        things.append(_still(models().fixture("trunk"), x, layout.near_kerb_y - 0.5, 1, (60, 60), 1.0, 0, 0.0))
    return things


def _parked(rng: np.random.Generator, layout: StreetLayout, count: int, y: float, heading: int) -> list[Mover]:
    kinds = ["hatchback", "estate", "suv", "small-car", "saloon", "mpv"]
    things = []
    side = 1.0
    offset = {1.0: 2.6, -1.0: 2.6}
    for _ in range(count):
        x = layout.line_x * (y / layout.axis_y) + side * (offset[side] + 2.4)
        offset[side] += 5.4
        tone = int(rng.choice([rng.integers(26, 58), rng.integers(70, 125), rng.integers(150, 225)]))
        things.append(_still(INDEX[str(rng.choice(kinds))], x, y, heading, (tone, tone), 1.0, 0, 0.0))
        side = -side
    return things


def _still(
    body: int, x: float, y: float, heading: int, tones: tuple[int, int], scale: float, variant: int, base_m: float
) -> Mover:
    return Mover(0, body, heading, 0.0, 1.0, np.array([x]), np.array([y]), tones, scale, variant, base_m, None)
