r"""Draws people who walk and run, and riders on bicycles and motorcycles, in every phase of their movement.

Facing right. A walker's phase 0 to 1 is two steps; a rider's is one turn of the pedals.

            o  head                 hip ──thigh── knee
           /|\ arms                               |
            |  trunk                             shank
           / \ legs                               foot
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, atan2, cos, hypot, pi, sin, tau

from telstraat_firmware_sim.rendering.drawing import (
    DARK,
    HAIR,
    LAMP,
    PAINT,
    PAINT_DARK,
    SECOND,
    SECOND_DARK,
    SKIN,
    STEEL,
    TYRE,
    Drawing,
    Material,
    Point,
)

PHASES = 16
SHOE = Material(36)


@dataclass(frozen=True, slots=True)
class Gait:
    """How a figure of height 1 moves: angles in radians, lengths as shares of its height."""

    swing: float
    knee: float
    arm: float
    elbow: float
    lean: float
    stride_m: float


WALK = Gait(swing=0.42, knee=0.75, arm=0.42, elbow=0.25, lean=0.03, stride_m=1.45)
RUN = Gait(swing=0.62, knee=1.6, arm=0.75, elbow=1.5, lean=0.14, stride_m=2.3)


def _from(point: Point, angle: float, length: float) -> Point:
    """Go `length` from a point, downwards at angle 0, forwards at positive angles."""
    return point[0] + length * sin(angle), point[1] - length * cos(angle)


def person(phase: float, height_m: float, gait: Gait, look: int) -> Drawing:
    """Draw one person; `look` 0 trousers, 1 skirt or long coat, 2 with a bag, 3 short sleeves and shorts."""
    drawing = Drawing(1.1 * height_m / 1.74, height_m * 1.04)
    middle, h = drawing.width_m / 2, height_m
    bounce = 0.012 * h * cos(2 * tau * phase)
    hip = (middle, 0.52 * h + bounce)
    neck = (hip[0] + gait.lean * 0.3 * h, 0.82 * h + bounce)
    _leg(drawing, hip, h, gait, phase + 0.5, _shade(SECOND, look, far=True), look)
    _arm(drawing, neck, h, gait, phase, PAINT_DARK, look)
    trunk = PAINT
    if look == 1:
        drawing.limb(hip, _from(hip, 0.12 * sin(tau * phase), 0.24 * h), 0.085 * h, 0.115 * h, trunk)
    drawing.limb(hip, (neck[0], neck[1] - 0.06 * h), 0.082 * h, 0.098 * h, trunk)
    _leg(drawing, hip, h, gait, phase, _shade(SECOND, look, far=False), look)
    if look == 1:
        drawing.limb(hip, _from(hip, 0.1 * sin(tau * phase), 0.14 * h), 0.09 * h, 0.11 * h, trunk)
    if look == 2:
        bag = (hip[0] - 0.07 * h, hip[1] + 0.05 * h)
        drawing.limb(bag, (bag[0] - 0.01, bag[1] + 0.2 * h), 0.06 * h, 0.05 * h, DARK)
    head = (neck[0] + 0.01 * h, 0.93 * h + bounce)
    drawing.limb((neck[0], neck[1] - 0.02 * h), head, 0.032 * h, 0.03 * h, SKIN)
    drawing.limb(head, (head[0], head[1] + 0.015 * h), 0.054 * h, 0.054 * h, SKIN)
    drawing.limb(
        (head[0] - 0.016 * h, head[1] + 0.004 * h),
        (head[0] - 0.006 * h, head[1] + 0.028 * h),
        0.05 * h,
        0.048 * h,
        HAIR,
    )
    drawing.limb(
        (head[0] + 0.022 * h, head[1] - 0.02 * h), (head[0] + 0.026 * h, head[1] + 0.012 * h), 0.03 * h, 0.03 * h, SKIN
    )
    _arm(drawing, neck, h, gait, phase + 0.5, PAINT, look)
    return drawing


def pram_pusher(phase: float, height_m: float) -> Drawing:
    """Draw somebody behind a pram."""
    walker = person(phase, height_m, WALK, 0)
    drawing = Drawing(1.55, height_m * 1.04)
    drawing.paste(walker, 0.0)
    x = 1.02
    drawing.limb((0.66, 1.0), (x - 0.2, 0.92), 0.02, 0.02, STEEL)
    drawing.polygon([(x - 0.3, 0.42), (x + 0.34, 0.42), (x + 0.42, 0.72), (x - 0.34, 0.72)], Material(40, 0.0, 0.4))
    drawing.limb((x - 0.12, 0.74), (x - 0.06, 0.86), 0.2, 0.14, Material(52, 0.0, 0.4))
    for wheel in (x - 0.26, x + 0.28):
        drawing.limb((x, 0.5), (wheel, 0.13), 0.02, 0.02, STEEL)
        drawing.ring((wheel, 0.13), 0.13, 0.035, TYRE)
    return drawing


def under_umbrella(phase: float) -> Drawing:
    """Draw somebody who walks under an umbrella."""
    drawing = Drawing(1.1, 2.06)
    drawing.paste(person(phase, 1.72, WALK, 0), 0.0)
    middle = drawing.width_m / 2 + 0.08
    drawing.limb((middle, 1.2), (middle, 2.0), 0.014, 0.014, STEEL)
    dome = [(middle + 0.52 * cos(k * pi / 12), 1.66 + 0.36 * sin(k * pi / 12)) for k in range(13)]
    drawing.polygon(dome, Material(26, 0.0, 0.6))
    return drawing


def _shade(material: Material, look: int, *, far: bool) -> Material:
    if look == 3:
        return Material(135) if far else SKIN
    return SECOND_DARK if far else material


def _leg(drawing: Drawing, hip: Point, h: float, gait: Gait, phase: float, material: Material, look: int) -> None:
    thigh = gait.swing * sin(tau * phase) + 0.06
    bend = gait.knee * max(0.0, sin(tau * phase + 1.9)) ** 1.5 + 0.08
    knee = _from(hip, thigh, 0.245 * h)
    ankle = _from(knee, thigh - bend, 0.235 * h)
    toe = _from(ankle, thigh - bend + 1.35, 0.085 * h)
    upper = (SECOND if material.base == SKIN.base else SECOND_DARK) if look == 3 else material
    drawing.limb(knee, ankle, 0.043 * h, 0.028 * h, material)
    drawing.limb(hip, knee, 0.068 * h, 0.046 * h, upper)
    drawing.limb(ankle, toe, 0.027 * h, 0.02 * h, SHOE)


def _arm(drawing: Drawing, neck: Point, h: float, gait: Gait, phase: float, material: Material, look: int) -> None:
    shoulder = (neck[0], neck[1] - 0.035 * h)
    upper = gait.arm * sin(tau * phase)
    elbow = _from(shoulder, upper, 0.17 * h)
    hand = _from(elbow, upper + gait.elbow, 0.15 * h)
    drawing.limb(elbow, hand, 0.029 * h, 0.022 * h, SKIN if look == 3 else material)
    drawing.limb(shoulder, elbow, 0.037 * h, 0.03 * h, material)
    drawing.disc(hand, 0.024 * h, SKIN)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A bicycle's measures in metres, from the middle between its wheels."""

    wheel: float
    base: float
    hip: Point
    shoulder: Point
    hand: Point
    luggage: str = ""


