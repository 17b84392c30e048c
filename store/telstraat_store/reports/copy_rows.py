"""One report as a row of PostgreSQL's binary COPY. Packed by hand: it is half of what a report costs ingest."""

from __future__ import annotations

import struct
from datetime import datetime

from telstraat_contract.messages import Report
from telstraat_contract.road_users import SPEED_BINS

COPY = """
copy stage (ordinal, sensor_id, epoch_no, seq, period_start, flags, observed_s,
    pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt, motorcycle_lft, motorcycle_rgt,
    car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt,
    pedestrian_conf, bike_conf, car_conf, heavy_conf, light, car_speed) from stdin (format binary)
"""
STAGE = """
create temp table if not exists stage (
    ordinal integer, sensor_id integer, epoch_no smallint, seq integer, period_start timestamptz, flags integer,
    observed_s smallint, pedestrian_lft smallint, pedestrian_rgt smallint, bike_lft smallint, bike_rgt smallint,
    motorcycle_lft smallint, motorcycle_rgt smallint, car_lft smallint, car_rgt smallint, heavy_lft smallint,
    heavy_rgt smallint, night_lft smallint, night_rgt smallint, pedestrian_conf smallint, bike_conf smallint,
    car_conf smallint, heavy_conf smallint, light "char", car_speed smallint[]
) on commit delete rows
"""
NO_CONFIDENCE = -1  # in the stage only: the table has null
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)

_EPOCH_2000_S = 946_684_800  # PostgreSQL counts from 2000-01-01
_SMALLINT_OID = 21
_LIGHT = {"unknown": b"u", "day": b"d", "dusk": b"k", "night": b"n"}
_HEAD = struct.Struct("!h" + "ii" + "ii" + "ih")
_FIXED = struct.Struct("!" + "ii" + "iq" + "ii" + "ih" + "ih" * 12 + "ih" * 4 + "ic")
_SPEED = struct.Struct("!iiiiii" + "ih" * SPEED_BINS)
_NO_SPEED = struct.pack("!i", -1)
_SPEED_HEAD = (20 + 6 * SPEED_BINS, 1, 0, _SMALLINT_OID, SPEED_BINS, 1)


def period_start_s(at_utc: datetime) -> int:
    """Return the seconds since 1970 of the start of a quarter."""
    return int(at_utc.timestamp())


def head(ordinal: int, sensor_id: int, epoch_no: int) -> bytes:
    """Return what of a row only the database's ids tell: its place in the batch, its sensor, its epoch."""
    return _HEAD.pack(25, 4, ordinal, 4, sensor_id, 2, epoch_no)


def measured(report: Report) -> bytes:
    """Return what of a row the report alone tells. Head and this are one row for the COPY above."""
    start_s = period_start_s(report.period_start)
    c, sure = report.counts, report.confidence
    ped, bike, moto, car, heavy, night = c.pedestrian, c.bike, c.motorcycle, c.car, c.heavy, c.night
    fixed = _FIXED.pack(
        4, report.seq, 8, (start_s - _EPOCH_2000_S) * 1_000_000,
        4, report.flags, 2, report.observed_s,
        2, ped.lft, 2, ped.rgt, 2, bike.lft, 2, bike.rgt, 2, moto.lft, 2, moto.rgt,
        2, car.lft, 2, car.rgt, 2, heavy.lft, 2, heavy.rgt, 2, night.lft, 2, night.rgt,
        2, -1 if sure.pedestrian is None else sure.pedestrian, 2, -1 if sure.bike is None else sure.bike,
        2, -1 if sure.car is None else sure.car, 2, -1 if sure.heavy is None else sure.heavy,
        1, _LIGHT[report.light],
    )  # fmt: skip
    if report.car_speed is None:
        return fixed + _NO_SPEED
    bins = [2] * (2 * SPEED_BINS)
    bins[1::2] = report.car_speed
    return fixed + _SPEED.pack(*_SPEED_HEAD, *bins)
