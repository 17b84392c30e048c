"""Streets with counts for the tests: exact rows by hand, or days of plausible traffic from a seed."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg

QUARTER = timedelta(minutes=15)
BRUSSELS = ZoneInfo("Europe/Brussels")
COUNTED = [
    f"{kind}_{way}" for kind in ("pedestrian", "bike", "motorcycle", "car", "heavy", "night") for way in ("lft", "rgt")
]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LINES = [
    ("Lindenstraat", [[4.70050, 50.87790], [4.70190, 50.87815], [4.70320, 50.87860]], 30),
    ("Kerkplein", [[4.70320, 50.87860], [4.70390, 50.87930]], 20),
    ("Stationslaan", [[4.69860, 50.88020], [4.70120, 50.87990], [4.70390, 50.87930]], 50),
    ("Molenweg", [[4.70190, 50.87815], [4.70260, 50.87690], [4.70400, 50.87600]], 30),
]


SIDES = [f"{kind}_{way}" for kind in ("pedestrian", "bike", "car", "heavy") for way in ("lft", "rgt")]


def add_segment(
    connection: psycopg.Connection[Any],
    name: str = "Lindenstraat",
    line: list[list[float]] | None = None,
    timezone: str = "Europe/Brussels",
    limit_kmh: int | None = 30,
) -> int:
    geometry = json.dumps({"type": "LineString", "coordinates": line or LINES[0][1]})
    row = connection.execute(
        "insert into segment (name, geometry, timezone, speed_limit_kmh) values (%s, %s, %s, %s) returning segment_id",
        (name, geometry, timezone, limit_kmh),
    ).fetchone()
    assert row
    return int(row[0])


def add_sensor(
    connection: psycopg.Connection[Any],
    name: str,
    segment_id: int,
    from_at: datetime = LONG_AGO,
    until_at: datetime | None = None,
    online: bool = True,
) -> int:
    row = connection.execute(
        "insert into sensor (name) values (%s) on conflict (name) do update set name = excluded.name returning sensor_id",
        (name,),
    ).fetchone()
    assert row
    connection.execute(
        "insert into installation (sensor_id, segment_id, from_at, until_at) values (%s, %s, %s, %s)",
        (row[0], segment_id, from_at, until_at),
    )
    connection.execute(
        "insert into sensor_health (sensor_id, online) values (%s, %s) on conflict do nothing", (row[0], online)
    )
    return int(row[0])


def add_reports(connection: psycopg.Connection[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert reports; what a row does not say is zero, fully observed, epoch 1."""
    rows = list(rows)
    if not rows:
        return
    names = ["period_start", "received_at", "sensor_id", "seq", "flags", "epoch_no", "observed_s", *COUNTED]
    extra = ["pedestrian_conf", "bike_conf", "car_conf", "heavy_conf", "light", "car_speed"]
    for sensor_id, epoch_no in {(row["sensor_id"], row.get("epoch_no", 1)) for row in rows}:
        connection.execute(
            "insert into stream (sensor_id, epoch_no, epoch, seen) values (%s, %s, %s, %s)"
            " on conflict (sensor_id, epoch_no) do update set seen = greatest(stream.seen, excluded.seen)",
            (sensor_id, epoch_no, 1000 + epoch_no, max(row.get("seq", len(rows)) for row in rows)),
        )
    connection.execute(
        "insert into rollup_dirty (sensor_id, from_at, until_at) select v, %s, %s from unnest(%s::int[]) as v",
        (
            min(row["period_start"] for row in rows),
            max(row["period_start"] for row in rows) + QUARTER,
            list({row["sensor_id"] for row in rows}),
        ),
    )
    months = {row["period_start"].replace(day=1) for row in rows}
    for month in months:
        connection.execute("select make_report_partition(%s)", (month,))
    with connection.cursor() as cursor, cursor.copy(f"copy report ({', '.join(names + extra)}) from stdin") as copy:
        for number, row in enumerate(rows, 1):
            given = {"flags": 0, "epoch_no": 1, "observed_s": 900, "seq": number, "light": "d", **row}
            given.setdefault("received_at", given["period_start"] + QUARTER + timedelta(seconds=20))
            copy.write_row([given.get(name, 0) for name in names] + [given.get(name) for name in extra])