CYCLES = {
    "city-bike": Cycle(0.345, 1.08, (-0.20, 0.98), (-0.10, 1.44), (0.32, 1.08), "panniers"),
    "race-bike": Cycle(0.335, 1.00, (-0.22, 0.98), (0.22, 1.30), (0.46, 0.92)),
    "cargo-bike": Cycle(0.30, 1.70, (-0.55, 0.98), (-0.45, 1.44), (-0.05, 1.08), "box"),
}
CRANK_M, THIGH_M, SHANK_M = 0.17, 0.44, 0.45
GEAR = 2.5  # turns of the wheel for one of the pedals
SPOKES = 8


def cyclist(kind: str, phase: float, *, rider_only: bool) -> Drawing:
    """Draw a bicycle with its rider, or trunk and limbs alone (for the boards beside the middle one, which give breadth)."""
    cycle = CYCLES[kind]
    drawing = Drawing(cycle.base + 2 * cycle.wheel + 0.12, 1.80)
    middle = drawing.width_m / 2
    crank = (middle + cycle.hip[0] + 0.17, 0.29)
    if not rider_only:
        _bicycle(drawing, cycle, middle, crank, phase)
    hip = (middle + cycle.hip[0], cycle.hip[1])
    shoulder = (middle + cycle.shoulder[0], cycle.shoulder[1])
    hand = (middle + cycle.hand[0], cycle.hand[1])
    for half, material in ((0.5, SECOND_DARK), (0.0, SECOND)):
        angle = tau * (phase + half)
        pedal = (crank[0] + CRANK_M * sin(angle), crank[1] + CRANK_M * cos(angle))
        knee = _joint(hip, pedal, THIGH_M, SHANK_M)
        drawing.limb(knee, pedal, 0.062, 0.045, material)
        drawing.limb(hip, knee, 0.095, 0.068, material)
        drawing.limb(pedal, (pedal[0] + 0.13, pedal[1] - 0.01), 0.042, 0.03, SHOE)
    drawing.limb(hip, shoulder, 0.125, 0.13, PAINT)
    elbow = _joint(shoulder, hand, 0.29, 0.27, bend=-1.0)
    drawing.limb(elbow, hand, 0.045, 0.035, PAINT_DARK)
    drawing.limb(shoulder, elbow, 0.06, 0.048, PAINT_DARK)
    if rider_only:
        return drawing
    head = (shoulder[0] + 0.09, shoulder[1] + 0.21)
    drawing.limb(shoulder, head, 0.06, 0.06, SKIN)
    drawing.disc(head, 0.098, SKIN)
    drawing.limb((head[0] - 0.04, head[1] + 0.03), (head[0] + 0.02, head[1] + 0.06), 0.088, 0.075, HAIR)
    return drawing


