"""Plausible reports of many sensors, made in bulk and loaded in the order in which they would arrive."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from telstraat_contract.quarters import quarter_start

EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
COUNTS = 12
BINS = 25
LEVEL = (6, 6, 5, 5, 0.3, 0.3, 40, 38, 4, 4, 0, 0)
"""Crossings a quarter at noon in a usual street, in the order of the columns."""
BLOCK_ROWS = 50_000
COPY = """
copy report (period_start, received_at, sensor_id, seq, flags, epoch_no, observed_s, pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt,
    motorcycle_lft, motorcycle_rgt, car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt, pedestrian_conf, bike_conf,
    car_conf, heavy_conf, light, car_speed) from stdin (format binary)
"""
NAMES = ["period", "received", "sensor", "seq", "flags", "epoch", "observed", *(f"c{n}" for n in range(COUNTS)),
         *(f"conf{n}" for n in range(4))]  # fmt: skip
TYPES = [">i8", ">i8", ">i4", ">i4", ">i4", ">i2", ">i2", *[">i2"] * (COUNTS + 4)]
ROW = np.dtype(
    [("fields", ">i2")]
    + [part for name, kind in zip(NAMES, TYPES, strict=True) for part in ((f"{name}_n", ">i4"), (name, kind))]
    + [("light_n", ">i4"), ("light", "S1"), ("speed_n", ">i4"), ("speed_head", ">i4", (5,))]
    + [part for n in range(BINS) for part in ((f"b{n}_n", ">i4"), (f"b{n}", ">i2"))]
)
# Short lines in rows of a hundred, north to south, some 100 m apart.
SEGMENTS = """
insert into segment (name, geometry) select 'street ' || n, jsonb_build_object('type', 'LineString', 'coordinates',
    jsonb_build_array(jsonb_build_array(4.0 + (n %% 100) * 0.0015, 50.5 + n / 100 * 0.001),
        jsonb_build_array(4.001 + (n %% 100) * 0.0015, 50.5 + n / 100 * 0.001)))
from generate_series(1, %s) n
"""


def block(
    start: datetime, quarters: int, first_seq: int, busy: NDArray[np.float64], random: np.random.Generator
) -> bytes:
    """Return the rows of some quarters, in the order of arrival, for a binary COPY; `busy` is each sensor's share of usual."""
    sensors = len(busy)
    count = quarters * sensors
    rows: NDArray[Any] = np.zeros(count, ROW)
    for name, kind in zip([*NAMES, "light"], [*TYPES, "S1"], strict=True):
        rows[f"{name}_n"] = np.dtype(kind).itemsize
    number = np.repeat(np.arange(quarters), sensors)
    rows["fields"] = len(NAMES) + 2
    rows["period"] = int((start - EPOCH_2000).total_seconds()) * 1_000_000 + number * 900_000_000
    rows["received"] = rows["period"] + 900_000_000 + random.integers(0, 60_000_000, count)
    rows["sensor"] = np.tile(np.arange(1, sensors + 1), quarters)
    rows["seq"] = first_seq + number
    rows["epoch"] = 1
    rows["observed"] = np.where(random.random(count) < 0.9, 900, random.integers(0, 900, count))
    hour = (start.hour + start.minute / 60 + number / 4) % 24
    by_day = np.clip(np.sin((hour - 6) / 16 * np.pi), 0, None) * np.tile(busy, quarters)
    dark = by_day <= 0
    for at, level in enumerate(LEVEL):
        rows[f"c{at}"] = random.poisson(level * by_day)
    for at in (10, 11):
        rows[f"c{at}"] = np.where(dark, random.poisson(1.5, count), 0)
    for at, sure in enumerate((88, 79, 95, 70)):
        rows[f"conf{at}"] = sure + random.integers(-4, 5, count)
    rows["light"] = np.where(dark, b"n", b"d")
    cars = (rows["c6"] + rows["c7"]).astype(float)
    shape = np.exp(-0.5 * ((np.arange(BINS) - 7) / 2.0) ** 2)
    speeds = random.poisson(cars[:, None] * (shape / shape.sum())[None, :])
    rows["speed_n"] = 20 + 6 * BINS
    rows["speed_head"] = (1, 0, 21, BINS, 1)
    for at in range(BINS):
        rows[f"b{at}_n"], rows[f"b{at}"] = 2, speeds[:, at]
    return rows.tobytes()


def register(connection: psycopg.Connection, sensors: int, start: datetime, end: datetime) -> None:
    """Write the streets, the sensors that stand there, and how far their streams are."""
    connection.execute(SEGMENTS, (sensors,))
    connection.execute("insert into sensor (name) select 'sensor-' || n from generate_series(1, %s) n", (sensors,))
    connection.execute(
        "insert into installation (sensor_id, segment_id, from_at) select sensor_id, 1000 + sensor_id, %s from sensor",
        (start,),
    )
    connection.execute(
        "insert into stream (sensor_id, epoch_no, epoch, seen, first_at, last_at) select sensor_id, 1, sensor_id, %s, %s, %s"
        " from sensor",
        (int((end - start).total_seconds()) // 900, start, end),
    )
    connection.execute("insert into sensor_health (sensor_id, online) select sensor_id, true from sensor")
    connection.execute(
        "select make_report_partition(month) from generate_series(%s::timestamptz, %s + interval '1 month', interval '20 days') month",
        (start, end),
    )
    connection.execute("truncate rollup_dirty")


def load(connection: psycopg.Connection, sensors: int, days: float) -> tuple[int, float, datetime]:
    """Fill a migrated database up to now; return rows, rows a second and the end."""
    end = quarter_start(datetime.now(UTC))
    quarters = int(days * 96)
    start = end - quarters * timedelta(minutes=15)
    register(connection, sensors, start, end)
    random = np.random.default_rng(7)
    busy = random.gamma(2, 0.5, sensors)
    step = max(1, BLOCK_ROWS // sensors)
    began_s = time.perf_counter()
    for first in range(0, quarters, step):
        some = min(step, quarters - first)
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            copy.write(block(start + first * timedelta(minutes=15), some, first + 1, busy, random))
            copy.write(b"\xff\xff")
    return quarters * sensors, quarters * sensors / (time.perf_counter() - began_s), end
