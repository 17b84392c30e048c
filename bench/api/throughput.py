"""How many rows a second the API answers: rows in memory to bytes, and from the database to the reader.

    python -m bench.api [--sensors 20] [--rounds 3] [--pg-bin FOLDER] [--json OUT]

One machine. A year of quarters of one sensor (35,040 rows) and a year of hours of `--sensors` sensors, as JSON rows, JSON
columns, CSV and Parquet, in an order drawn anew for each round, each beside psql's own `COPY ... TO STDOUT (FORMAT csv)` of the
same table and beside what FastAPI does by default with the same rows. Then the memory of the server while it sends the largest file.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
from fastapi.encoders import jsonable_encoder

from telstraat_api.settings import ApiSettings, database_of
from telstraat_api.v1.exports import columns_of, row_of
from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_demo.stack.postgres import Postgres
from telstraat_store.counts.period import Period
from telstraat_store.counts.reading import read_periods
from telstraat_store.counts.windows import Bucket, Window
from telstraat_store.schema.migrate import migrate

YEAR = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
QUARTERS = 35_040
HOURS = 8_760
FIRST = 1001


def fill(dsn: str, sensors: int) -> None:
    """Write a year of quarters of one sensor, and a year of hours of all."""
    rng = random.Random(1)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(sensors):
            line = json.dumps({"type": "LineString", "coordinates": [[4.7, 50.87], [4.701, 50.871]]})
            connection.execute(
                "insert into segment (name, geometry, timezone) values (%s, %s, 'UTC')", (f"S{number}", line)
            )
            connection.execute("insert into sensor (name) values (%s)", (f"sensor-{number}",))
            connection.execute(
                "insert into installation (sensor_id, segment_id, from_at) values (%s, %s, '2020-01-01')",
                (number + 1, FIRST + number),
            )
        for month in range(1, 13):
            connection.execute("select make_report_partition(%s)", (datetime(2025, month, 2, tzinfo=UTC),))
        names = f"period_start, sensor_id, seq, flags, epoch_no, observed_s, {', '.join(COUNT_COLUMNS)}, light"
        with connection.cursor() as cursor, cursor.copy(f"copy report ({names}) from stdin") as copy:
            for n in range(QUARTERS):
                counts = [rng.randrange(30) for _ in COUNT_COLUMNS]
                copy.write_row(
                    (YEAR.start + timedelta(minutes=15 * n), 1, n + 1, 0, 1, rng.choice((900, 899)), *counts, "d")
                )
        connection.execute(
            f"""
            insert into rollup_hour (installation_id, hour_start, quarters, observed_s, dark_s, flags,
                {", ".join(f"{name}_seen" for name in COUNT_COLUMNS)}, {", ".join(COUNT_COLUMNS)})
            select i.installation_id, hour, 4, 3600, 0, 0,
                {", ".join("(random() * 90)::int" for _ in COUNT_COLUMNS)}, {", ".join("random() * 90" for _ in COUNT_COLUMNS)}
            from installation i cross join generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') as hour
            """,
            (YEAR.start, YEAR.end - timedelta(hours=1)),
        )
        connection.execute("delete from rollup_dirty")  # the hours are as written here, not what reports would give
        connection.execute("vacuum analyze")


@contextlib.contextmanager
def served(dsn: str, **settings: str) -> Iterator[tuple[str, int]]:
    """Serve as users do, in a process of its own; yield its address and process id."""
    env = {**os.environ, "TELSTRAAT_DSN": dsn, "TELSTRAAT_API_PORT": "0"}
    env |= {f"TELSTRAAT_API_{name.upper()}": value for name, value in settings.items()}
    code = "from telstraat_cli.main import main; import sys; sys.exit(main(['api']))"
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match
        try:
            yield match[0], process.pid
        finally:
            process.terminate()


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of some rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


async def year_in_memory(dsn: str) -> list[Period]:
    """Return a year of quarters as the API holds it."""
    database = database_of(ApiSettings(dsn=dsn))
    await database.open()
    try:
        return await read_periods(database.full, [FIRST], YEAR, Bucket.QUARTER, QUARTERS)
    finally:
        await database.close()


def encoders(dsn: str, rounds: int) -> dict[str, float]:
    """Return rows a second from memory to bytes: ours, and FastAPI's default."""
    periods = asyncio.run(year_in_memory(dsn))
    rows = [
        {
            "segment_id": p.segment_id,
            "start": p.start,
            "observed_s": p.observed_s,
            "sensors": p.sensors,
            "flags": p.flags,
        }
        | dict(zip(COUNT_COLUMNS, p.corrected or (), strict=True))
        | {f"{name}_seen": n for name, n in zip(COUNT_COLUMNS, p.raw or (), strict=True)}
        for p in periods
    ]
    tuples = [row_of(period) for period in periods]
    default = seconds(lambda: json.dumps(jsonable_encoder(rows)).encode(), 1)
    ours = seconds(lambda: orjson.dumps(columns_of(tuples), option=orjson.OPT_UTC_Z), rounds)
    dicts = seconds(lambda: orjson.dumps(rows, option=orjson.OPT_UTC_Z), rounds)
    return {"fastapi default": len(rows) / default, "ours, columns": len(rows) / ours, "ours, rows": len(rows) / dicts}


