"""One report as a row of PostgreSQL's binary COPY. Packed by hand: it is half of what a report costs ingest."""

from __future__ import annotations

import struct
from datetime import datetime
from operator import attrgetter

from telstraat_contract.messages import Report
from telstraat_contract.road_users import (
    CLASSES,
    CONFIDENCE_COLUMNS,
    COUNT_COLUMNS,
    COUNTED,
    DIRECTIONS,
    SPEED_BINS,
)

STAGED = {
    "ordinal": "integer", "sensor_id": "integer", "epoch_no": "smallint", "seq": "integer", "period_start": "timestamptz",
    "flags": "integer", "observed_s": "smallint", **dict.fromkeys((*COUNT_COLUMNS, *CONFIDENCE_COLUMNS), "smallint"),
    "light": '"char"', "car_speed": "smallint[]",
}  # fmt: skip
"""The columns of the stage, in the order of its rows."""
COPY = f"copy stage ({', '.join(STAGED)}) from stdin (format binary)"
STAGE = (
    f"create temp table if not exists stage ({', '.join(f'{n} {t}' for n, t in STAGED.items())}) on commit delete rows"
)
NO_CONFIDENCE = -1  # in the stage only: the table has null
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)

EPOCH_2000_S = 946_684_800  # PostgreSQL counts from 2000-01-01
_SMALLINT_OID = 21
LIGHT_LETTERS = {"unknown": b"u", "day": b"d", "dusk": b"k", "night": b"n"}
_HEAD = struct.Struct("!h" + "ii" + "ii" + "ih")
_FIXED = struct.Struct(
    "!" + "ii" + "iq" + "ii" + "ih" + "ih" * len(COUNT_COLUMNS) + "ih" * len(CONFIDENCE_COLUMNS) + "ic"
)
_NUMBERS = [2] * (2 * (len(COUNT_COLUMNS) + len(CONFIDENCE_COLUMNS)))
"""Counts and confidences as they are packed: each behind its length, two bytes."""
_counts_of = attrgetter(*(f"{name}.{direction}" for name in COUNTED for direction in DIRECTIONS))
_confidence_of = attrgetter(*CLASSES)
_SPEED = struct.Struct("!iiiiii" + "ih" * SPEED_BINS)
_NO_SPEED = struct.pack("!i", -1)
SPEED_HEAD = (20 + 6 * SPEED_BINS, 1, 0, _SMALLINT_OID, SPEED_BINS, 1)


def period_start_s(at_utc: datetime) -> int:
    """Return the seconds since 1970 of the start of a quarter."""
    return int(at_utc.timestamp())


def head(ordinal: int, sensor_id: int, epoch_no: int) -> bytes:
    """Return what of a row only the database's ids tell: its place in the batch, its sensor, its epoch."""
    return _HEAD.pack(len(STAGED), 4, ordinal, 4, sensor_id, 2, epoch_no)


def measured(report: Report) -> bytes:
    """Return what of a row the report alone tells. Head and this are one row for the COPY above."""
    start_s = period_start_s(report.period_start)
    numbers = _NUMBERS.copy()
    numbers[1 : 2 * len(COUNT_COLUMNS) : 2] = _counts_of(report.counts)
    confidence = _confidence_of(report.confidence)
    numbers[2 * len(COUNT_COLUMNS) + 1 :: 2] = [NO_CONFIDENCE if percent is None else percent for percent in confidence]
    fixed = _FIXED.pack(
        4, report.seq, 8, (start_s - EPOCH_2000_S) * 1_000_000,
        4, report.flags, 2, report.observed_s, *numbers, 1, LIGHT_LETTERS[report.light],
    )  # fmt: skip
    if report.car_speed is None:
        return fixed + _NO_SPEED
    bins = [2] * (2 * SPEED_BINS)
    bins[1::2] = report.car_speed
    return fixed + _SPEED.pack(*SPEED_HEAD, *bins)