def plausible_days(
    sensor_id: int, first: datetime, end: datetime, seed: int = 1, scale: float = 1.0
) -> list[dict[str, Any]]:
    """Return quarters of a street that wakes up, commutes, shops and sleeps; with a gap and a slow hour."""
    rng = random.Random(seed)
    gap_at = first + (end - first) * 0.62
    rows = []
    at = first
    while at < end:
        local = at.astimezone(BRUSSELS)
        hour = local.hour + local.minute / 60
        weekend = local.weekday() >= 5
        dark = hour < 7.2 or hour > 18.4

        def wave(mid: float, wide: float, hour: float = hour) -> float:
            return math.exp(-(((hour - mid) / wide) ** 2))

        level = {
            "pedestrian": 9 * wave(15, 4.5) + (0 if weekend else 7 * wave(8.2, 0.8)),
            "bike": 7 * wave(14.5, 4) + (2 if weekend else 22 * wave(8.3, 0.9) + 17 * wave(17.2, 1.2)),
            "car": 24 * wave(14, 5) + (0 if weekend else 21 * wave(8.1, 1.1) + 25 * wave(17.3, 1.4)) + 1,
            "heavy": 0.6 + (0 if weekend else 5 * wave(10.5, 3.5)),
        }
        observed = 900 if rng.random() < 0.93 else rng.randint(420, 890)
        if timedelta(0) <= at - gap_at < timedelta(hours=2, minutes=30):
            at += QUARTER
            continue
        row: dict[str, Any] = {"sensor_id": sensor_id, "period_start": at, "observed_s": observed}
        row["light"] = "n" if dark else "d"
        for kind, mean in level.items():
            for way, share in (("lft", 0.55 if hour < 12 else 0.45), ("rgt", 0.45 if hour < 12 else 0.55)):
                mean_here = mean * share * scale * observed / 900
                n = sum(rng.random() < mean_here / 60 for _ in range(60)) if mean_here < 55 else int(mean_here)
                if dark:
                    row[f"night_{way}"] = row.get(f"night_{way}", 0) + (n if kind == "car" else 0)
                    n = n if kind == "car" and rng.random() < 0.2 else n // 4
                row[f"{kind}_{way}"] = n
            row[f"{kind}_conf"] = rng.randint(74, 96) if row[f"{kind}_lft"] + row[f"{kind}_rgt"] else None
        row["motorcycle_lft"] = min(row["bike_lft"], int(rng.random() < 0.2))
        speeds = [0] * 25
        for _ in range(row["car_lft"] + row["car_rgt"]):
            speeds[max(0, min(24, int(rng.gauss(33, 8) // 5)))] += 1
        row["car_speed"] = speeds
        rows.append(row)
        at += QUARTER
    return rows


def a_neighbourhood(connection: psycopg.Connection[Any], end: datetime, days: int = 9) -> list[int]:
    """Fill four streets up to `end`; the last one's sensor is silent since yesterday."""
    results = []
    for number, (name, line, limit) in enumerate(LINES):
        segment = add_segment(connection, name, line, limit_kmh=limit)
        sensor = add_sensor(connection, f"sensor-{number + 1:02}", segment, online=number != 3)
        until = end if number != 3 else end - timedelta(days=1)
        scale = (1.0, 0.5, 1.6, 0.4)[number]
        add_reports(connection, plausible_days(sensor, end - timedelta(days=days), until, seed=number + 1, scale=scale))
        results.append(segment)
    return results


def add_hours(connection: psycopg.Connection[Any], segment_id: int, days: int, cars: int, end: datetime) -> int:
    """Store a sensor's added-up hours before an end, each with so many cars each way at 30 to 35 km/h; return its installation."""
    sensor = add_sensor(connection, f"hours-{segment_id}", segment_id)
    row = connection.execute("select installation_id from installation where sensor_id = %s", (sensor,)).fetchone()
    assert row
    seen = ", ".join(f"{name}_seen" for name in COUNTED)
    counts = ", ".join(str(cars if name.startswith("car") else 0) for name in COUNTED)
    connection.execute(
        f"""
        insert into rollup_hour (installation_id, hour_start, quarters, observed_s, dark_s, flags, {seen}, {", ".join(COUNTED)}, car_speed)
        select %s, at, 4, 3600, 0, 0, {counts}, {counts}, array_fill(0, array[6]) || %s || array_fill(0, array[18])
        from generate_series(%s::timestamptz, %s, interval '1 hour') as at
        """,
        (row[0], [2 * cars], end - timedelta(days=days), end - timedelta(hours=1)),
    )
    return int(row[0])


def add_imported_town(connection: psycopg.Connection[Any], frame: pd.DataFrame) -> list[int]:
    """Store a simulated town's hours as imported ones, a street for every name, half of the counts each way."""
    numbers = {name: add_segment(connection, f"Street {name}") for name in frame["segment"].unique()}
    row = connection.execute(
        "insert into import_source (name, format) values ('a town', 'plain') returning source_id"
    ).fetchone()
    assert row
    columns = ["segment_id", "hour_start", "source_id", "quarters", "uptime", *SIDES]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy imported_hour ({', '.join(columns)}) from stdin") as copy,
    ):
        for hour in frame.to_dict("records"):
            halves = [hour[side.split("_")[0]] / 2 for side in SIDES]
            copy.write_row([numbers[hour["segment"]], hour["start"], row[0], 4, hour.get("uptime", 1.0), *halves])
    return list(numbers.values())
