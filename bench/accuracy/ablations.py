"""The counting core with one stage switched off, to see what each is worth. The product has no such switches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.classify import Classifier
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.counting.crossings.perspective import Grid
from telstraat_device.counting.tracking.observation import Observation
from telstraat_device.native.kernel import Address

Make = Callable[[int, int, Segment], Counter]
SOLID_FIELDS = {"solid_x0": "x0", "solid_y0": "y0", "solid_x1": "x1", "solid_y1": "y1", "solid_area": "area"}


class FixedStreet(Classifier):
    """Judges every crossing as the first one."""

    def learn(self, likely: Grid, per_body: NDArray[np.float64], trust: float) -> None:
        super().learn(likely, per_body, 0.0 * trust)


class NoCastShadow:
    """Takes every cut for a shadow."""

    def restore(self, observation: Observation) -> Observation:
        return observation


def full(width: int, height: int, line: Segment) -> Counter:
    return Counter(width, height, line)


def without_gain(width: int, height: int, line: Segment) -> Counter:
    """Let every grey level have the same logarithm, so that no change of exposure is ever measured."""
    counter = Counter(width, height, line)
    counter.segmenter.log2_256[:] = 0
    return counter


def without_shadow(width: int, height: int, line: Segment) -> Counter:
    """Measure every object with its shadow."""
    counter = Counter(width, height, line)
    update, blobs = counter.tracker.update, counter.segmenter.blobs

    def update_with_shadow(place: Address, count: int, *rest: Any) -> int:
        for solid, whole in SOLID_FIELDS.items():
            blobs[solid][:count] = blobs[whole][:count]
        return update(place, count, *rest)

    setattr(counter.tracker, "update", update_with_shadow)  # noqa: B010 - the type of a method cannot be assigned
    return counter


def without_cast_shadow(width: int, height: int, line: Segment) -> Counter:
    """Do not learn on which side shadows lie: what looks like one is one."""
    counter = Counter(width, height, line)
    setattr(counter.classifier, "cast_shadow", NoCastShadow())  # noqa: B010
    return counter


def without_learning(width: int, height: int, line: Segment) -> Counter:
    """Learn neither scale nor angle nor mix of the street."""
    counter = Counter(width, height, line)
    small = counter.segmenter
    middle_y = (counter.line.y1 + counter.line.y2) / (2 * small.factor)
    counter.classifier = FixedStreet(small.width, small.height, middle_y)
    return counter


VARIANTS: dict[str, Make] = {
    "as it is": full,
    "without gain": without_gain,
    "without shadow handling": without_shadow,
    "without the side of shadows": without_cast_shadow,
    "without learning scale and mix": without_learning,
}
