"""Tracks all that moves from frame to frame, and decides what crossed the line, in one call of machine code a frame.

blobs -> predict_and_assign -> merge_fragments -> find_crossings -> events
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.line import CountingLine
from telstraat_device.counting.crossings.line_crossing import find_crossings
from telstraat_device.counting.foreground.blobs import BLOB
from telstraat_device.counting.tracking.assignment import predict_and_assign
from telstraat_device.counting.tracking.fragments import merge_fragments
from telstraat_device.counting.tracking.state import TRACKER_STATE, Pictures, TrackerState
from telstraat_device.counting.tracking.track import Side
from telstraat_device.native.kernel import Address, address, entry, kernel
from telstraat_device.native.record import scalar
from telstraat_device.native.simd import carray, pointer

STILL_AFTER_S = 1.0
DARK_SHARES = {"night": 1.0, "dusk": 0.5}
AREA_MIN = 0.0009  # of the picture: a crossing smaller than this is no object
END_OF_TIME_S = 1e6  # later than any crossing may wait


@kernel
def tracker_at(state: Address) -> TrackerState:
    """View the record of a tracker."""
    return carray(pointer(state), (1,), TRACKER_STATE)[0]  # type: ignore[no-any-return]


@kernel
def note_living(state: TrackerState) -> None:
    """Count the living tracks, and note for how long the stillest of them has stood."""
    living, still_s = 0, 0.0
    for i in range(len(state.tracks)):
        if state.tracks[i].alive:
            living += 1
            still_s = max(still_s, state.tracks[i].still_s)
    state.living, state.still_longest_ms = living, int(1000.0 * still_s)


@entry
def track_frame(
    state: Address, blobs: Address, count: int, previous: Address, current: Address, t_s: float, dt_s: float
) -> int:
    """Move all tracks on by one frame; return how many crossings were decided.

    blobs : BLOB (count,); previous, current : the working pictures; t_s, dt_s : time of the frame, and since the last.
    """
    tracker = tracker_at(state)
    tracker.t_s, tracker.dt_s = t_s, dt_s
    pixels = tracker.width * tracker.height
    pictures = Pictures(
        carray(pointer(previous), (pixels,), np.uint8),
        carray(pointer(current), (pixels,), np.uint8),
        tracker.width,
        tracker.height,
    )
    predict_and_assign(tracker, carray(pointer(blobs), (count,), BLOB), pictures)
    merge_fragments(tracker)
    events = find_crossings(tracker)
    note_living(tracker)
    return events


@entry
def decide_waiting(state: Address) -> int:
    """End all tracks, and decide the crossings that still wait; return how many."""
    tracker = tracker_at(state)
    for i in range(len(tracker.tracks)):
        if tracker.tracks[i].pending == Side.NONE:
            tracker.tracks[i].alive = False
    tracker.t_s, tracker.dt_s = tracker.t_s + END_OF_TIME_S, 0.0
    return find_crossings(tracker)


class Tracker:
    """The tracks of one camera, moved on by one call a frame.

    Parameters
    ----------
    line : CountingLine
        In pixels of the frame.
    factor : int
        How many of these are one working pixel, in each direction.
    width, height : int
        Of the working picture.

    Attributes
    ----------
    state : TRACKER_STATE (1,)
    """

    def __init__(self, line: CountingLine, factor: int, width: int, height: int) -> None:
        self.state: NDArray[Any] = np.zeros(1, TRACKER_STATE)
        ends = line.x1, line.y1, line.x2, line.y2, line.length_px
        self.state["line"] = tuple(value / factor for value in ends)
        self.state["width"], self.state["height"] = width, height
        self.state["area_min"] = AREA_MIN * width * height
        self.state["next_id"] = 1
        self._address = address(self.state)
        self._dark_share, self._living = scalar(self.state, "dark_share"), scalar(self.state, "living")
        self._still_longest_ms = scalar(self.state, "still_longest_ms")

    @property
    def tracks(self) -> NDArray[Any]:
        """The living tracks: TRACK (n,), a copy."""
        tracks = self.state["tracks"][0]
        return np.asarray(tracks[tracks["alive"]])

    @property
    def events(self) -> NDArray[Any]:
        """TRACK (MAX_EVENTS,): tracks whose crossing was decided by the last call, as many as it returned."""
        return np.asarray(self.state["events"][0])

    def update(
        self, blobs: Address, count: int, pictures: tuple[Address, Address], t_s: float, dt_s: float, light: str
    ) -> int:
        """Move on by a frame with so many blobs; return how many crossings were decided, rejected ones included.

        blobs : address of BLOB (count,); pictures : addresses of the previous and the current working picture; light :
        that of the view, "night" for instance.
        """
        if count == 0 and self._living[0] == 0:
            return 0
        self._dark_share[0] = DARK_SHARES.get(light, 0.0)
        return track_frame(self._address, blobs, count, *pictures, float(t_s), float(dt_s))

    def finish(self) -> int:
        """Decide the crossings that still wait; return how many."""
        return decide_waiting(self._address)

    def forget(self) -> None:
        """End all tracks: the picture is not the one that they were found in."""
        self.state["tracks"]["alive"] = False

    def has_still_tracks(self) -> bool:
        """Return whether a track has not moved for STILL_AFTER_S, in whole milliseconds."""
        return bool(self._still_longest_ms[0] > 1000.0 * STILL_AFTER_S)

    def still_boxes(self) -> NDArray[np.float64]:
        """Return the boxes (x0, y0, x1, y1) of the tracks that never moved from where they appeared."""
        tracks = self.tracks
        still = tracks[tracks["still_s"] > STILL_AFTER_S]
        half_w, half_h = still["w"] / 2, still["h"] / 2
        return np.stack([still["x"] - half_w, still["y"] - half_h, still["x"] + half_w, still["y"] + half_h], axis=1)