def psql(server: Postgres, query: str) -> None:
    """Run psql's own COPY into nothing."""
    program = shutil.which("psql") or "psql"
    with subprocess.Popen([program, server.dsn("bench"), "-qc", query], stdout=subprocess.PIPE) as process:
        assert process.stdout
        while process.stdout.read(1 << 20):
            pass


def download(client: httpx.Client, path: str, **query: str) -> int:
    """Read an answer to its end and return its bytes."""
    size = 0
    with client.stream("GET", path, params=query, headers={"accept-encoding": "identity"}) as answer:
        answer.raise_for_status()
        for block in answer.iter_raw():
            size += len(block)
    return size


def end_to_end(server: Postgres, address: str, sensors: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return rows a second from the database to the reader."""
    figures: dict[str, dict[str, float]] = {}
    window = {"from": "2025-01-01", "to": "2026-01-01"}
    cases = {
        "a year of quarters, 1 sensor": (QUARTERS, "quarter", str(FIRST), "report where sensor_id = 1"),
        f"a year of hours, {sensors} sensors": (HOURS * sensors, "hour", "all", "rollup_hour"),
    }
    with httpx.Client(base_url=address, timeout=600) as client:
        for name, (rows, bucket, segments, table) in cases.items():
            query = {**window, "segments": segments, "bucket": bucket}
            ways: dict[str, Callable[[], object]] = {
                "psql COPY csv": lambda table=table: psql(
                    server, f"copy (select * from {table}) to stdout (format csv)"
                ),  # type: ignore[misc]
                "CSV": lambda query=query: download(client, "/api/v1/reports/file.csv", **query),  # type: ignore[misc]
                "Parquet": lambda query=query: download(client, "/api/v1/reports/file.parquet", **query),  # type: ignore[misc]
                "JSON columns": lambda query=query: download(client, "/api/v1/reports/columns", **query),  # type: ignore[misc]
                "JSON rows": lambda query=query: download(client, "/api/v1/reports", **query),  # type: ignore[misc]
            }
            took: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(rounds):
                for way in random.sample(list(ways), len(ways)):
                    took[way].append(seconds(ways[way], 1))
            figures[name] = {way: rows / statistics.median(times) for way, times in took.items()}
            figures[name]["CSV of psql"] = figures[name]["CSV"] / figures[name]["psql COPY csv"]
    return figures


def memory(address: str, pid: int) -> dict[str, float]:
    """Return the server's resident memory before and at most while it sends the largest file."""
    before = memory_mb(pid)
    most = [before]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            most.append(memory_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with httpx.Client(base_url=address, timeout=600) as client:
        query = {"from": "2025-01-01", "to": "2026-01-01", "segments": "all", "bucket": "hour"}
        size = download(client, "/api/v1/reports/file.csv", **query)
    over.set()
    watcher.join()
    return {"before_mb": before, "most_mb": max(most), "file_mb": size / 1e6}


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pg-bin", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        server = Postgres(Path(folder) / "postgres", bin_dir=args.pg_bin, durable=False)
        server.start()
        try:
            server.create_database("bench")
            migrate(server.dsn("bench"))
            fill(server.dsn("bench"), args.sensors)
            report: dict[str, Any] = {"in memory to bytes": encoders(server.dsn("bench"), args.rounds)}
            with served(server.dsn("bench"), rows_max="1000000", quarter_min="0") as (
                address,
                pid,
            ):
                report["memory"] = memory(address, pid)
                report |= end_to_end(server, address, args.sensors, args.rounds)
        finally:
            server.forget()
    for name, figures in report.items():
        print(name)
        for way, figure in figures.items():
            plain = name == "memory" or way == "CSV of psql"
            print(f"  {way:<20} {figure:12,.2f}" if plain else f"  {way:<20} {figure:12,.0f} rows/s")
    if args.json:
        args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
