"""The memory of a tracker: one record that holds all its tracks, and what the current frame brings."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.line import WORKING_LINE, WorkingLine
from telstraat_device.counting.foreground.blobs import MAX_BLOBS
from telstraat_device.counting.tracking.track import APPEARANCE, HISTORY, TRACK, Track
from telstraat_device.native.record import layout

MAX_TRACKS = 96
MAX_EVENTS = 64  # crossings decided in one frame
RECENT = 32  # crossings that counted, remembered to recognise their fragments

SEARCH_PX = 3  # block matching looks so far around the prediction
MOVES = 2 * SEARCH_PX + 1
MOVES_PADDED = 8  # in a row of sums: one vector

MEDIANS = 7  # columns of which the median is taken: width, height, fill, and the four cuts


class TrackerState:
    """Everything that a camera's tracker knows."""

    line: Annotated[WorkingLine, WORKING_LINE]
    width: int  # of the working picture
    height: int
    area_min: float  # of what crosses, in pixels
    t_s: float  # of the frame
    dt_s: float  # since the frame before
    dark_share: float  # up to which share of the larger's area something may be part of it in the dark; 0 by day
    next_id: int
    living: int  # tracks
    still_longest_ms: int  # for how long the stillest of them has stood
    tracks: Annotated[MutableSequence[Track], (TRACK, MAX_TRACKS)]
    history: Annotated[Any, (APPEARANCE, (MAX_TRACKS, HISTORY))]  # appearance n of a track is in column n % HISTORY
    events: Annotated[MutableSequence[Track], (TRACK, MAX_EVENTS)]  # tracks whose crossing was decided in this frame
    recent: Annotated[MutableSequence[Track], (TRACK, RECENT)]  # tracks that counted, by id % RECENT
    blank: Annotated[Track, TRACK]  # what a track starts as
    blob_of: Annotated[NDArray[np.int32], (np.int32, MAX_TRACKS)]  # index of the blob assigned to each track, or -1
    tracks_of: Annotated[NDArray[np.int32], (np.int32, MAX_BLOBS)]  # number of tracks assigned to each blob
    differences: Annotated[NDArray[np.uint16], (np.uint16, MOVES * MOVES_PADDED)]  # of the moves of a block, scratch
    columns: Annotated[NDArray[np.float64], (np.float64, (MEDIANS, HISTORY))]  # of a median, scratch


TRACKER_STATE = layout(TrackerState)


class Pictures(NamedTuple):
    """Two consecutive working pictures, uint8 (height * width)."""

    previous: NDArray[np.uint8]
    current: NDArray[np.uint8]
    width: int
    height: int
