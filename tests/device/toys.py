"""A source whose frames say what crosses, and a core that reads it from them: the service's tests need no street."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from telstraat_contract.messages import Light
from telstraat_device.cameras.frames import Frame, Luma
from telstraat_device.counting.crossings.crossing import CLASSES, DIRECTIONS, Crossing
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.quarters.clock import ClockReading
from telstraat_device.quarters.periods import LateCrossing
from telstraat_device.quarters.uptime import ObservedSpan, ViewCondition

WIDTH, HEIGHT = 32, 24
LINE: Segment = ((2.0, 12.0), (30.0, 12.0))
NOON_S = 1_795_262_400  # 2026-11-21T12:00Z
QUARTER_S = 900


@dataclass(frozen=True, slots=True)
class GivenView:
    """A view as somebody says it is."""

    light: Light = "unknown"
    blind: bool = False
    moved: bool = False
    too_dark: bool = False
    learning: bool = False


def crossing(
    t_s: float = 0.0,
    class_name: str = "car",
    direction: str = "left_to_right",
    confidence: float = 0.9,
    speed_kmh: float | None = None,
    *,
    night: bool = False,
) -> Crossing:
    """Return a crossing that differs from a car's in what is said."""
    return Crossing(t_s, class_name, direction, confidence, speed_kmh, night)  # type: ignore[arg-type]


def late(lag_s: float = 0.0, **what: object) -> LateCrossing:
    """Return a crossing that happened before its frame."""
    return LateCrossing(crossing(**what), lag_s)  # type: ignore[arg-type]


def at(seconds: float, *, trusted: bool = True) -> ClockReading:
    """Return a reading so many seconds after noon; the monotonic clock counts from noon."""
    return ClockReading(NOON_S + seconds, seconds, trusted)


def second(observed_s: float = 1.0, length_s: float | None = None) -> ObservedSpan:
    """Return a span of one second in daylight."""
    return ObservedSpan(observed_s if length_s is None else length_s, observed_s, light="day")


@dataclass
class ToyStreet:
    """Frames of nothing; one object crosses every `every` frames, its kind told by the number of the frame."""

    frames: int = 100
    fps: float = 1.0
    every: int = 10
    begins_at: int = 0
    pause_s: float = 0.0
    name: str = "toy street"
    width: int = WIDTH
    height: int = HEIGHT
    closed: bool = False
    timed: bool = True

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames; the number of each stands in its first pixels."""
        for number in range(self.begins_at, self.begins_at + self.frames):
            luma = np.zeros((HEIGHT, WIDTH), np.uint8)
            luma[0, :4] = list(number.to_bytes(4, "big"))
            luma[0, 4] = self.every
            luma[7::7, ::7] = number % 251  # no two pictures of a sensor agree
            if self.pause_s:
                time.sleep(self.pause_s)
            yield Frame(luma, number / self.fps)

    def close(self) -> None:
        """Note that it was given back."""
        self.closed = True


@dataclass
class ToyCore:
    """Counts a toy street: object number n is a crossing of a class and direction that n decides."""

    width: int = WIDTH
    height: int = HEIGHT
    line: Segment = LINE
    view: ViewCondition = field(default_factory=lambda: GivenView(light="day"))
    on_frame: Callable[[int], None] = lambda number: None
    speed_kmh: float | None = None
    speeds_left_out: int = 0

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        """Return the crossing that the frame tells."""
        number = int.from_bytes(bytes(luma[0, :4]), "big")
        self.on_frame(number)
        if number % int(luma[0, 4]):
            return []
        return [replace(crossing_of(number // int(luma[0, 4]), t_s), speed_kmh=self.speed_kmh)]

    def finish(self) -> list[Crossing]:
        """Nothing is left."""
        return []


def crossing_of(number: int, t_s: float) -> Crossing:
    """Return what object `number` is."""
    return crossing(t_s, CLASSES[number % len(CLASSES)], DIRECTIONS[number // len(CLASSES) % 2])


def toy_core(width: int, height: int, line: Segment) -> ToyCore:
    """Make a core for a toy street."""
    return ToyCore(width, height, line)


@dataclass
class ToyClock:
    """A camera's clock that follows the frames."""

    boot: str = "b1"
    repeatable: bool = False
    start_s: float = NOON_S
    trusted: bool = True
    last: ClockReading | None = None

    def read(self, t_s: float, /) -> ClockReading:
        """Return the moment of a frame."""
        self.last = ClockReading(self.start_s + t_s, t_s, self.trusted)
        return self.last

    def now(self) -> ClockReading | None:
        """Return the moment of the last frame."""
        return self.last
