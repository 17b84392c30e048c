"""One frame from its blobs to what was decided about passages, in one call of machine code.

blobs -> follow -> join -> passages -> events
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.line_crossing import passages
from telstraat_device.counting.foreground.blobs import BLOB_COLUMNS, MAX_BLOBS
from telstraat_device.counting.foreground.segmenter import PREVIOUS, SMALL, Sight
from telstraat_device.counting.tracking.assignment import GAPS, follow
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
    STILL_S,
    TRACK_COLUMNS,
)
from telstraat_device.counting.tracking.tracks import DARK_SHARES, STILL_AFTER_S, Tracks
from telstraat_device.native.kernel import address, entry, kernel
from telstraat_device.native.simd import carray, pointer

# what each place of the array says: addresses of tables, of the blobs and of the two pictures; how many pixels they
# have; tracks that live, and how long the stillest of them has stood
(TABLE, EVENTS, LINE, FRAME, RECENT, HISTORIES, SCRATCH, BLOB_OF, CLAIMS) = range(9)
(BLOBS, BEFORE, NOW, PIXELS, FRAME_SIZE, RECENT_SIZE, LIVE, STILL_MS) = range(9, 17)
PLACES = 17


@kernel
def table_at(place: int, rows: int, columns: int) -> Any:
    """Return what lies at an address as a table."""
    return carray(pointer(place), (rows, columns), np.float64)


@kernel
def decide(at: Any) -> int:
    """Let tracks cross the line; return how many passages were decided."""
    return passages(
        table_at(at[TABLE], MAX_TRACKS, TRACK_COLUMNS),
        carray(pointer(at[LINE]), (5,), np.float64),
        carray(pointer(at[FRAME]), (at[FRAME_SIZE],), np.float64),
        table_at(at[RECENT], at[RECENT_SIZE], TRACK_COLUMNS),
        carray(pointer(at[HISTORIES]), (MAX_TRACKS, HISTORY, HISTORY_COLUMNS), np.float64),
        table_at(at[SCRATCH], MEDIANS, HISTORY),
        table_at(at[EVENTS], MAX_EVENTS, TRACK_COLUMNS),
    )


@entry
def move(at: Any, _picture: int, count: int, t_s: float, dt_s: float) -> int:
    """Move all tracks on by one frame with so many blobs; return how many passages were decided."""
    tracks = table_at(at[TABLE], MAX_TRACKS, TRACK_COLUMNS)
    frame = carray(pointer(at[FRAME]), (at[FRAME_SIZE],), np.float64)
    frame[NOW_T], frame[NOW_DT] = t_s, dt_s
    history = carray(pointer(at[HISTORIES]), (MAX_TRACKS, HISTORY, HISTORY_COLUMNS), np.float64)
    blob_of = carray(pointer(at[BLOB_OF]), (MAX_TRACKS,), np.int32)
    claims = carray(pointer(at[CLAIMS]), (MAX_BLOBS,), np.int32)
    before = carray(pointer(at[BEFORE]), (at[PIXELS],), np.uint8)
    now = carray(pointer(at[NOW]), (at[PIXELS],), np.uint8)
    gaps = carray(pointer(at[SCRATCH]), (GAPS,), np.uint16)
    blobs = table_at(at[BLOBS], MAX_BLOBS, BLOB_COLUMNS)
    follow(tracks, blobs, count, frame, before, now, history, blob_of, claims, gaps)
    join(tracks, blob_of, dt_s)
    done = decide(at)
    live, still_s = 0, 0.0
    for i in range(MAX_TRACKS):
        if tracks[i, ALIVE] != 0.0:
            live += 1
            still_s = max(still_s, tracks[i, STILL_S])
    at[LIVE], at[STILL_MS] = live, int(1000.0 * still_s)
    return done


@entry
def close(at: Any, _picture: int, _whole: int, _first: float, _second: float) -> int:
    """Decide what waits, at the time that the frame's row says; return how many passages."""
    return decide(at)


class Moves:
    """The tracks of one camera, moved on by one call a frame.

    Parameters
    ----------
    tracks : Tracks
        Whose tables are worked on.
    blobs : float64 (MAX_BLOBS, columns)
        The blobs of the frame.
    pixels : int
        Pixels of the working picture.
    """

    def __init__(self, tracks: Tracks, blobs: NDArray[np.float64], pixels: int) -> None:
        self._tracks = tracks
        self.at: NDArray[np.int64] = np.zeros(PLACES, np.int64)
        tables = tracks.tables
        self._frame = tables[FRAME]
        self.at[: len(tables)] = [address(table) for table in tables]
        self.at[BLOBS], self.at[PIXELS] = address(blobs), pixels
        self.at[FRAME_SIZE], self.at[RECENT_SIZE] = self._frame.size, len(tables[RECENT])
        self._numbers = self.at.data
        self._move, self._close = move(self.at), close(self.at)

    def follow(self, sight: Sight, count: int, t_s: float, dt_s: float, light: str) -> int:
        """Move on by the frame that was seen, with so many blobs; return how many passages were decided."""
        return self.follow_between(sight.numbers[PREVIOUS], sight.numbers[SMALL], count, t_s, dt_s, light)

    def follow_between(self, before: int, now: int, count: int, t_s: float, dt_s: float, light: str) -> int:
        """Do the same with the blobs of any picture; before, now : addresses of it and of the one before."""
        at = self._numbers
        if count == 0 and at[LIVE] == 0:
            return 0
        at[BEFORE], at[NOW] = before, now
        self._frame[DARK_SHARE] = DARK_SHARES.get(light, 0.0)
        return self._move(0, count, float(t_s), float(dt_s))

    def some_are_still(self) -> bool:
        """Tell whether a track has not moved for STILL_AFTER_S."""
        return self._numbers[STILL_MS] > 1000.0 * STILL_AFTER_S

    def finish(self) -> int:
        """Decide the passages that still wait; return how many."""
        self._tracks.end_all_but_waiting()
        return self._close(0, 0, 0.0, 0.0)
