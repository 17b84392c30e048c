"""Who passes when, where and how fast: arrivals, platoons, groups, following, stops, and the true crossings.

Each stream (kind of lane and direction) draws from its own generator, in order of arrival, so the traffic of a seed
does not depend on which frames are asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, hypot, inf

import numpy as np

from telstraat_device.counting.crossings.crossing import ClassName, Direction
from telstraat_firmware_sim.street.bodies import BODIES, INDEX
from telstraat_firmware_sim.street.car_following import STEP_S, drive
from telstraat_firmware_sim.street.layout import Floats, StreetLayout
from telstraat_firmware_sim.street.settings import StreetSettings, Traffic
from telstraat_firmware_sim.street.truth import TrueCrossing

LEAD_S = 60.0  # traffic begins this long before the street's time 0, so that the first frame is not empty
CHUNK_S = 600.0  # a street that is asked for days later is made in pieces, to keep its memory small
KNOT_S = 1.0  # of those who do not follow each other
STANDING_GAP_M = 1.8
PLATOON_GAP_S = (1.3, 0.7)  # least headway and mean of what comes on top
GROUP_APART_M = 0.62
KMH = 3.6
SECONDS_AN_HOUR = 3600.0
HOURS_A_DAY = 24
DRAW_S = 6 * SECONDS_AN_HOUR  # then every stream takes a new generator: what passes next week needs no days before it
SETTLE_S = 1800.0  # who came before such a moment has gone so long after it, also who parked
ARRIVALS_MAX = 1 << 15  # of one stream between two such moments
ACROSS = 8
STREAMS = 9  # two directions of motor, bicycle, near pavement, far pavement; and across the street


@dataclass(frozen=True, slots=True)
class Mover:
    """One road user's whole passage: places at knots `t0_s + k * dt_s`, its look, and its crossing if it has one."""

    object_id: int
    body: int
    heading: int
    t0_s: float
    dt_s: float
    xs: Floats
    ys: Floats
    tones: tuple[int, int]
    scale: float
    variant: int
    phase: float
    crossing: TrueCrossing | None

    @property
    def end_s(self) -> float:
        """Street time of its last knot."""
        return self.t0_s + self.dt_s * (self.xs.size - 1)


@dataclass(slots=True)
class _Stream:
    """State of one stream of arrivals."""

    number: int
    heading: int
    modes: tuple[tuple[ClassName, float], ...]
    rng: np.random.Generator
    next_s: float
    draw: int
    arrivals: int = 0
    lead_m: Floats = field(default_factory=lambda: np.empty(0))
    lead_step: int = 0
    lead_length_m: float = 0.0


