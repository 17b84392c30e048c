"""The counting core: frames go in, crossings come out.

    process -> ForegroundSegmenter.segment -> HeadlightSuppression.suppress -> Tracker.update -> Classifier.classify

The frames of the first second are buffered at the working size; then the empty street is estimated from them and they
are counted. From there on each frame is counted as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telstraat_device.cameras.frames import Luma
from telstraat_device.counting.crossings.classify import Classifier
from telstraat_device.counting.crossings.crossing import Crossing, believable_kmh
from telstraat_device.counting.crossings.line import Segment, checked_line
from telstraat_device.counting.foreground.background import BOOT_S, BOOT_SAMPLES
from telstraat_device.counting.foreground.headlights import HeadlightSuppression
from telstraat_device.counting.foreground.segmenter import LOST, LOST_SHARE, ForegroundSegmenter
from telstraat_device.counting.tracking.observation import observation_of
from telstraat_device.counting.tracking.track import Rejection, Side
from telstraat_device.counting.tracking.tracker import Tracker
from telstraat_device.counting.view import ViewWatch
from telstraat_device.errors import FrameFormatError
from telstraat_device.native.kernel import address

GAP_MAX_S = 0.5  # after a longer gap between frames nothing that moved is known
GAP_MIN_S = 1e-3
BOOT_FRAMES_MAX = 64
BOOT_GAP_S = 0.04  # taken to be before the first frame: 25 frames per second
LOST_S = 1.5  # after so long in a picture that is all new, the street is learnt from its start
SCALE_KNOWN = 1.15  # the factor by which the learnt scale may be wrong
LAMPS_BURN = ("dusk", "night")
LUMA = np.dtype(np.uint8)
NIGHT_TRUST = 0.25
VAGUE_TRUST = 0.5  # of what shared its blob with others all the way


@dataclass(frozen=True, slots=True)
class CounterSettings:
    """What can be set by hand.

    Attributes
    ----------
    pixels_per_metre : float or None
        Scale of the frame where the line is; None learns it from the traffic.
    """

    pixels_per_metre: float | None = None


@dataclass(frozen=True, slots=True)
class TrackedBox:
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

    Attributes
    ----------
    speeds_left_out : int
        Crossings whose speed was beyond what any street has.
    """

    def __init__(self, width: int, height: int, line: Segment, settings: CounterSettings | None = None) -> None:
        self.width, self.height = width, height
        self.speeds_left_out = 0
        self.settings = settings or CounterSettings()
        self.line = checked_line(line, width, height)
        self.segmenter = ForegroundSegmenter(width, height)
        factor, small_width, small_height = self.segmenter.factor, self.segmenter.width, self.segmenter.height
        self.tracker = Tracker(self.line, factor, small_width, small_height)
        scale = self.settings.pixels_per_metre
        middle_y = (self.line.y1 + self.line.y2) / (2 * factor)
        self.classifier = Classifier(small_width, small_height, middle_y, scale / factor if scale else None)
        self.headlights = HeadlightSuppression(small_width, small_height)
        self.view = ViewWatch(small_width, small_height)
        self._blobs = address(self.segmenter.blobs)
        self._lost_pixels = LOST_SHARE * self.segmenter.pixels
        self._boot_pictures: list[NDArray[np.uint8]] = []
        self._boot_times_s: list[float] = []
        self._begun_t_s: float | None = None
        self._last_t_s = 0.0
        self._booted = False
        self._lost_s = 0.0

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        """Take the next frame, luma uint8 (height, width), and return the crossings that are now decided."""
        if luma.shape != (self.height, self.width) or luma.dtype != LUMA:
            raise FrameFormatError(
                f"a frame of {luma.dtype} {luma.shape[1]} x {luma.shape[0]} came to a counter for uint8 "
                f"{self.width} x {self.height}; make a new counter when the camera changes"
            )
        if not luma.flags.c_contiguous:
            luma = np.ascontiguousarray(luma)
        if self._booted:
            return self._count(luma, t_s)
        self.segmenter.load_frame(luma)
        if self._begun_t_s is None:
            self._begun_t_s = t_s
        self._boot_pictures.append(self.segmenter.current.copy())
        self._boot_times_s.append(t_s)
        if t_s - self._begun_t_s < BOOT_S and len(self._boot_pictures) < BOOT_FRAMES_MAX:
            return []
        return self._boot()

    def finish(self) -> list[Crossing]:
        """Return the crossings that were still undecided when the frames ended."""
        crossings = [] if self._booted or not self._boot_pictures else self._boot()
        crossings += self._crossings(self.tracker.finish())
        return sorted(crossings, key=lambda crossing: crossing.t_s)

    def boxes(self) -> list[TrackedBox]:
        """Return the tracked objects of now, for drawing over a film of one's own."""
        factor = self.segmenter.factor
        return [
            TrackedBox(
                int(track["id"]),
                track["x"] * factor,
                track["y"] * factor,
                track["w"] * factor,
                track["h"] * factor,
                bool(track["missed_s"] == 0.0),
                bool(track["side"] * track["first_side"] < 0),
            )
            for track in self.tracker.tracks
        ]

    def _boot(self) -> list[Crossing]:
        """Estimate the empty street from the buffered pictures, and count them."""
        pictures, times_s = self._boot_pictures, self._boot_times_s
        picks = np.unique(np.linspace(0, len(pictures) - 1, BOOT_SAMPLES).round().astype(int))
        self.segmenter.bootstrap([pictures[k] for k in picks])
        self._booted = True
        self._last_t_s = times_s[0] - BOOT_GAP_S
        crossings: list[Crossing] = []
        shape = self.segmenter.height, self.segmenter.width
        for picture, t_s in zip(pictures, times_s, strict=True):
            crossings += self._count(picture.reshape(shape), t_s, working=True)
        self._boot_pictures, self._boot_times_s = [], []
        return crossings

    def _count(self, luma: Luma, t_s: float, *, working: bool = False) -> list[Crossing]:
        """Count a frame of full, or of working, size."""
        dt_s = min(max(t_s - self._last_t_s, GAP_MIN_S), GAP_MAX_S)
        self._last_t_s = t_s
        segmenter = self.segmenter
        count = segmenter.segment(luma, t_s - (self._begun_t_s or 0.0), dt_s, working=working)
        street = segmenter.street.mean
        if t_s >= self.view.due_s:
            self.view.update(t_s, segmenter.current, segmenter.masks.mask.words, *segmenter.take_movement(), street)
        if count == LOST or self.view.blind or segmenter.solid_count > self._lost_pixels:
            return self._lose(dt_s)
        self._lost_s = 0.0
        light = self.headlights.corrected(self.view.light, street, t_s)
        if light in LAMPS_BURN:
            count = self.headlights.suppress(segmenter)
        events = self.tracker.update(self._blobs, count, segmenter.picture_addresses, t_s, dt_s, light)
        if self.tracker.has_still_tracks():
            for box in self.tracker.still_boxes():
                segmenter.absorb(*box)
        return self._crossings(events) if events else []

    def _lose(self, dt_s: float) -> list[Crossing]:
        """Count nothing in a picture that is covered or all new; after a while, learn the new one from its start."""
        self.tracker.forget()
        self._lost_s += dt_s
        if self._lost_s > LOST_S and not self.view.blind:
            self._booted, self._begun_t_s, self._lost_s = False, None, 0.0
        return []

    def _crossings(self, events: int) -> list[Crossing]:
        """Return what the decided crossings count as."""
        decided = self.tracker.events[:events]
        return [self._crossing(track) for track in decided if track["rejection"] == Rejection.NONE]

    def _crossing(self, track: NDArray[np.void]) -> Crossing:
        """Return what a track that crossed was; track : TRACK."""
        night = self.view.light == "night"
        observation = observation_of(track["measured"])
        trust = (NIGHT_TRUST if night else 1.0) * (1.0 if observation.separate else VAGUE_TRUST)
        class_name, confidence, speed_kmh = self.classifier.classify(observation, trust, dark=night)
        self.view.learning = self.classifier.scale()[1] > SCALE_KNOWN
        # Lamps in the dark have no length and no foot to measure a speed by: on simulated streets it was 163 % too high.
        measured = not (night and self.headlights.dim)
        believed_kmh = believable_kmh(class_name, speed_kmh) if measured else None
        self.speeds_left_out += measured and believed_kmh is None
        return Crossing(
            t_s=round(float(track["pending_s"]), 3),
            class_name=class_name,
            direction="left_to_right" if track["pending"] == Side.RIGHT else "right_to_left",
            confidence=round(confidence, 3),
            speed_kmh=believed_kmh,
            night=night,
        )