def _bicycle(drawing: Drawing, cycle: Cycle, middle: float, crank: Point, phase: float) -> None:
    rear = (middle - cycle.base / 2, cycle.wheel)
    front = (middle + cycle.base / 2, cycle.wheel)
    for hub in (rear, front):
        drawing.ring(hub, cycle.wheel, 0.045, TYRE)
        drawing.disc(hub, 0.05, STEEL)
        for spoke in range(SPOKES):
            angle = tau * (spoke / SPOKES + GEAR * phase)
            rim = (hub[0] + 0.9 * cycle.wheel * sin(angle), hub[1] + 0.9 * cycle.wheel * cos(angle))
            drawing.limb(hub, rim, 0.007, 0.007, STEEL)
    saddle = (middle + cycle.hip[0] - 0.02, cycle.hip[1] - 0.08)
    head = (middle + cycle.hand[0] - 0.05, cycle.hand[1] - 0.12)
    fork = (min(head[0], front[0] - 0.1), 0.80)
    for a, b in ((rear, crank), (rear, saddle), (saddle, crank), (crank, fork), (saddle, fork), (fork, head)):
        drawing.limb(a, b, 0.024, 0.024, SECOND)
    drawing.limb(fork, front, 0.022, 0.018, SECOND)
    drawing.limb(head, (head[0] + 0.1, head[1] + 0.09), 0.02, 0.02, DARK)
    drawing.limb((saddle[0] - 0.1, saddle[1] + 0.03), (saddle[0] + 0.12, saddle[1] + 0.03), 0.035, 0.02, DARK)
    if cycle.luggage == "panniers":
        drawing.rectangle(rear[0] - 0.2, 0.42, rear[0] + 0.16, 0.74, DARK)
    elif cycle.luggage == "box":
        box = front[0] - 0.30
        drawing.polygon(
            [(box - 0.62, 0.30), (box - 0.1, 0.30), (box + 0.02, 0.85), (box - 0.72, 0.85)], Material(70, 0.0, 0.5)
        )


def _joint(a: Point, b: Point, first_m: float, second_m: float, bend: float = 1.0) -> Point:
    """Find the knee between hip and pedal (bent forwards), or the elbow (bent the other way)."""
    dx, dz = b[0] - a[0], b[1] - a[1]
    apart = min(hypot(dx, dz), 0.999 * (first_m + second_m))
    angle = acos(max(-1.0, min(1.0, (first_m**2 + apart**2 - second_m**2) / (2 * first_m * apart))))
    way = atan2(dz, dx) + bend * angle
    return a[0] + first_m * cos(way), a[1] + first_m * sin(way)