class TrafficPlan:
    """All road users of one street, made as far as they are asked for."""

    def __init__(self, settings: StreetSettings, layout: StreetLayout, from_s: float = 0.0) -> None:
        self._seed = settings.seed
        self._traffic: Traffic = settings.traffic
        self._day_start_s = settings.traffic.day_start_h * SECONDS_AN_HOUR
        self._layout = layout
        self._length_m = layout.to_x - layout.from_x
        self._wet = settings.lens.rain
        draw = max(0, int((from_s - SETTLE_S) // DRAW_S))
        begin_s = draw * DRAW_S if draw else -LEAD_S
        self.complete_from_s = from_s if draw else 0.0
        self._made_until_s = begin_s
        self._streams = [self._stream(number, begin_s) for number in range(STREAMS)]
        self._coming: list[tuple[float, int, TrueCrossing]] = []
        self.movers: list[Mover] = []
        self.crossings: list[TrueCrossing] = []

    def until(self, t_s: float, forget_before_s: float | None = None) -> None:
        """Make everything that has begun at street time `t_s`, and every crossing up to it.

        Passages that ended before `forget_before_s` are dropped on the way; their crossings stay.
        """
        while self._made_until_s + CHUNK_S < t_s:
            self._make(self._made_until_s + CHUNK_S)
            self._forget(forget_before_s)
        if t_s > self._made_until_s:
            self._make(t_s)
        self._forget(forget_before_s)

    def _make(self, t_s: float) -> None:
        for stream in self._streams:
            while stream.next_s <= t_s:
                for mover in self._arrive(stream):
                    self.movers.append(mover)
                    if mover.crossing:
                        heapq.heappush(self._coming, (mover.crossing.t_s, mover.object_id, mover.crossing))
                self._advance(stream)
        self._made_until_s = t_s
        while self._coming and self._coming[0][0] <= t_s:
            self.crossings.append(heapq.heappop(self._coming)[2])

    def _forget(self, before_s: float | None) -> None:
        if before_s is not None:
            self.movers = [mover for mover in self.movers if mover.end_s >= before_s]

    def _stream(self, number: int, begin_s: float) -> _Stream:
        heading = 1 if number % 2 == 0 else -1
        per_hour = self._traffic
        modes: tuple[tuple[ClassName, float], ...] = (
            (("car", per_hour.car), ("heavy", per_hour.heavy), ("motorcycle", per_hour.motorcycle)),
            (("bicycle", per_hour.bicycle),),
            (("pedestrian", per_hour.pedestrian / 2),),
            (("pedestrian", per_hour.pedestrian / 2),),
            (("pedestrian", per_hour.across),),
        )[number // 2]
        share = 1.0 if number == ACROSS else per_hour.right_share if heading > 0 else 1 - per_hour.right_share
        shares = tuple((name, rate * share) for name, rate in modes)
        draw = int(begin_s // DRAW_S)
        stream = _Stream(number, heading, shares, self._generator(number, draw), begin_s, draw)
        self._advance(stream)
        return stream

    def _generator(self, number: int, draw: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, 7, number, draw + 1])

    def _advance(self, stream: _Stream) -> None:
        """Move to the next arrival; at a change of rate or generator the wait begins anew, as chance has no memory."""
        if not any(rate for _, rate in stream.modes) or (self._traffic.day_shape and not any(self._traffic.day_shape)):
            stream.next_s = inf
            return
        while True:
            next_s = stream.next_s + self._gap_s(stream)
            change_s = (stream.draw + 1) * DRAW_S
            if self._traffic.day_shape:
                hours = (self._day_start_s + stream.next_s) // SECONDS_AN_HOUR + 1
                change_s = min(change_s, hours * SECONDS_AN_HOUR - self._day_start_s)
            if next_s < change_s:
                stream.next_s = next_s
                return
            stream.next_s = change_s
            if change_s >= (stream.draw + 1) * DRAW_S:
                stream.draw += 1
                stream.rng = self._generator(stream.number, stream.draw)
                stream.arrivals, stream.lead_m = 0, np.empty(0)

    def _per_s(self, stream: _Stream) -> float:
        rate = sum(rate for _, rate in stream.modes) / SECONDS_AN_HOUR
        if self._traffic.day_shape:
            hour = int((self._day_start_s + stream.next_s) // SECONDS_AN_HOUR) % HOURS_A_DAY
            rate *= self._traffic.day_shape[hour]
        return rate

    def _gap_s(self, stream: _Stream) -> float:
        """Draw the time to the next arrival: a platoon's short headway, or an exponential one that keeps the mean."""
        rng = stream.rng
        per_s = self._per_s(stream)
        close, free = rng.random(), rng.exponential()
        least, more = PLATOON_GAP_S
        if per_s <= 0:
            return inf
        if stream.number // 2 >= 2:
            together = 1.0 if stream.number == ACROSS else self._people_an_arrival()
            return max(0.4, free * together / per_s)
        share = self._traffic.platoon_share
        if close < share:
            return float(least + more * free)
        mean = max(0.5, (1 / per_s - share * (least + more)) / max(1e-6, 1 - share))
        return max(0.8, free * mean)

    def _people_an_arrival(self) -> float:
        return 1 + self._traffic.group_share * (1 * 0.7 + 2 * 0.2 + 3 * 0.1)

    def _arrive(self, stream: _Stream) -> Iterator[Mover]:
        stream.arrivals += 1
        names = [name for name, _ in stream.modes]
        rates = np.array([rate for _, rate in stream.modes])
        name = names[int(stream.rng.choice(len(names), p=rates / rates.sum()))]
        kinds = [index for index, body in enumerate(BODIES) if body.class_name == name]
        shares = np.array([BODIES[index].share for index in kinds])
        body = kinds[int(stream.rng.choice(len(kinds), p=shares / shares.sum()))]
        if stream.number == ACROSS:
            yield self._across(stream, body)
        elif name == "pedestrian":
            yield from self._people(stream, body)
        elif name == "bicycle":
            yield self._rider(stream, body)
        else:
            yield self._vehicle(stream, body)

    def _people(self, stream: _Stream, body: int) -> Iterator[Mover]:
        rng = stream.rng
        grouped, runs = rng.random() < self._traffic.group_share, rng.random() < self._traffic.jogger_share
        members = 1 + (int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])) if grouped else 0)
        if runs and not grouped:
            body = INDEX["jogger"]
            speed = float(np.clip(rng.normal(10.0, 1.2), 7.5, 14.0)) / KMH
        else:
            speed = float(np.clip(rng.normal(5.0, 0.7) - 0.5 * grouped, 3.0, 7.0)) / KMH
        layout = self._layout
        near = stream.number // 2 == 2
        y = (layout.near_pavement_y if near else layout.far_pavement_y) + rng.uniform(-0.35, 0.35)
        if rng.random() < 0.6 * self._wet and body != INDEX["jogger"]:
            body = INDEX["umbrella"]
        for member in range(members):
            walker = body if member == 0 else int(rng.choice([INDEX["walker"], INDEX["coat"], INDEX["child"]]))
            beside = (member - (members - 1) / 2) * GROUP_APART_M * (0.8 if members > 2 else 1.0)
            late = abs(rng.normal(0.0, 0.15)) if grouped else 0.0
            yield self._free(stream, walker, member, speed, y + beside, stream.next_s + late)

    def _across(self, stream: _Stream, body: int) -> Mover:
        """Cross the street itself, some metres beside the line."""
        rng, layout = stream.rng, self._layout
        x = layout.line_x + float(rng.choice([-1.0, 1.0])) * rng.uniform(2.5, 9.0)
        speed = float(np.clip(rng.normal(4.6, 0.6), 3.0, 6.5)) / KMH
        way_m = np.arange(0.0, layout.far_pavement_y - layout.near_pavement_y + speed * KNOT_S, speed * KNOT_S)
        ys = layout.near_pavement_y + way_m if rng.random() < 0.5 else layout.far_pavement_y - way_m
        along = x - layout.from_x if stream.heading > 0 else layout.to_x - x
        return self._mover(stream, body, 0, stream.next_s, KNOT_S, np.full(ys.size, along), ys)

    def _rider(self, stream: _Stream, body: int) -> Mover:
        rng = stream.rng
        mean = {"race-bike": 23.0, "cargo-bike": 15.5}.get(BODIES[body].kind, 17.0)
        speed = float(np.clip(rng.normal(mean, 2.2), 9.0, 33.0)) / KMH
        layout = self._layout
        y = layout.near_bike_y if stream.heading > 0 else layout.far_bike_y
        wide = 0.6 if rng.random() < self._traffic.overtake_share else 0.0
        y += stream.heading * wide + rng.normal(0.0, 0.12)
        return self._free(stream, body, 0, speed, y, stream.next_s)

    def _free(self, stream: _Stream, body: int, member: int, speed_ms: float, y: float, t0_s: float) -> Mover:
        """Pass at one's own speed, a little wavy across the street."""
        rng = stream.rng
        knots = ceil(self._length_m / speed_ms / KNOT_S) + 1
        times = np.arange(knots, dtype=np.float64) * KNOT_S
        sway = rng.uniform(0.02, 0.10) * np.sin(times * rng.uniform(0.25, 0.6) + rng.uniform(0, 6.3))
        return self._mover(stream, body, member, t0_s, KNOT_S, speed_ms * times, np.asarray(y + sway, dtype=np.float64))

    def _vehicle(self, stream: _Stream, body: int) -> Mover:
        rng, traffic, layout = stream.rng, self._traffic, self._layout
        kind = BODIES[body]
        slower = {"tractor": 0.62, "bus": 0.88, "semi": 0.9, "box-lorry": 0.93, "tipper": 0.92}.get(kind.kind, 1.0)
        wish = float(np.clip(rng.normal(traffic.motor_kmh, 0.12 * traffic.motor_kmh), 12.0, 110.0)) * slower / KMH
        stop_m, stop_steps, aside = self._stop(stream, kind.length_m, kind.class_name)
        first_step = round(stream.next_s / STEP_S)
        ahead = stream.lead_m
        front = drive(
            first_step,
            wish,
            self._length_m + kind.length_m,
            stop_m,
            stop_steps,
            ahead,
            stream.lead_step,
            stream.lead_length_m + STANDING_GAP_M,
        )
        wide = rng.random() < traffic.overtake_share and kind.class_name != "heavy"
        y = layout.near_lane_y if stream.heading > 0 else layout.far_lane_y
        ys = np.full(front.size, y + rng.normal(0, 0.12) + stream.heading * (0.7 if wide else 0.0))
        if aside:
            ys += self._pulled_over(front, stop_m, stream.heading)
        else:
            stream.lead_m, stream.lead_step, stream.lead_length_m = front, first_step, kind.length_m
        return self._mover(stream, body, 0, first_step * STEP_S, STEP_S, front - kind.length_m / 2, ys)

    def _stop(self, stream: _Stream, length_m: float, name: ClassName) -> tuple[float, int, bool]:
        """Draw whether and where the vehicle stops: (distance of its front, steps, at the kerb)."""
        rng, traffic, layout = stream.rng, self._traffic, self._layout
        dice, where, how_long = rng.random(), rng.random(), rng.exponential()
        if name == "motorcycle":
            return 0.0, 0, False
        line_m = layout.line_x - layout.from_x if stream.heading > 0 else layout.to_x - layout.line_x
        if dice < traffic.line_stop_share:
            return line_m + (0.5 + 0.5 * (where - 0.5)) * length_m, int((3 + 5 * how_long) / STEP_S), False
        dice -= traffic.line_stop_share
        if dice < traffic.stop_share:
            side = -1.0 if where < 0.5 else 1.0
            return line_m + length_m / 2 + side * (length_m * 0.7 + 4 * where), int((3 + 6 * how_long) / STEP_S), False
        dice -= traffic.stop_share
        if dice < traffic.park_share and name == "car":
            return max(3.0, line_m - 1.2 - 4.0 * where), int((20 + 60 * how_long) / STEP_S), True
        return 0.0, 0, False

    def _pulled_over(self, front: Floats, stop_m: float, heading: int) -> Floats:
        """Shift to the kerb on the last metres before the stop, and back on the first after it."""
        near = np.clip(1 - np.abs(front - stop_m) / 9.0, 0, 1)
        smooth = near * near * (3 - 2 * near)
        layout = self._layout
        return -heading * smooth * 0.5 * (layout.near_lane_y - layout.near_kerb_y)

    def _mover(
        self, stream: _Stream, body: int, member: int, t0_s: float, dt_s: float, way_m: Floats, ys: Floats
    ) -> Mover:
        rng = stream.rng
        layout, kind = self._layout, BODIES[body]
        xs = layout.from_x + way_m if stream.heading > 0 else layout.to_x - way_m
        spread = 0.05 if kind.class_name in _PEOPLE else 0.03
        scale = float(np.clip(rng.normal(1.0, spread), 0.9, 1.12))
        arrival = (stream.draw + 1) * ARRIVALS_MAX + stream.arrivals
        object_id = (arrival * 4 + member) * STREAMS + stream.number
        tones = _tones(rng, kind.class_name)
        variant, phase = int(rng.integers(0, 1 << 16)), float(rng.random())
        crossing = true_crossing(layout, object_id, body, stream.heading, t0_s, dt_s, xs, ys, scale)
        return Mover(object_id, body, stream.heading, t0_s, dt_s, xs, ys, tones, scale, variant, phase, crossing)


_PEOPLE = ("pedestrian", "bicycle", "motorcycle")


def _tones(rng: np.random.Generator, name: ClassName) -> tuple[int, int]:
    """Draw the two grey tones of what a body is painted with: cars are white, grey or black more often than coloured."""
    if name in ("car", "heavy"):
        dark, grey, light = ((26, 58), (70, 125), (150, 225))
        share = (0.36, 0.34, 0.30) if name == "car" else (0.14, 0.26, 0.60)
        low, high = (dark, grey, light)[int(rng.choice(3, p=share))]
        paint = int(rng.integers(low, high))
        return paint, int(np.clip(paint + rng.integers(-45, 45), 25, 225))
    top = int(rng.choice([rng.integers(22, 70), rng.integers(70, 140), rng.integers(140, 225)], p=[0.45, 0.3, 0.25]))
    bottom = int(rng.choice([rng.integers(20, 70), rng.integers(70, 150)], p=[0.7, 0.3]))
    return top, bottom


def true_crossing(
    layout: StreetLayout,
    object_id: int,
    body: int,
    heading: int,
    t0_s: float,
    dt_s: float,
    xs: Floats,
    ys: Floats,
    scale: float,
) -> TrueCrossing | None:
    """Find when the middle of a body (half its length, half its height) crosses the default line in the picture."""
    kind = BODIES[body]
    middle_z = 0.5 * kind.height_m * scale
    half = 0.5 * kind.length_m * scale
    middle = _passing(layout, xs, ys, middle_z)
    if middle is None:
        return None
    at, rightwards = middle
    k, part = int(at), at % 1
    step_x, step_y = float(xs[k + 1] - xs[k]), float(ys[k + 1] - ys[k])
    (x1, y1), (x2, y2) = layout.line
    place = np.array([xs[k] + part * step_x, ys[k] + part * step_y, middle_z])
    x_px, y_px, depth = layout.camera.project(place)
    along = ((x_px - x1) * (x2 - x1) + (y_px - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
    if depth <= 0 or not 0 <= along <= 1:
        return None
    first = _passing(layout, xs + heading * half, ys, middle_z)
    last = _passing(layout, xs - heading * half, ys, middle_z)
    direction: Direction = "left_to_right" if rightwards else "right_to_left"
    return TrueCrossing(
        t_s=round(t0_s + at * dt_s, 4),
        class_name=kind.class_name,
        direction=direction,
        speed_kmh=round(hypot(step_x, step_y) / dt_s * KMH, 3),
        kind=kind.kind,
        object_id=object_id,
        t0_s=round(t0_s + (first[0] if first else at) * dt_s, 4),
        t1_s=round(t0_s + (last[0] if last else at) * dt_s, 4),
    )


def _passing(layout: StreetLayout, xs: Floats, ys: Floats, z: float) -> tuple[float, bool] | None:
    """Give (knot number, whether to the right-hand side) of a point's change of side; None: it never crosses."""
    side = layout.side(xs, ys, z)
    change = np.flatnonzero((side[:-1] < 0) != (side[1:] < 0))
    if not change.size:
        return None
    k = int(change[0])
    before, after = float(side[k]), float(side[k + 1])
    return k + before / (before - after), after >= 0
