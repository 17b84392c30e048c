"""What streets have in common: how large, how fast and how compact the things are that pass.

Sizes are those of the observed box, a little under the true ones: wheels, feet and hands are thin.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.crossing import CLASSES, ClassName


@dataclass(frozen=True, slots=True)
class BodyPrior:
    """One kind of thing on the street: metres, metres a second, and how much they vary (natural logarithm).

    Attributes
    ----------
    share : float
        Of what passes, before anything has crossed.
    long_m, broad_m, tall_m, size_spread, tall_spread : float
    speed_ms, speed_spread : float
    fill, fill_spread : float
        Share of its box that it fills, shadow included.
    wobble : float
        How much its width changes from frame to frame, over its mean: legs do, bodywork does not.
    """

    class_name: ClassName
    share: float
    long_m: float
    broad_m: float
    tall_m: float
    size_spread: float
    tall_spread: float
    speed_ms: float
    speed_spread: float
    fill: float
    fill_spread: float
    wobble: float


# Car lengths and heights: new registrations in Europe are 4.3 m long and 1.5 m high in the mean; EU lorries end at 2.55 m
# width. Fill and wobble: medians of simulated streets, which real clips repeat within 0.03.
PERSON = BodyPrior("pedestrian", 0.30, 0.55, 0.45, 1.62, 0.25, 0.25, 1.3, 0.35, 0.44, 0.20, 0.16)
PEOPLE = BodyPrior(
    "pedestrian", 0.06, 1.1, 1.0, 1.62, 0.32, 0.32, 1.2, 0.35, 0.45, 0.25, 0.13
)  # side by side, or with a pram
BICYCLE = BodyPrior("bicycle", 0.12, 1.5, 0.65, 1.6, 0.26, 0.2, 4.8, 0.3, 0.34, 0.22, 0.06)
MOTORCYCLE = BodyPrior("motorcycle", 0.05, 2.0, 0.8, 1.52, 0.2, 0.16, 10.0, 0.35, 0.44, 0.2, 0.045)
CAR = BodyPrior("car", 0.34, 4.3, 1.8, 1.48, 0.13, 0.13, 11.0, 0.7, 0.68, 0.16, 0.03)
LARGE_CAR = BodyPrior("car", 0.12, 4.7, 1.85, 1.75, 0.13, 0.13, 11.0, 0.7, 0.68, 0.16, 0.03)
PANEL_VAN = BodyPrior("heavy", 0.04, 5.4, 2.05, 2.35, 0.14, 0.14, 11.0, 0.65, 0.69, 0.17, 0.025)
BOX_VAN = BodyPrior("heavy", 0.02, 6.5, 2.3, 2.7, 0.18, 0.2, 10.0, 0.65, 0.69, 0.17, 0.02)
LORRY = BodyPrior("heavy", 0.03, 9.5, 2.5, 3.2, 0.22, 0.2, 10.0, 0.65, 0.68, 0.17, 0.02)
LONG_LORRY = BodyPrior("heavy", 0.02, 15.0, 2.55, 3.6, 0.25, 0.2, 10.0, 0.65, 0.67, 0.18, 0.02)
BODIES = (PERSON, PEOPLE, BICYCLE, MOTORCYCLE, CAR, LARGE_CAR, PANEL_VAN, BOX_VAN, LORRY, LONG_LORRY)

MOTOR_BROAD_M = 1.4  # what is broader has bodywork and headlights


class BodyPriors:
    """Bodies as columns, one array (bodies,) an attribute, named as those of `BodyPrior`."""

    share: NDArray[np.float64]
    long_m: NDArray[np.float64]
    broad_m: NDArray[np.float64]
    tall_m: NDArray[np.float64]
    size_spread: NDArray[np.float64]
    tall_spread: NDArray[np.float64]
    speed_ms: NDArray[np.float64]
    speed_spread: NDArray[np.float64]
    fill: NDArray[np.float64]
    fill_spread: NDArray[np.float64]
    wobble: NDArray[np.float64]

    def __init__(self, bodies: tuple[BodyPrior, ...] = BODIES) -> None:
        for field in fields(BodyPrior)[1:]:
            setattr(self, field.name, np.array([getattr(body, field.name) for body in bodies]))
        self.class_of = np.array([CLASSES.index(body.class_name) for body in bodies])
        self.car = self.class_of == CLASSES.index("car")
        self.motor = self.broad_m > MOTOR_BROAD_M

    def __len__(self) -> int:
        return self.class_of.size
