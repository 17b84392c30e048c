"""The columns of the table of tracks: all that is known of each object in the picture, a row an object.

Positions and sizes are working pixels, speeds working pixels a second, times seconds.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Table = NDArray[Any]  # float64 (rows, columns) unless told otherwise

MAX_TRACKS = 96
MAX_EVENTS = 64

# where it is: middle and size of its box, speed, area of its foreground
ALIVE, ID, X, Y, W, H, VX, VY, AREA = range(9)
# how long it is known: since it appeared, frames found, seconds not found, alone in its blob, sharing one
AGE, SEEN, MISSED, OWN_S, MERGED_S, BIRTH_X, BIRTH_Y = range(9, 16)
# whether it moves: share of changed pixels now and at most, seconds without any
MOVING, MOVED, STILL_S = range(16, 19)
# the line: side it is surely on, side it first was on, distance now, when and where along the line it was zero
ARMED, FIRST_ARMED, SIDE, ZERO_T, ZERO_ALONG = range(19, 24)
# a crossing that waits to be reported, the last one, and why it was refused in favour of which track
PENDING, PENDING_T, PENDING_ALONG, CROSSED, CROSSED_T, REFUSED, OTHER = range(24, 31)
# box and speed at the line as tracked, and without shadow from the frames around it in which it was alone;
# the wobble is how much the width changes beside growing evenly: legs do, bodywork does not
LINE_W, LINE_H, LINE_AREA, LINE_VX, LINE_VY, LINE_X, LINE_Y = range(31, 38)
SOLID_W, SOLID_H, SOLID_VX, SOLID_VY, SOLID_X, SOLID_Y, SOLID_N, SOLID_FILL, SOLID_WOBBLE = range(38, 47)
# the track it may be a piece of, and for how long; frames in its history
JOIN_ID, JOIN_S, HISTORY_N = range(47, 50)
# at the line: its lower edge and that one's speed, how its height grows, and what was cut off its box as shadow
FOOT, FOOT_V, GROWTH, GROWTH_ERROR, CUT_LEFT, CUT_TOP, CUT_RIGHT, CUT_BOTTOM = range(50, 58)
TRACK_COLUMNS = 58

COUNTED, STILL, SMALL, PIECE, STREAK_OF_LIGHT = range(5)  # values of REFUSED

# columns of a track's history, a row a frame in which it was alone
AT_T, AT_X, AT_Y, AT_W, AT_H, AT_AREA, AT_BORDER = range(7)  # the border: 1 left, 2 top, 4 right, 8 below, added up
AT_FILL, AT_CUT_LEFT, AT_CUT_TOP, AT_CUT_RIGHT, AT_CUT_BOTTOM = range(7, 12)
HISTORY_COLUMNS = 12
HISTORY = 40

# the state that a frame brings: time, time since the last, next track number, size of the picture, smallest crossing,
# and up to which share of the larger what crosses with it in the dark is a piece of it (0 by day)
NOW_T, NOW_DT, NEXT_ID, WIDTH, HEIGHT, SMALLEST, DARK_SHARE = range(7)
