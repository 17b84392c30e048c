"""When a frame was taken: by the stream's own times where it has true ones, else by a regular clock that follows arrivals.

    stamps   | . . . . . . . . |   what the camera wrote on its frames (PTS): even
    arrivals |        ........ |   when they came: in bursts over a wireless network

Speeds are distances over these times. Bursts of 0.3 s, timed as they came, made 149 crossings of 44 and speeds of
2081 km/h; the first second of an RTSP stream, which is read at once, gave 680.
"""

from __future__ import annotations

import math
from collections import deque

AHEAD_MAX_S = 2.0
"""A stamp that runs so far ahead of the wall clock between two frames is a clock that was set, not a frame."""

CUT_S = 1.0
"""Time that lies between two frames whose distance is not known: longer than tracks survive, so that none spans it."""

UNTIMED_STAMPS = 8
"""So many stamps of the last `STAMPS` that do not follow the one before, or that are the same in a row: the stream has no times."""

STAMPS = 16
WINDOW_S = 20.0
PROOF_S = 5.0
"""The first windows are shorter: a relay that makes up the times of its frames (MJPEG over HTTP) is found out in 15 s, and no
speed is told before two windows agree."""

PACE_ERROR_MAX = 0.03
"""A stream's clock that runs faster or slower than ours by more, over two windows in turn, is not one of seconds."""

ARRIVALS = 100
GAP_S = 1.0
PULL = 0.1
"""Share of the distance to the arrivals that the regular clock makes up with each frame: bursts of 0.3 s stay within 3 %."""


class RegularClock:
    """Times of frames that carry none: evenly spaced, at the pace and about the moment at which they come.

    Parameters
    ----------
    fps : float
        Frames per second, as the source says; what comes decides soon.
    """

    def __init__(self, fps: float) -> None:
        self._steps: deque[float] = deque([1.0 / fps], maxlen=ARRIVALS)
        self._arrival_s: float | None = None
        self._t_s = 0.0

    @property
    def jitter_s(self) -> float | None:
        """How irregularly frames come: standard deviation of the time between two, in seconds; None of fewer than `ARRIVALS`."""
        if len(self._steps) < ARRIVALS:
            return None
        mean = sum(self._steps) / len(self._steps)
        return math.sqrt(sum((step - mean) ** 2 for step in self._steps) / len(self._steps))

    def time(self, arrival_s: float) -> float:
        """Return the time of the frame that has arrived at `arrival_s`, seconds since the first, rising."""
        if self._arrival_s is None:
            self._arrival_s, self._first_s = arrival_s, arrival_s - self._t_s
            return self._t_s
        step_s, self._arrival_s = arrival_s - self._arrival_s, arrival_s
        behind_s = arrival_s - self._first_s - self._t_s
        if step_s > GAP_S:
            self._t_s += max(behind_s, CUT_S)
            self._first_s = arrival_s - self._t_s
            return self._t_s
        self._steps.append(step_s)
        pace_s = sum(self._steps) / len(self._steps)
        pull_s = min(max(PULL * (behind_s - pace_s), -pace_s / 2), pace_s / 2)
        self._t_s += max(pace_s + pull_s, 1e-3)
        return self._t_s

    def start_at(self, t_s: float) -> None:
        """Go on from a time that was given out before."""
        self._t_s = t_s


