"""How much room a report takes and how long the usual questions take, as sensors and years grow.

    python -m bench.store [--pg-bin DIR] [--sensors 20 80 320] [--days 30] [--years 0.25 1 2] [--year-sensors 10]
        [--json OUT] [--plot docs/images/store.svg]

Reports with counts of a plausible street (Poisson, by hour of the day; nights go to `night`) are loaded in the order in which they
would arrive. Sizes are those of PostgreSQL; times are the server's, the median of five. With TimescaleDB the same again, compressed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from telstraat_cli.stack.postgres import Postgres
from telstraat_contract.quarters import quarter_start
from telstraat_ingest import rollup, store
from telstraat_ingest.migrate import migrate

EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
COUNTS = 12
BINS = 25
LEVEL = (6, 6, 5, 5, 0.3, 0.3, 40, 38, 4, 4, 0, 0)
"""Crossings a quarter at noon, in the order of the columns."""
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
QUESTIONS = {
    "a street, a week of quarters": "select * from segment_quarter where segment_id = {s} and period_start >= {end} - interval '7 days'",
    "a street, 90 days of hours": "select * from segment_hour where segment_id = {s} and period_start >= {end} - interval '90 days'",
    "a street, a year of days": "select * from segment_day where segment_id = {s} and day >= ({end} - interval '365 days')::date",
    "all streets, one hour": "select * from segment_hour where period_start = date_trunc('hour', {end} - interval '3 hours')",
    "all streets, a month of days": "select * from segment_day where day >= ({end} - interval '30 days')::date",
}


@dataclass(frozen=True)
class Measured:
    """One size of database."""

    backend: str
    sensors: int
    days: float
    reports: int
    load_per_s: float
    heap_bytes: float
    index_bytes: float
    total_bytes: float
    hour_bytes: float
    rollup_per_s: float
    questions_ms: dict[str, float]
    compressed_bytes: float | None = None
    compressed_ms: dict[str, float] | None = None


def block(start: datetime, quarters: int, first_seq: int, sensors: int, random: np.random.Generator) -> bytes:
    """Return the rows of some quarters, in the order of arrival, for a binary COPY."""
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
    hour = (start.hour + number / 4) % 24
    by_day = np.clip(np.sin((hour - 6) / 16 * np.pi), 0, None) * np.tile(random.gamma(2, 0.5, sensors), quarters)
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


def load(connection: psycopg.Connection, sensors: int, days: float) -> tuple[int, float, datetime]:
    """Fill a database; return rows, rows a second and the end."""
    connection.execute(
        "insert into segment (name, geometry) select 'street ' || n, '{}' from generate_series(1, %s) n", (sensors,)
    )
    connection.execute("insert into sensor (name) select 'sensor-' || n from generate_series(1, %s) n", (sensors,))
    end = quarter_start(datetime.now(UTC))
    start = end - timedelta(days=days)
    connection.execute(
        "insert into installation (sensor_id, segment_id, from_at) select sensor_id, 1000 + sensor_id, %s from sensor",
        (start,),
    )
    connection.execute(
        "select make_report_partition(month) from generate_series(%s::timestamptz, %s + interval '1 month', interval '20 days') month",
        (start, end),
    )
    connection.execute("truncate rollup_dirty")
    random, quarters = np.random.default_rng(7), int(days * 96)
    chunk = max(1, 50_000 // sensors)
    began_s = time.perf_counter()
    for first in range(0, quarters, chunk):
        some = min(chunk, quarters - first)
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            copy.write(block(start + first * timedelta(minutes=15), some, first + 1, sensors, random))
            copy.write(b"\xff\xff")
    return quarters * sensors, quarters * sensors / (time.perf_counter() - began_s), end


def sizes(connection: psycopg.Connection, is_timescale: bool) -> tuple[float, float, float]:
    """Return the bytes of heap, indexes and all of the reports."""
    if is_timescale:
        query = "select table_bytes + toast_bytes, index_bytes, total_bytes from hypertable_detailed_size('report')"
    else:
        query = (
            "select sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)), sum(pg_total_relation_size(inhrelid))"
            " from pg_inherits where inhparent = 'report'::regclass"
        )
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return float(row[0]), float(row[1]), float(row[2])


def ask(connection: psycopg.Connection, sensors: int, end: datetime) -> dict[str, float]:
    """Return the server's milliseconds for each question."""
    found = {}
    for name, question in QUESTIONS.items():
        text = question.format(s=1000 + sensors // 2 + 1, end=f"'{end.isoformat()}'::timestamptz")
        times = []
        for _ in range(5):
            row = connection.execute(
                f"explain (analyze, timing off, summary on, format json) {text}".encode()
            ).fetchone()
            assert row is not None
            times.append(row[0][0]["Execution Time"] + row[0][0]["Planning Time"])
        found[name] = statistics.median(times)
    return found


def measure(server: Postgres, sensors: int, days: float, number: int) -> Measured:
    """Load one size and measure it."""
    name = f"store_{number}"
    server.create_database(name)
    dsn = server.dsn(name)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = connection.execute("select count(*) from pg_extension where extname = 'timescaledb'").fetchone()
        is_timescale = found == (1,)
        reports, load_per_s, end = load(connection, sensors, days)
        connection.execute(
            "insert into rollup_dirty (sensor_id, from_at, until_at) select sensor_id, from_at, now() from installation"
        )
        began_s = time.perf_counter()
        while rollup.refresh(connection, 20):
            pass
        rollup_per_s = reports / (time.perf_counter() - began_s)
        connection.execute("vacuum analyze")
        heap, index, total = sizes(connection, is_timescale)
        hours = connection.execute(
            "select pg_total_relation_size('rollup_hour') / greatest(count(*), 1) from rollup_hour"
        ).fetchone()
        answers = ask(connection, sensors, end)
        result = Measured(
            "TimescaleDB" if is_timescale else "PostgreSQL", sensors, days, reports, load_per_s, heap / reports, index / reports,
            total / reports, float(hours[0]) if hours else 0.0, rollup_per_s, answers,
        )  # fmt: skip
        if is_timescale:
            store.compress_old(connection, 0, end + timedelta(days=30))
            connection.execute("vacuum analyze")
            compressed = sizes(connection, is_timescale)[2] / reports
            result = Measured(
                **{**asdict(result), "compressed_bytes": compressed, "compressed_ms": ask(connection, sensors, end)}
            )
    server.drop_database(name)
    return result


def plot(found: list[Measured], path: Path) -> None:
    """Draw how the questions grow with sensors and with years."""
    import altair as alt
    import pandas as pd

    rows = [
        {"reports (million)": one.reports / 1e6, "question": name, "milliseconds": ms, "growth": growth}
        for growth, members in groups(found).items()
        for one in members
        for name, ms in one.questions_ms.items()
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            alt.X("reports (million):Q").scale(type="log"),
            alt.Y("milliseconds:Q").scale(type="log"),
            alt.Color("question:N"),
            alt.Column("growth:N", title=None),
        )
        .properties(width=260, height=220)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.save(path)


def groups(found: list[Measured]) -> dict[str, list[Measured]]:
    """Return the sizes that differ in sensors only, and in years only."""
    days = max({one.days for one in found}, key=lambda day: len({one.sensors for one in found if one.days == day}))
    sensors = max(
        {one.sensors for one in found}, key=lambda some: len({one.days for one in found if one.sensors == some})
    )
    return {
        f"more sensors ({days:g} days)": [one for one in found if one.days == days],
        f"more years ({sensors} sensors)": [one for one in found if one.sensors == sensors],
    }


def main() -> int:
    """Measure every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pg-bin", type=Path, help="programs of another PostgreSQL, e.g. with TimescaleDB")
    parser.add_argument("--sensors", type=int, nargs="*", default=[20, 80, 320])
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--years", type=float, nargs="*", default=[0.25, 1, 2])
    parser.add_argument("--year-sensors", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    args = parser.parse_args()
    wanted = [(some, args.days) for some in args.sensors] + [(args.year_sensors, 365 * years) for years in args.years]
    found = []
    with tempfile.TemporaryDirectory(prefix="telstraat-store-") as name:
        Path(name).chmod(0o711)
        server = Postgres(Path(name) / "postgres", bin_dir=args.pg_bin, durable=False)
        server.start()
        try:
            for number, (sensors, days) in enumerate(wanted):
                one = measure(server, sensors, days, number)
                found.append(one)
                print(f"{one.backend}: {sensors} sensors, {days:g} days, {one.reports} reports: {one.total_bytes:.0f} bytes a report"
                      f" ({one.heap_bytes:.0f} + {one.index_bytes:.0f} index)"
                      + (f", compressed {one.compressed_bytes:.1f}" if one.compressed_bytes else "")
                      + f"; an hour {one.hour_bytes:.0f}; added up {one.rollup_per_s:.0f} reports/s", flush=True)  # fmt: skip
                for question, ms in one.questions_ms.items():
                    after = f"  compressed {one.compressed_ms[question]:8.1f}" if one.compressed_ms else ""
                    print(f"    {question:<32} {ms:8.1f} ms{after}", flush=True)
        finally:
            server.stop()
    if args.json:
        args.json.write_text(json.dumps([asdict(one) for one in found], indent=2))
    if args.plot:
        plot(found, args.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