@dataclass(frozen=True, slots=True)
class Motor:
    """A motorcycle's or scooter's measures in metres, from the middle between its wheels."""

    wheel: float
    base: float
    hip: Point
    shoulder: Point
    hand: Point
    knee: Point
    foot: Point
    scooter: bool


MOTORS = {
    "motorcycle": Motor(
        0.31, 1.46, (-0.22, 0.84), (-0.02, 1.32), (0.46, 1.02), (0.20, 0.76), (-0.06, 0.34), scooter=False
    ),
    "scooter": Motor(0.22, 1.28, (-0.26, 0.80), (-0.18, 1.32), (0.34, 1.04), (0.20, 0.78), (0.18, 0.32), scooter=True),
}


def motorcyclist(kind: str, *, rider_only: bool) -> Drawing:
    """Draw a motorcycle or scooter with its rider, or what is broad of both alone."""
    motor = MOTORS[kind]
    drawing = Drawing(motor.base + 2 * motor.wheel + 0.1, 1.72)
    middle = drawing.width_m / 2

    def at(point: Point) -> Point:
        return middle + point[0], point[1]

    rear, front = at((-motor.base / 2, motor.wheel)), at((motor.base / 2, motor.wheel))
    if not rider_only:
        for hub in (rear, front):
            drawing.ring(hub, motor.wheel, 0.11, TYRE)
            drawing.disc(hub, 0.12, STEEL)
        drawing.limb(front, at((motor.hand[0] - 0.06, 0.95)), 0.04, 0.04, STEEL)
    if motor.scooter:
        drawing.polygon([at(p) for p in ((-0.72, 0.72), (-0.62, 0.36), (0.1, 0.28), (0.15, 0.36), (-0.1, 0.74))], PAINT)
        drawing.polygon([at(p) for p in ((0.22, 0.32), (0.42, 0.3), (0.44, 1.0), (0.34, 1.02))], PAINT)
        drawing.limb(at((0.0, 0.3)), at((0.35, 0.3)), 0.06, 0.06, PAINT_DARK)
    else:
        drawing.polygon([at(p) for p in ((-0.4, 0.3), (0.3, 0.26), (0.4, 0.66), (-0.3, 0.7))], Material(52))
        drawing.polygon([at(p) for p in ((-0.85, 0.82), (-0.2, 0.72), (0.42, 0.78), (0.4, 0.98), (0.05, 1.0))], PAINT)
        drawing.limb(at((-0.75, 0.84)), at((-0.1, 0.8)), 0.06, 0.06, DARK)
    drawing.disc(at((motor.hand[0] + 0.1, 0.88)), 0.085, LAMP)
    hip, shoulder = at(motor.hip), at(motor.shoulder)
    drawing.limb(at(motor.knee), at(motor.foot), 0.075, 0.06, SECOND)
    drawing.limb(hip, at(motor.knee), 0.11, 0.08, SECOND)
    drawing.limb(at(motor.foot), at((motor.foot[0] + 0.16, motor.foot[1] - 0.03)), 0.05, 0.04, SHOE)
    drawing.limb(hip, shoulder, 0.16, 0.165, SECOND_DARK)
    elbow = _joint(shoulder, at(motor.hand), 0.30, 0.30, bend=-1.0)
    drawing.limb(shoulder, elbow, 0.075, 0.06, SECOND)
    drawing.limb(elbow, at(motor.hand), 0.06, 0.045, SECOND)
    if rider_only:
        return drawing
    head = (shoulder[0] + 0.08, shoulder[1] + 0.22)
    drawing.disc(head, 0.15, Material(20, 0.8))
    drawing.limb((head[0] + 0.05, head[1]), (head[0] + 0.12, head[1] - 0.01), 0.055, 0.04, DARK)
    return drawing


def pedal_turn_m() -> float:
    """Give the way that a bicycle rolls in one turn of its pedals."""
    return 2 * pi * 0.335 * GEAR
