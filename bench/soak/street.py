"""The year as it truly was: what crosses at which frame, what the sensor's clock says then, and when the camera is away.

Everything is a function of the number of the frame, so that the process that counts and the one that compares agree without
a word between them. A frame stands for 7.5 seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from telstraat_contract.messages import Light
from telstraat_device.cameras.frames import ClosingSource, Frame, Luma
from telstraat_device.counting.crossings.crossing import CLASSES, DIRECTIONS, Crossing
from telstraat_device.errors import CameraError
from telstraat_device.quarters.clock import ClockReading

STEP_S = 7.5
DAY_S = 86_400
FRAMES_A_DAY = int(DAY_S / STEP_S)
WIDTH, HEIGHT = 64, 48
UNSET_S = 3600.0  # a board without a battery clock sees the time so long after its start
MIX = 2_654_435_761  # Knuth's multiplier: a frame's lot is the same in every process
NIGHT_SHARE, DAY_SHARE = 0.02, 0.45
SHARES = np.where((np.arange(24) >= 6) & (np.arange(24) < 22), DAY_SHARE, NIGHT_SHARE)
KINDS = len(CLASSES) * len(DIRECTIONS)


class ClockJump(msgspec.Struct, frozen=True):
    """From a day on the system's clock is wrong by so much, for good or until the next jump."""

    day: float
    offset_s: float


class CameraGap(msgspec.Struct, frozen=True):
    """The camera breaks off at a moment and is back so much later."""

    day: float
    hours: float

    @property
    def first(self) -> int:
        """The first frame that is missing."""
        return round(self.day * FRAMES_A_DAY)

    @property
    def end(self) -> int:
        """The first frame behind it."""
        return self.first + round(self.hours * 3600 / STEP_S)


def lots(frames: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the lot of each frame, 0 to 2**32."""
    return (frames.astype(np.uint64) * np.uint64(MIX) + np.uint64(MIX)) % np.uint64(2**32)


def kinds(frames: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return what crosses at each frame: a class and a direction as one number, or -1 for nothing."""
    lot = lots(frames)
    share = SHARES[(frames * STEP_S // 3600).astype(np.int64) % 24]
    kind = (lots(lot.astype(np.int64) % (2**31)) >> np.uint64(8)).astype(np.int64) % KINDS
    return np.where(lot < share * 2.0**32, kind, -1).astype(np.int8)


@dataclass
class YearClock:
    """A camera's clock that follows the frames, and jumps as planned."""

    start_s: int
    boot: str
    boot_t_s: float
    jumps: Sequence[ClockJump] = ()
    is_unset_at_boot: bool = False
    repeatable: bool = False
    last: ClockReading | None = None

    def read(self, t_s: float, /) -> ClockReading:
        """Return the moment of a frame, as the system's clock has it."""
        since_s = t_s - self.boot_t_s
        if self.is_unset_at_boot and since_s < UNSET_S:
            self.last = ClockReading(since_s, since_s, trusted=False)
        else:
            self.last = ClockReading(self.start_s + t_s + self.offset_s(t_s), since_s)
        return self.last

    def offset_s(self, t_s: float) -> float:
        """Return by how much the clock is wrong."""
        return next((jump.offset_s for jump in reversed(self.jumps) if t_s >= jump.day * DAY_S), 0.0)

    def now(self) -> ClockReading | None:
        """Return the moment of the last frame."""
        return self.last


class YearStreet(ClosingSource):
    """Frames from one number to another; the number of each stands in its first pixels."""

    fps = 1 / STEP_S
    width, height = WIDTH, HEIGHT
    name = "a year's street"
    frames: int | None = None
    timed = True

    def __init__(self, first: int, end: int, gap_at: int | None) -> None:
        self._first, self._end, self._gap_at = first, end, gap_at

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self._first, self._end):
            if number == self._gap_at:
                raise CameraError("the camera is away, as planned")
            luma = np.zeros((HEIGHT, WIDTH), np.uint8)
            luma[0, :4] = list(number.to_bytes(4, "big"))
            luma[7::7, ::7] = number % 251  # no two pictures of a sensor agree
            yield Frame(luma, number * STEP_S)

    def close(self) -> None:
        """Nothing is held."""


class YearCamera:
    """Opens the street where it has come to: behind a gap, when there was one."""

    def __init__(self, first: int, end: int, gaps: Sequence[CameraGap]) -> None:
        self._next, self._end = first, end
        self._gaps = [gap for gap in sorted(gaps, key=lambda gap: gap.day) if gap.first >= first]

    def open(self) -> YearStreet:
        """Open it."""
        gap = self._gaps.pop(0) if self._gaps else None
        street = YearStreet(self._next, self._end, gap.first if gap else None)
        if gap:
            self._next = gap.end
        return street


def is_away(frames: NDArray[np.int64], gaps: Sequence[CameraGap]) -> NDArray[np.bool_]:
    """Tell of each frame whether the camera was away."""
    away = np.zeros(len(frames), bool)
    for gap in gaps:
        away |= (frames >= gap.first) & (frames < gap.end)
    return away


@dataclass(frozen=True, slots=True)
class DayView:
    """A street that is always seen well."""

    light: Light = "day"
    blind: bool = False
    moved: bool = False
    too_dark: bool = False
    learning: bool = False


@dataclass
class YearCore:
    """Counts the year's street; everything behind it is the device's own."""

    crossing_kinds: NDArray[np.int8]
    on_frame: Callable[[int], None]
    view: DayView = field(default_factory=DayView)
    speeds_left_out: int = 0

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        """Return what the frame tells."""
        number = int.from_bytes(bytes(luma[0, :4]), "big")
        kind = int(self.crossing_kinds[number])
        self.on_frame(number)
        if kind < 0:
            return []
        name, direction = CLASSES[kind // 2], DIRECTIONS[kind % 2]
        return [Crossing(t_s, name, direction, 0.9, 34.0 if name == "car" else None)]

    def finish(self) -> list[Crossing]:
        """Nothing is left."""
        return []
