"""How much of the time between two frames was really observed, and what lowers it.

A gap longer than tracks survive was not observed; neither is a view that is blind, moved or too dark.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from telstraat_contract.messages import Flag, Light

GAP_MAX_S = 0.5
"""Tracks survive a gap of about this length: objects are still where they can be found again."""

GAP_MAX_FRAMES = 3.0
LATE_FRAMES = 1.5
PACE_SPANS = 31
"""Frames are missing where a span is longer than the middle one of so many around it: a camera that says 25 frames a
second and gives 8 drops none, and one that slows down at night drops none either."""
NO_FLAG = Flag(0)
PACE_FRAMES = 50.0  # the frame rate shown is a mean over about so many frames


class ViewCondition(Protocol):
    """What the counter knows of its view."""

    @property
    def light(self) -> Light:
        """Light of the street."""

    @property
    def blind(self) -> bool:
        """Nothing can be seen: covered, or all of one tone."""

    @property
    def moved(self) -> bool:
        """It is not the view that the line was drawn on."""

    @property
    def too_dark(self) -> bool:
        """Too dark to count."""

    @property
    def learning(self) -> bool:
        """Scale and classes are still being learnt from the traffic."""


@dataclass(frozen=True, slots=True)
class ObservedSpan:
    """The time since the frame before: how long, how much of it was observed, and what a reader should know."""

    length_s: float = 0.0
    observed_s: float = 0.0
    flags: Flag = NO_FLAG
    light: Light = "unknown"


class Uptime:
    """Watches the frames of one source come."""

    def __init__(self, fps: float) -> None:
        self._nominal_s = 1.0 / fps if fps > 0 else 0.0
        self._last_s: float | None = None
        self._pace_s = self._nominal_s
        self._spans_s: deque[float] = deque(maxlen=PACE_SPANS)
        self._has_begun = False
        self._usual_s = self._nominal_s
        self.dropped = 0

    @property
    def fps(self) -> float | None:
        """Frames per second, as they come."""
        return 1.0 / self._pace_s if self._pace_s > 0 else None

    def span(self, t_s: float, view: ViewCondition) -> ObservedSpan:
        """Return the span that ends with the frame at `t_s`."""
        length_s = 0.0 if self._last_s is None else max(0.0, t_s - self._last_s)
        self._last_s = t_s
        flags, usable = flags_of(view)
        observed_s = length_s
        if length_s > 0:
            self._count_dropped(length_s)
        if length_s > max(GAP_MAX_S, GAP_MAX_FRAMES * self._usual_s):
            observed_s = min(self._usual_s, length_s)
            flags |= Flag.FRAMES_DROPPED
        elif length_s > 0:
            self._pace_s += (length_s - self._pace_s) / PACE_FRAMES
        return ObservedSpan(length_s, observed_s if usable else 0.0, flags, view.light)

    def _count_dropped(self, length_s: float) -> None:
        """Take a span, and judge the one in the middle of those that are kept: what is usual shows from both sides."""
        self._spans_s.append(length_s)
        self._usual_s = sorted(self._spans_s)[len(self._spans_s) // 2] if len(self._spans_s) > 2 else self._nominal_s
        if len(self._spans_s) < PACE_SPANS:
            return
        first = PACE_SPANS // 2 if self._has_begun else 0  # the first ones have nothing before them
        for span_s in list(self._spans_s)[first : PACE_SPANS // 2 + 1]:
            self.dropped += self._missing(span_s)
        self._has_begun = True

    def _missing(self, span_s: float) -> int:
        """Return how many frames are missing in a span."""
        return round(span_s / self._usual_s) - 1 if span_s > LATE_FRAMES * self._usual_s > 0 else 0

    def interrupted(self) -> None:
        """Note that the source was away: the next frame ends no span."""
        self._last_s = None


def flags_of(view: ViewCondition) -> tuple[Flag, bool]:
    """Return the flags that a view raises, and whether it can be counted in."""
    flags = NO_FLAG
    if view.blind:
        flags |= Flag.CAMERA_COVERED
    if view.moved:
        flags |= Flag.CAMERA_MOVED
    if view.too_dark:
        flags |= Flag.TOO_DARK
    usable = not flags
    return (flags | Flag.LEARNING if view.learning else flags), usable
