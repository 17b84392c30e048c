"""All that moves in the picture now: follows it, unites pieces, and reports what passed the line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.line_crossing import passages
from telstraat_device.counting.foreground.blobs import MAX_BLOBS
from telstraat_device.counting.tracking.assignment import follow
from telstraat_device.counting.tracking.fragments import join
from telstraat_device.counting.tracking.measure_track import MEDIANS
from telstraat_device.counting.tracking.track_table import (
    ALIVE,
    DARK_SHARE,
    HISTORY,
    HISTORY_COLUMNS,
    MAX_EVENTS,
    MAX_TRACKS,
    NOW_DT,
    NOW_T,
    PENDING,
    STILL_S,
    TRACK_COLUMNS,
    H,
    Table,
    W,
    X,
    Y,
)

STILL_AFTER_S = 1.0
RECENT = 32
DARK_SHARES = {"night": 1.0, "dusk": 0.5}
AREA_MIN = 0.0009  # of the picture: a crossing smaller than this is no object


class Tracks:
    """The objects in the picture; `table` has a row a track, living where its ALIVE is not 0.

    Parameters
    ----------
    line : float64 (5,)
        x1, y1, x2, y2 and length of the counting line in working pixels.
    width, height : int
        Working size.
    """

    def __init__(self, line: NDArray[np.float64], width: int, height: int) -> None:
        self.table: Table = np.zeros((MAX_TRACKS, TRACK_COLUMNS))
        self.events: Table = np.zeros((MAX_EVENTS, TRACK_COLUMNS))
        self._line = line
        self._frame: Table = np.array([0.0, 0.0, 1.0, width, height, AREA_MIN * width * height, 0.0], np.float64)
        self._recent: Table = np.zeros((RECENT, TRACK_COLUMNS))
        self._history: Table = np.zeros((MAX_TRACKS, HISTORY, HISTORY_COLUMNS))
        self._scratch: Table = np.zeros((MEDIANS, HISTORY))
        self._blob_of: Table = np.zeros(MAX_TRACKS, np.int32)
        self._claims: Table = np.zeros(MAX_BLOBS, np.int32)

    def follow(
        self, blobs: Table, count: int, before: Table, now: Table, t_s: float, dt_s: float, light: str = "day"
    ) -> int:
        """Move on by one frame; return how many passages were decided (`events[:n]`, refused ones included).

        blobs : float64 (MAX_BLOBS, columns), `count` of them in use; before, now : uint8 (pixels,), working pictures;
        light : what the view says, "night" for instance.
        """
        self._frame[NOW_T], self._frame[NOW_DT] = t_s, dt_s
        self._frame[DARK_SHARE] = DARK_SHARES.get(light, 0.0)
        gaps = self._scratch.ravel().view(np.uint16)
        follow(self.table, blobs, count, self._frame, before, now, self._history, self._blob_of, self._claims, gaps)
        join(self.table, self._blob_of, dt_s)
        return passages(self.table, self._line, self._frame, self._recent, self._history, self._scratch, self.events)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in the order in which `moves` knows where they lie."""
        tables = (self.table, self.events, self._line, self._frame, self._recent, self._history)
        return (*tables, self._scratch, self._blob_of, self._claims)

    def end_all_but_waiting(self) -> None:
        """End the tracks without a passage that waits, and let no passage wait longer."""
        waiting = self.table[:, PENDING] != 0.0
        self.table[~waiting, ALIVE] = 0.0
        self._frame[NOW_T] += 1e6
        self._frame[NOW_DT] = 0.0

    def finish(self) -> int:
        """Decide the passages that still wait; return how many (`events[:n]`)."""
        self.end_all_but_waiting()
        return passages(self.table, self._line, self._frame, self._recent, self._history, self._scratch, self.events)

    def forget(self) -> None:
        """End all tracks: the picture is not the one they were seen in."""
        self.table[:, ALIVE] = 0.0

    def still(self) -> NDArray[np.float64]:
        """Return the boxes (x0, y0, x1, y1) of what never moved from where it appeared."""
        rows = self.table[(self.table[:, ALIVE] != 0.0) & (self.table[:, STILL_S] > STILL_AFTER_S)]
        half_w, half_h = rows[:, W] / 2, rows[:, H] / 2
        return np.stack([rows[:, X] - half_w, rows[:, Y] - half_h, rows[:, X] + half_w, rows[:, Y] + half_h], axis=1)