class StreamClock:
    """Times of a live stream's frames.

    Parameters
    ----------
    fps : float
        Frames per second, as the stream says.

    Attributes
    ----------
    timed : bool
        Whether the stream's own times are used; without them no speed can be told.
    """

    def __init__(self, fps: float) -> None:
        self.timed = True
        self.regular = RegularClock(fps)
        self._stamp_s: float | None = None
        self._arrival_s = 0.0
        self._t_s = 0.0
        self._bad: deque[bool] = deque(maxlen=STAMPS)
        self._repeats = 0
        self._pace = StreamPace()

    @property
    def proven(self) -> bool:
        """Whether the stream's times are used and have kept pace with the clock since they began, or began anew."""
        return self.timed and self._pace.proven

    def time(self, stamp_s: float, arrival_s: float) -> float | None:
        """Return the time of a frame, seconds since the first, rising; None for a picture that was given already.

        A relay that cuts pictures makes two of one, under one stamp: GStreamer's RTSP server did with every key frame of
        H.264 in slices. Timed as a frame of its own, one of 25 stretches time by 4 %, and speeds with it.

        Parameters
        ----------
        stamp_s : float
            What the stream wrote on it, in seconds of any beginning; NaN where nothing.
        arrival_s : float
            When it came, on a monotonic clock.
        """
        if not self.timed:
            return self.regular.time(arrival_s)
        if self._stamp_s is None:
            self._stamp_s, self._arrival_s = stamp_s, arrival_s
            return self._t_s
        step_s, waited_s = stamp_s - self._stamp_s, arrival_s - self._arrival_s
        if step_s == 0 or math.isnan(step_s):
            return self._repeated(arrival_s)
        self._repeats = 0
        self._stamp_s, self._arrival_s = stamp_s, arrival_s
        follows = 0 < step_s <= waited_s + AHEAD_MAX_S
        self._bad.append(not follows)
        if follows:
            self._t_s += step_s
        else:
            self._t_s += max(waited_s, CUT_S)  # the camera's clock was set, or its stream began anew
            self._pace = StreamPace()
        if sum(self._bad) >= UNTIMED_STAMPS or (follows and self._pace.is_wrong(stamp_s, arrival_s)):
            self._do_without_stamps()
        return self._t_s

    def _repeated(self, arrival_s: float) -> float | None:
        """Take a stamp that is the same as before; after a few in a row there are no times."""
        self._repeats += 1
        if self._repeats < UNTIMED_STAMPS:
            return None
        self._do_without_stamps()
        return self.regular.time(arrival_s)

    def _do_without_stamps(self) -> None:
        self.timed = False
        self.regular.start_at(self._t_s + CUT_S)


class StreamPace:
    """Whether a stream's seconds are seconds: its clock beside ours, where the network delayed frames least.

    Attributes
    ----------
    proven : bool
        Whether two windows in turn have agreed.
    """

    def __init__(self) -> None:
        self._from_s: float | None = None
        self._least_s = math.inf
        self._before_s: float | None = None
        self._off: list[float] = []
        self.proven = False

    def is_wrong(self, stamp_s: float, arrival_s: float) -> bool:
        """Take a frame; return whether two windows in turn say that the stream's clock runs wrong."""
        if self._from_s is None:
            self._from_s = arrival_s
        self._least_s = min(self._least_s, arrival_s - stamp_s)
        if arrival_s - self._from_s < (WINDOW_S if self.proven else PROOF_S):
            return False
        if self._before_s is not None:
            drift = (self._least_s - self._before_s) / (arrival_s - self._from_s)
            same_way = not self._off or drift * self._off[-1] > 0
            self._off = [*self._off, drift] if abs(drift) > PACE_ERROR_MAX and same_way else []
            self.proven = self.proven or abs(drift) <= PACE_ERROR_MAX
        self._from_s, self._before_s, self._least_s = arrival_s, self._least_s, math.inf
        return len(self._off) >= 2


class FileClock:
    """Times of a film's frames: as the file says, in films of a steady rate exactly number over rate.

    Attributes
    ----------
    timed : bool
        Whether the file has times, or at least a rate.
    """

    def __init__(self, fps: float | None, fallback_fps: float) -> None:
        self._fps = fps or fallback_fps
        self._has_rate = fps is not None
        self._first_s: float | None = None
        self._t_s = 0.0
        self._number = -1
        self._rising = 0

    @property
    def timed(self) -> bool:
        """Whether the times can be believed."""
        return self._has_rate or 2 * self._rising >= self._number

    def time(self, stamp_s: float) -> float:
        """Return the time of the next frame, seconds since the first, rising."""
        self._number += 1
        if self._first_s is None:
            self._first_s = stamp_s
            return 0.0
        steady_s = self._number / self._fps
        t_s = stamp_s - self._first_s
        if t_s > self._t_s:
            self._rising += 1
            # Containers round to a millisecond; a film of a steady rate is told from its rate.
            self._t_s = steady_s if abs(t_s - steady_s) < 1e-3 and steady_s > self._t_s else t_s
        else:
            self._t_s = steady_s if self._rising == 0 else self._t_s + 1.0 / self._fps
        return self._t_s
