r"""Draws the sides of motor vehicles and the panels across them, and gives their outline as a list of panels.

A vehicle is its side, drawn once, and panels that span its width from one point of the outline to the next:

              roof
           ________            outline: rear bottom -> up the tail -> roof -> windscreen -> bonnet -> front bottom
     tail /   |    \ screen
     ____/____|_____\____
    |                    \__ bonnet
    |___O____________O______|  front
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telstraat_firmware_sim.rendering.drawing import (
    BRIGHT_GLASS,
    DARK,
    GLASS,
    LAMP,
    PAINT,
    PAINT_DARK,
    PAINT_LIGHT,
    RED_LAMP,
    RIM,
    SECOND,
    TYRE,
    Drawing,
    Material,
    Point,
)

CLADDING = Material(30, 0.15)
CHASSIS = Material(34)
GAP = Material(14)


@dataclass(frozen=True, slots=True)
class Shape:
    """A vehicle's measures.

    `outline` runs over the body in metres from the rear end at the bottom to the front end at the bottom, `panels`
    names the panel sprite between two neighbouring points, `wheels` are places of the hubs from the rear.
    """

    kind: str
    length_m: float
    height_m: float
    wheel: float
    wheels: tuple[float, ...]
    outline: tuple[Point, ...]
    panels: tuple[str, ...]
    side: str


def _car(
    kind: str, length: float, height: float, tail: tuple[float, float], roof: tuple[float, float], hood: float
) -> Shape:
    """Shape a car: `tail` where glass and boot begin at the rear, `roof` from where to where it is flat, `hood` height."""
    belt = 0.62 * height
    boot = tail[0]
    outline = (
        (0.0, 0.28),
        (0.02, belt * (0.95 if boot > 0.3 else 1.0)),
        (boot, tail[1]),
        (roof[0], height - 0.03),
        (0.5 * (roof[0] + roof[1]), height),
        (roof[1], height - 0.05),
        (length * 0.735, hood),
        (length - 0.16, hood - 0.20),
        (length, 0.50),
        (length, 0.26),
    )
    panels = ("tail", "boot", "rear-glass", "roof", "roof", "screen", "bonnet", "front", "front-low")
    wheels = (0.78 if length < 4.1 else 0.92, length - (0.72 if length < 4.1 else 0.86))
    return Shape(kind, length, height, 0.31 + 0.03 * (height > 1.6), wheels, outline, panels, "car")


def _box_front(
    length: float, height: float, cab: float, cab_height: float, load: tuple[float, float]
) -> tuple[Point, ...]:
    """Outline a lorry: load from `load[0]` up to `height`, then the lower cab."""
    start, floor = load
    return (
        (start, floor),
        (start, height),
        (length - cab - 0.25, height),
        (length - cab - 0.24, cab_height),
        (length - cab, cab_height),
        (length - 0.28, cab_height - 0.02),
        (length - 0.05, 0.56 * cab_height),
        (length, 0.40),
    )


_LORRY_PANELS = ("lorry-rear", "load-roof", "load-front", "roof", "roof", "lorry-screen", "lorry-front")

SHAPES: tuple[Shape, ...] = (
    _car("hatchback", 3.95, 1.48, (0.12, 0.98), (0.62, 2.15), 0.96),
    _car("small-car", 3.55, 1.52, (0.10, 0.98), (0.42, 2.00), 0.98),
    _car("saloon", 4.65, 1.44, (0.85, 1.00), (1.55, 2.70), 0.95),
    _car("estate", 4.65, 1.49, (0.10, 1.00), (0.50, 2.70), 0.95),
    _car("suv", 4.50, 1.67, (0.14, 1.10), (0.60, 2.55), 1.10),
    _car("mpv", 4.45, 1.82, (0.05, 1.12), (0.22, 2.75), 1.12),
    Shape(
        "panel-van", 5.60, 2.45, 0.35, (1.0, 4.6),
        ((0.0, 0.36), (0.0, 2.20), (0.12, 2.42), (3.95, 2.45), (4.25, 2.32), (4.95, 1.36), (5.50, 1.10), (5.60, 0.40)),
        ("van-rear", "roof", "roof", "roof", "screen", "bonnet", "front"), "van",
    ),
    Shape("box-lorry", 7.80, 3.35, 0.46, (1.7, 6.6), _box_front(7.8, 3.35, 1.75, 2.65, (0.0, 0.85)), _LORRY_PANELS, "box"),
    Shape("tipper", 8.20, 3.05, 0.50, (1.4, 2.7, 7.0), _box_front(8.2, 2.75, 1.9, 3.05, (0.2, 1.15)), _LORRY_PANELS, "tipper"),
    Shape("semi", 14.6, 3.85, 0.50, (1.6, 2.9, 4.2, 10.6, 13.3), _box_front(14.6, 3.85, 2.2, 3.45, (0.0, 1.1)), _LORRY_PANELS, "semi"),
    Shape(
        "bus", 12.0, 3.10, 0.48, (3.3, 9.3),
        ((0.0, 0.40), (0.02, 2.9), (0.2, 3.08), (11.6, 3.10), (11.92, 2.95), (12.0, 0.38)),
        ("bus-rear", "roof", "roof", "roof", "bus-front"), "bus",
    ),
    Shape(
        "tractor", 4.60, 2.80, 0.80, (0.9,),
        ((0.35, 0.9), (0.3, 2.65), (0.5, 2.80), (1.95, 2.78), (2.1, 1.62), (4.3, 1.50), (4.45, 0.75)),
        ("van-rear", "roof", "roof", "screen", "bonnet", "front"), "tractor",
    ),
)  # fmt: skip


def vehicle_side(shape: Shape) -> Drawing:
    """Draw the side that one sees, front to the right."""
    per_m = 64.0 if shape.length_m < 5 else 40.0
    drawing = Drawing(shape.length_m, shape.height_m, per_m)
    {"car": _car_side, "van": _van_side, "bus": _bus_side, "tractor": _tractor_side}.get(shape.side, _lorry_side)(
        drawing, shape
    )
    if shape.side != "tractor":
        for hub in shape.wheels:
            _wheel(drawing, (hub, shape.wheel), shape.wheel)
    return drawing


def _wheel(drawing: Drawing, hub: Point, radius: float) -> None:
    drawing.disc((hub[0], hub[1] + 0.02), radius + 0.07, GAP)
    drawing.disc(hub, radius, TYRE)
    drawing.disc(hub, 0.62 * radius, RIM)
    for spoke in range(5):
        angle = spoke * 2 * np.pi / 5
        drawing.disc(
            (hub[0] + 0.36 * radius * np.cos(angle), hub[1] + 0.36 * radius * np.sin(angle)), 0.13 * radius, GAP
        )


def _car_side(drawing: Drawing, shape: Shape) -> None:
    length, height = shape.length_m, shape.height_m
    outline = list(shape.outline)
    drawing.polygon(outline, PAINT)
    belt, top = 0.64 * height, height - 0.10
    rear, roof_from, roof_to, screen = outline[2], outline[3], outline[5], outline[6]
    drawing.polygon(
        [
            (rear[0] + 0.16, belt + 0.03),
            (roof_from[0] + 0.12, top),
            (roof_to[0] - 0.02, top),
            (screen[0] - 0.12, belt + 0.01),
        ],
        GLASS,
    )
    middle = 0.5 * (roof_from[0] + roof_to[0]) + 0.18
    drawing.polygon(
        [
            (middle - 0.9, belt + 0.1),
            (middle - 0.6, top - 0.03),
            (middle - 0.25, top - 0.03),
            (middle - 0.55, belt + 0.1),
        ],
        BRIGHT_GLASS,
    )
    for pillar in (middle, middle - 0.98):
        drawing.rectangle(pillar - 0.035, belt, pillar + 0.035, top, PAINT_DARK)
    drawing.rectangle(0.05, belt - 0.09, length - 0.5, belt - 0.06, PAINT_LIGHT)
    drawing.rectangle(0.0, 0.24, length, 0.36, CLADDING)
    drawing.rectangle(0.3, 0.36, length - 0.3, 0.50, PAINT_DARK)
    for door in (middle + 0.95, middle, middle - 0.98):
        drawing.rectangle(door - 0.012, 0.36, door + 0.012, belt, PAINT_DARK)
    drawing.rectangle(0.0, belt - 0.22, 0.16, belt - 0.02, RED_LAMP)
    drawing.polygon([(length - 0.42, 0.62), (length - 0.05, 0.60), (length - 0.10, 0.74), (length - 0.38, 0.78)], LAMP)
    drawing.disc((screen[0] - 0.25, belt + 0.06), 0.09, PAINT_DARK)


def _van_side(drawing: Drawing, shape: Shape) -> None:
    drawing.polygon(list(shape.outline), PAINT)
    length = shape.length_m
    drawing.polygon([(3.55, 1.45), (3.55, 2.12), (4.2, 2.12), (4.82, 1.42)], GLASS)
    drawing.rectangle(0.0, 0.32, length, 0.52, CLADDING)
    for seam in (0.06, 2.1, 3.45):
        drawing.rectangle(seam, 0.5, seam + 0.03, 2.3, PAINT_DARK)
    drawing.rectangle(0.1, 1.28, 3.4, 1.34, PAINT_DARK)
    drawing.rectangle(0.5, 1.45, 3.0, 1.95, SECOND)
    drawing.rectangle(length - 0.42, 0.85, length - 0.1, 1.05, LAMP)
    drawing.rectangle(0.0, 0.9, 0.1, 1.5, RED_LAMP)


def _lorry_side(drawing: Drawing, shape: Shape) -> None:
    length, height = shape.length_m, shape.height_m
    outline = shape.outline
    load_from, floor = outline[0]
    load_to, cab_top = outline[2][0], outline[4][1]
    load_top = outline[1][1]
    cab = outline[4][0]
    drawing.rectangle(load_from + 0.1, 0.55, length - 0.3, floor + 0.05, CHASSIS)
    material = SECOND if shape.side != "tipper" else Material(20, 0.0, 0.75)
    drawing.rectangle(load_from, floor, load_to, load_top, material)
    ribs = 0.6 if shape.side == "tipper" else 1.9
    for seam in np.arange(load_from + ribs, load_to - 0.1, ribs):
        drawing.rectangle(float(seam), floor, float(seam) + 0.05, load_top, Material(0, 0.0, 0.82))
    if shape.side == "box":
        drawing.rectangle(load_from + 1.2, 0.5 * (floor + load_top), load_to - 1.4, 0.72 * load_top + 0.2, PAINT)
    drawing.polygon([(cab, 0.42), *outline[4:]], PAINT)
    drawing.polygon(
        [
            (cab + 0.35, 0.60 * cab_top),
            (cab + 0.35, 0.9 * cab_top),
            (length - 0.34, 0.9 * cab_top),
            (length - 0.12, 0.6 * cab_top),
        ],
        GLASS,
    )
    drawing.rectangle(cab + 0.3, 0.45, cab + 0.33, 0.9 * cab_top, PAINT_DARK)
    drawing.rectangle(length - 0.3, 0.55, length - 0.02, 0.78, LAMP)
    drawing.rectangle(load_from, floor - 0.22, load_from + 0.15, floor - 0.05, RED_LAMP)
    if height > 3.2:
        drawing.rectangle(load_from + 3.0, 0.5, cab - 1.6, 0.95, Material(60))


def _bus_side(drawing: Drawing, shape: Shape) -> None:
    length = shape.length_m
    drawing.polygon(list(shape.outline), PAINT)
    drawing.rectangle(0.0, 0.36, length, 0.95, SECOND)
    drawing.rectangle(0.35, 1.35, length - 0.15, 2.62, GLASS)
    for post in np.arange(1.7, length - 0.5, 1.45):
        drawing.rectangle(float(post), 1.35, float(post) + 0.09, 2.62, PAINT_DARK)
        drawing.polygon(
            [(float(post) + 0.3, 1.5), (float(post) + 0.65, 2.5), (float(post) + 0.9, 2.5), (float(post) + 0.55, 1.5)],
            BRIGHT_GLASS,
        )
    for door in (5.6, 10.5):
        drawing.rectangle(door, 0.45, door + 1.2, 2.62, GLASS)
        drawing.rectangle(door + 0.57, 0.45, door + 0.63, 2.62, PAINT_DARK)
    drawing.rectangle(length - 0.15, 0.7, length, 0.95, LAMP)
    drawing.rectangle(0.0, 1.0, 0.08, 1.3, RED_LAMP)


def _tractor_side(drawing: Drawing, shape: Shape) -> None:
    drawing.rectangle(1.9, 0.75, 4.4, 1.5, PAINT)
    drawing.rectangle(2.2, 0.5, 4.2, 0.85, CHASSIS)
    drawing.polygon([(0.35, 1.0), (0.4, 2.65), (1.95, 2.65), (2.1, 1.3)], GLASS)
    drawing.rectangle(0.3, 2.62, 2.0, 2.80, PAINT)
    for post in (0.38, 1.2, 1.92):
        drawing.rectangle(post, 1.2, post + 0.08, 2.65, PAINT_DARK)
    drawing.rectangle(2.9, 1.5, 2.98, 2.4, DARK)
    for hub, radius in ((0.95, shape.wheel), (3.75, 0.55)):
        drawing.disc((hub, radius), radius, TYRE)
        drawing.disc((hub, radius), 0.5 * radius, SECOND)


def panel(name: str) -> Drawing:
    """Draw a panel across a vehicle, one metre square to be stretched; its top is the higher of the two points of the outline."""
    drawing = Drawing(1.0, 1.0, 32.0)
    plain = {
        "roof": Material(18, 1.08),
        "bonnet": Material(16, 1.05),
        "boot": Material(12, 1.02),
        "load-roof": Material(16, 0.0, 1.05),
        "load-front": Material(0, 0.0, 0.85),
        "front-low": CLADDING,
    }
    drawing.rectangle(0, 0, 1, 1, plain.get(name, Material(0, 0.88)))
    if name in ("screen", "rear-glass"):
        drawing.polygon([(0.06, 0.05), (0.94, 0.05), (0.86, 0.95), (0.14, 0.95)], GLASS)
        drawing.polygon([(0.2, 0.1), (0.35, 0.1), (0.5, 0.9), (0.35, 0.9)], BRIGHT_GLASS)
    elif name == "front":
        drawing.rectangle(0.28, 0.15, 0.72, 0.75, DARK)
        drawing.rectangle(0.03, 0.45, 0.24, 0.85, LAMP)
        drawing.rectangle(0.76, 0.45, 0.97, 0.85, LAMP)
    elif name == "tail":
        drawing.rectangle(0.0, 0.0, 1.0, 0.22, CLADDING)
        drawing.rectangle(0.02, 0.55, 0.2, 0.9, RED_LAMP)
        drawing.rectangle(0.8, 0.55, 0.98, 0.9, RED_LAMP)
        drawing.rectangle(0.36, 0.4, 0.64, 0.55, Material(190))
    else:
        _tall_panel(drawing, name)
    return drawing


def _tall_panel(drawing: Drawing, name: str) -> None:
    if name == "van-rear":
        drawing.rectangle(0.1, 0.55, 0.46, 0.88, GLASS)
        drawing.rectangle(0.54, 0.55, 0.9, 0.88, GLASS)
        drawing.rectangle(0.02, 0.25, 0.09, 0.5, RED_LAMP)
        drawing.rectangle(0.91, 0.25, 0.98, 0.5, RED_LAMP)
    elif name == "lorry-rear":
        drawing.rectangle(0, 0, 1, 1, SECOND)
        drawing.rectangle(0.49, 0.02, 0.51, 0.98, DARK)
        drawing.rectangle(0.04, 0.0, 0.2, 0.05, RED_LAMP)
        drawing.rectangle(0.8, 0.0, 0.96, 0.05, RED_LAMP)
    elif name == "lorry-screen":
        drawing.rectangle(0.05, 0.08, 0.95, 0.86, GLASS)
        drawing.polygon([(0.2, 0.15), (0.3, 0.15), (0.45, 0.8), (0.35, 0.8)], BRIGHT_GLASS)
    elif name == "lorry-front":
        drawing.rectangle(0.2, 0.3, 0.8, 0.85, DARK)
        drawing.rectangle(0.04, 0.1, 0.24, 0.32, LAMP)
        drawing.rectangle(0.76, 0.1, 0.96, 0.32, LAMP)
    elif name == "bus-front":
        drawing.rectangle(0.05, 0.36, 0.95, 0.84, GLASS)
        drawing.rectangle(0.15, 0.87, 0.85, 0.97, DARK)
        drawing.rectangle(0.05, 0.1, 0.2, 0.2, LAMP)
        drawing.rectangle(0.8, 0.1, 0.95, 0.2, LAMP)
    elif name == "bus-rear":
        drawing.rectangle(0.12, 0.55, 0.88, 0.85, GLASS)
        drawing.rectangle(0.1, 0.08, 0.9, 0.35, PAINT_DARK)
        drawing.rectangle(0.02, 0.2, 0.09, 0.5, RED_LAMP)
        drawing.rectangle(0.91, 0.2, 0.98, 0.5, RED_LAMP)
