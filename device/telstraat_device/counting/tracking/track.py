"""What is known of each object in the picture, as records that the tracking kernels work on.

Positions and sizes are working pixels, speeds working pixels per second, times seconds of the source.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from enum import IntEnum
from typing import Annotated

import numpy as np

from telstraat_device.native.record import layout

HISTORY = 40  # appearances that a track remembers: over a second at 25 frames per second


class Side(IntEnum):
    """A side of the counting line, for one who looks from its first point to its second: LEFT has negative distances."""

    LEFT = -1
    NONE = 0
    RIGHT = 1


class Rejection(IntEnum):
    """Why a crossing does not count, if it does not."""

    NONE = 0
    STATIONARY = 1
    TOO_SMALL = 2
    FRAGMENT = 3
    STREAK_OF_LIGHT = 4


# Borders of the picture that a box touches, as flags of `Appearance.border`.
BORDER_LEFT, BORDER_TOP, BORDER_RIGHT, BORDER_BOTTOM = 1, 2, 4, 8


class Appearance:
    """The box without shadow of a track in one frame in which it was alone in its blob."""

    t_s: float
    x: float  # middle
    y: float
    w: float
    h: float
    fill: float  # share of the box, shadow included, that is foreground
    cut_left: float  # by how much the shadow was wider than the box, on each side
    cut_top: float
    cut_right: float
    cut_bottom: float
    border: int  # BORDER_* flags


class BoxAtLine:
    """Box and speed of a track at the moment in which it crossed, as tracked: shadow included."""

    x: float
    y: float
    w: float
    h: float
    area: float
    vx: float
    vy: float


class Measurement:
    """Box and speed of a track at the line without its shadow, from the frames around the crossing."""

    appearances: int  # whole and alone in its blob: what sizes are measured in
    x: float
    y: float
    w: float
    h: float
    vx: float
    vy: float
    foot: float  # lower edge
    v_foot: float
    fill: float  # share of the box that is foreground
    wobble: float  # how much the width changes beside growing evenly, over its mean: legs do, bodywork does not
    growth: float  # of the height, as a share per second
    growth_error: float  # its standard error; 0 while growth is unknown
    cut_left: float  # what was cut off the box as shadow
    cut_top: float
    cut_right: float
    cut_bottom: float


APPEARANCE = layout(Appearance)
BOX_AT_LINE = layout(BoxAtLine)
MEASUREMENT = layout(Measurement)


class Track:
    """An object that is followed from frame to frame."""

    alive: bool
    id: int
    x: float  # middle of its box
    y: float
    w: float
    h: float
    vx: float
    vy: float
    area: float  # foreground pixels
    age_s: float
    frames: int  # in which it was found alone in its blob
    missed_s: float  # since it was last found
    alone_s: float  # for how long it was alone in its blob
    merged_s: float  # for how long it shared one
    birth_x: float
    birth_y: float
    moving: float  # share of its pixels that change from frame to frame, smoothed
    moving_max: float
    still_s: float
    side: Annotated[int, np.int8]  # Side that it surely is on
    first_side: Annotated[int, np.int8]
    distance: float  # signed distance from the line in the last frame; 0 is unknown
    on_line_s: float  # when its middle was on the line; 0 is never
    on_line_along: float  # where along the line, 0 to 1
    pending: Annotated[int, np.int8]  # Side that it crossed to, while that waits to be reported
    pending_s: float  # when it crossed
    crossed: Annotated[int, np.int8]  # Side that it last crossed to
    crossed_s: float
    rejection: Annotated[int, np.int8]  # Rejection of its last crossing
    fragment_of: int  # id of the track that it may be a fragment of
    fragment_s: float  # for how long it has looked like one
    history_count: int  # appearances so far, of which the last HISTORY are in its history
    at_line: Annotated[BoxAtLine, BOX_AT_LINE]
    measured: Annotated[Measurement, MEASUREMENT]


TRACK = layout(Track)
Tracks = MutableSequence[Track]  # what kernels see of an array of TRACK
