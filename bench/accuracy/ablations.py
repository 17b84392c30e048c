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
from telstraat_device.counting.foreground.blobs import (
    AREA,
    SOLID,
    SOLID_X0,
    SOLID_X1,
    SOLID_Y0,
    SOLID_Y1,
    X0,
    X1,
    Y0,
    Y1,
)
from telstraat_device.counting.foreground.segmenter import Sight
from telstraat_device.counting.tracking.observation import Seen

Make = Callable[[int, int, Segment], Counter]
SHADOW_COLUMNS, WHOLE_COLUMNS = (SOLID_X0, SOLID_Y0, SOLID_X1, SOLID_Y1, SOLID), (X0, Y0, X1, Y1, AREA)


class FixedStreet(Classifier):
    """Judges every crossing as the first one."""

    def learn(self, likely: Grid, per_body: NDArray[np.float64], trust: float) -> None:
        super().learn(likely, per_body, 0.0 * trust)


class NoCastShadow:
    """Takes every cut for a shadow."""

    def whole(self, seen: Seen) -> Seen:
        return seen


def full(width: int, height: int, line: Segment) -> Counter:
    return Counter(width, height, line)


def without_gain(width: int, height: int, line: Segment) -> Counter:
    """Let every grey level have the same logarithm, so that no change of exposure is ever measured."""
    counter = Counter(width, height, line)
    counter.background.logs[:] = 0
    return counter


def without_shadow(width: int, height: int, line: Segment) -> Counter:
    """Measure every object with its shadow."""
    counter = Counter(width, height, line)
    follow, blobs = counter.moves.follow, counter.blobs.table

    def follow_whole(sight: Sight, count: int, *rest: Any) -> int:
        blobs[:count, list(SHADOW_COLUMNS)] = blobs[:count, list(WHOLE_COLUMNS)]
        return follow(sight, count, *rest)

    setattr(counter.moves, "follow", follow_whole)  # noqa: B010 - the type of a method cannot be assigned
    return counter


def without_cast_shadow(width: int, height: int, line: Segment) -> Counter:
    """Do not learn on which side shadows lie: what looks like one is one."""
    counter = Counter(width, height, line)
    setattr(counter.classifier, "cast_shadow", NoCastShadow())  # noqa: B010
    return counter


def without_learning(width: int, height: int, line: Segment) -> Counter:
    """Learn neither scale nor angle nor mix of the street."""
    counter = Counter(width, height, line)
    small = counter.background
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
