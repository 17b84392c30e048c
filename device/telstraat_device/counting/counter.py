"""The counting core as one thing: frames go in, crossings come out.

The first second is kept as samples at the working size; then the empty street is guessed from them and the kept frames
are counted. From there on each frame is counted as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import Luma
from telstraat_device.counting.crossings.classify import Classifier
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment, checked_line
from telstraat_device.counting.foreground.background import BOOT_S, BOOT_SAMPLES
from telstraat_device.counting.foreground.headlights import Glow
from telstraat_device.counting.foreground.segmenter import LOST, LOST_SHARE, SOLID_COUNT, Sight
from telstraat_device.counting.tracking import track_table as columns
from telstraat_device.counting.tracking.observation import seen_of
from telstraat_device.counting.tracking.tracker import Moves
from telstraat_device.counting.tracking.tracks import Tracks
from telstraat_device.counting.view import ViewWatch
from telstraat_device.errors import FrameFormatError

GAP_MAX_S = 0.5  # after a longer gap between frames nothing that moved is known
BOOT_FRAMES_MAX = 64
LOST_S = 1.5
SCALE_KNOWN = 1.15  # the factor by which the learnt scale may be wrong
LAMPS_BURN = ("dusk", "night")
LUMA = np.dtype(np.uint8)
NIGHT_TRUST = 0.25
VAGUE_TRUST = 0.5  # of what shared its blob with others all the way


@dataclass(frozen=True, slots=True)
class CounterSettings:
    """What can be told to the counter by hand.

    Attributes
    ----------
    pixels_per_metre : float or None
        Scale of the frame where the line is; None learns it from the traffic.
    """

    pixels_per_metre: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """Where a tracked object is now, in pixels of the frame (x, y is its middle): for drawing only."""

    track: int
    x: float
    y: float
    w: float
    h: float
    seen: bool
    counted: bool


class Counter:
    """Counts what crosses a line in a stream of luma frames.

    Parameters
    ----------
    width, height : int
        Size of the frames in pixels.
    line : ((x1, y1), (x2, y2))
        The counting line in pixels of the frame.
    """

    def __init__(self, width: int, height: int, line: Segment, settings: CounterSettings | None = None) -> None:
        self.width, self.height = width, height
        self.settings = settings or CounterSettings()
        self.line = checked_line(line, width, height)
        self.sight = Sight(width, height)
        self.background, self.blobs = self.sight.background, self.sight.blobs
        small = self.background
        f = small.factor
        working = np.array(
            [self.line.x1 / f, self.line.y1 / f, self.line.x2 / f, self.line.y2 / f, self.line.length_px / f]
        )
        self.tracks = Tracks(working, small.width, small.height)
        self.moves = Moves(self.tracks, self.blobs.table, small.pixels)
        scale = self.settings.pixels_per_metre
        middle_y = (self.line.y1 + self.line.y2) / (2 * f)
        self.classifier = Classifier(small.width, small.height, middle_y, scale / f if scale else None)
        self.glow = Glow(small.width, small.height)
        self.view = ViewWatch(small.width, small.height)
        self._lost_pixels = LOST_SHARE * small.pixels
        self._kept: list[NDArray[np.uint8]] = []
        self._kept_t_s: list[float] = []
        self._begun_t_s: float | None = None
        self._last_t_s = 0.0
        self._booted = False
        self._lost_s = 0.0

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        """Take the next frame, luma uint8 (height, width), and return the crossings that are now certain."""
        if luma.shape != (self.height, self.width) or luma.dtype != LUMA:
            raise FrameFormatError(
                f"a frame of {luma.dtype} {luma.shape[1]} x {luma.shape[0]} came to a counter for uint8 "
                f"{self.width} x {self.height}; make a new counter when the camera changes"
            )
        if not luma.flags.c_contiguous:
            luma = np.ascontiguousarray(luma)
        if self._booted:
            return self._count(luma, t_s)
        self.sight.take(luma)
        if self._begun_t_s is None:
            self._begun_t_s = t_s
        self._kept.append(self.background.small.copy())
        self._kept_t_s.append(t_s)
        if t_s - self._begun_t_s < BOOT_S and len(self._kept) < BOOT_FRAMES_MAX:
            return []
        return self._boot()

    def finish(self) -> list[Crossing]:
        """Return the crossings that were still being looked at when the frames ended."""
        found = [] if self._booted or not self._kept else self._boot()
        found += self._crossings(self.moves.finish())
        return sorted(found, key=lambda crossing: crossing.t_s)

    def boxes(self) -> list[Box]:
        """Return the tracked objects of now, for drawing over a film of one's own."""
        f, c = self.background.factor, columns
        return [
            Box(
                int(row[c.ID]),
                row[c.X] * f,
                row[c.Y] * f,
                row[c.W] * f,
                row[c.H] * f,
                bool(row[c.MISSED] == 0.0),
                bool(row[c.ARMED] * row[c.FIRST_ARMED] < 0),
            )
            for row in self.tracks.table[self.tracks.table[:, c.ALIVE] != 0]
        ]

    def _boot(self) -> list[Crossing]:
        """Guess the empty street from the kept frames and count them."""
        picks = np.unique(np.linspace(0, len(self._kept) - 1, BOOT_SAMPLES).round().astype(int))
        self.sight.begin([self._kept[k] for k in picks])
        self._booted = True
        self._last_t_s = self._kept_t_s[0] - 0.04
        found: list[Crossing] = []
        shape = self.background.height, self.background.width
        for small, t_s in zip(self._kept, self._kept_t_s, strict=True):
            found += self._count(small.reshape(shape), t_s, working=True)
        self._kept, self._kept_t_s = [], []
        return found

    def _count(self, luma: Luma, t_s: float, *, working: bool = False) -> list[Crossing]:
        """Count a frame of full, or of working, size."""
        dt_s = min(max(t_s - self._last_t_s, 1e-3), GAP_MAX_S)
        self._last_t_s = t_s
        count = self.sight.see(luma, t_s - (self._begun_t_s or 0.0), dt_s, working=working)
        small = self.background
        if t_s >= self.view.due_s:
            self.view.update(t_s, small.small, small.mask, *self.sight.movement(), small.mean)
        if count == LOST or self.view.blind or self.sight.numbers[SOLID_COUNT] > self._lost_pixels:
            return self._lose(dt_s)
        self._lost_s = 0.0
        light = self.glow.light(self.view.light, small.mean, t_s)
        if light in LAMPS_BURN:
            count = self.glow.find(self.sight)
        done = self.moves.follow(self.sight, count, t_s, dt_s, light)
        if self.moves.some_are_still():
            for box in self.tracks.still():
                self.sight.absorb(*box)
        return self._crossings(done) if done else []

    def _lose(self, dt_s: float) -> list[Crossing]:
        """Count nothing in a picture that is covered or all new; after a while, learn the new one from its start."""
        self.tracks.forget()
        self._lost_s += dt_s
        if self._lost_s > LOST_S and not self.view.blind:
            self._booted, self._begun_t_s, self._lost_s = False, None, 0.0
        return []

    def _crossings(self, done: int) -> list[Crossing]:
        """Return what the passages that were decided count as."""
        return [self._crossing(row) for row in self.tracks.events[:done] if row[columns.REFUSED] == columns.COUNTED]

    def _crossing(self, row: NDArray[np.float64]) -> Crossing:
        """Say what a finished track was."""
        c = columns
        night = self.view.light == "night"
        seen = seen_of(row)
        trust = (NIGHT_TRUST if night else 1.0) * (1.0 if seen.alone else VAGUE_TRUST)
        class_name, confidence, speed_kmh = self.classifier.classify(seen, trust, dark=night)
        self.view.learning = self.classifier.scale()[1] > SCALE_KNOWN
        return Crossing(
            t_s=round(float(row[c.PENDING_T]), 3),
            class_name=class_name,
            direction="left_to_right" if row[c.PENDING] > 0 else "right_to_left",
            confidence=round(confidence, 3),
            # Lamps in the dark have no length and no foot to tell a speed by: simulated, it came out 163 % too high.
            speed_kmh=None if night and self.glow.dim else round(speed_kmh, 1),
            night=night,
        )
