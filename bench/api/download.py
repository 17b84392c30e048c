"""Download ten million rows while the server's memory is held down, and go away in the middle of another download.

    python -m bench.api.download [--rows 10000000] [--room-mb 150] [--forms csv parquet arrow] [--pg-bin FOLDER] [--json OUT]

The limit is the kernel's (RLIMIT_DATA, set on the running server as `prlimit --data` does): what the server had allocated when
it was ready, and `--room-mb`. A server that kept rows would fail on it. One machine, no fsync while loading.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import threading
import time
from pathlib import Path

import httpx
import psycopg
from bench.api.throughput import FIRST, HOURS, YEAR, download, memory_mb, served

from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_demo.stack.postgres import Postgres
from telstraat_store.schema.migrate import migrate

GONE_AFTER_BYTES = 20_000_000
COPYING = (
    "select count(*) from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query ilike 'copy%'"
)


def fill(dsn: str, sensors: int) -> None:
    """Write a year of hours of so many sensors, each at a street of its own."""
    line = json.dumps({"type": "LineString", "coordinates": [[4.7, 50.87], [4.701, 50.871]]})
    raw, corrected = ", ".join(f"{name}_seen" for name in COUNT_COLUMNS), ", ".join(COUNT_COLUMNS)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "insert into segment (name, geometry, timezone) select 'S' || n, %s, 'UTC' from generate_series(1, %s) n",
            (line, sensors),
        )
        connection.execute("insert into sensor (name) select 'sensor-' || n from generate_series(1, %s) n", (sensors,))
        connection.execute(
            """
            insert into installation (sensor_id, segment_id, from_at)
            select sensor_id, segment_id, '2020-01-01'
            from (select sensor_id, row_number() over (order by sensor_id) n from sensor) a
            join (select segment_id, row_number() over (order by segment_id) n from segment) b using (n)
            """
        )
        whole = ", ".join(f"(hashint4(h + 7919 * installation_id + {k}) & 63)" for k in range(len(COUNT_COLUMNS)))
        connection.execute(
            f"""
            insert into rollup_hour (installation_id, hour_start, quarters, observed_s, dark_s, flags, {raw}, {corrected})
            select installation_id, %s::timestamptz + h * interval '1 hour', 4, 3600, 0, 0, {whole}, {whole}
            from installation cross join generate_series(0, {HOURS - 1}) h
            """,
            (YEAR.start,),
        )
        connection.execute("delete from rollup_dirty")  # the hours are as written here, not what reports would give
        connection.execute("vacuum analyze")


def allocated_bytes(pid: int) -> int:
    """Return what a process has allocated for itself."""
    match = re.search(r"VmData:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert match
    return int(match[1]) * 1024


def whole(address: str, pid: int, form: str) -> dict[str, float]:
    """Download all and return how it went."""
    most, over = [memory_mb(pid)], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            most.append(memory_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    try:
        with httpx.Client(base_url=address, timeout=600) as client:
            query = {"from": "2025-01-01", "to": "2026-01-01", "segments": "all", "bucket": "hour"}
            size = download(client, f"/api/v1/reports/file.{form}", **query)
    finally:
        over.set()
        watcher.join()
    return {"file_mb": size / 1e6, "before_mb": most[0], "most_mb": max(most), "wall_s": time.perf_counter() - started}


def gone(address: str, dsn: str) -> float:
    """Go away in the middle of a download and return after how many seconds the database had stopped working for it."""
    query = {"from": "2025-01-01", "to": "2026-01-01", "segments": "all", "bucket": "hour"}
    size = 0
    with (
        httpx.Client(base_url=address, timeout=600) as client,
        client.stream("GET", "/api/v1/reports/file.csv", params=query) as answer,
    ):
        for block in answer.iter_raw():
            size += len(block)
            if size > GONE_AFTER_BYTES:
                break
    started = time.perf_counter()
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(COPYING).fetchone() != (0,):
            time.sleep(0.02)
    return time.perf_counter() - started


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--room-mb", type=int, default=150)
    parser.add_argument("--forms", nargs="+", default=["csv", "parquet", "arrow"])
    parser.add_argument("--pg-bin", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sensors = -(-args.rows // HOURS)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        server = Postgres(Path(folder) / "postgres", bin_dir=args.pg_bin, durable=False)
        server.start()
        try:
            server.create_database("bench")
            dsn = server.dsn("bench")
            migrate(dsn)
            fill(dsn, sensors)
            with served(dsn, quarter_min="0") as (address, pid):
                with httpx.Client(base_url=address, timeout=60) as client:
                    for form in args.forms:  # what is loaded at the first use is no row that was kept
                        day = {"from": "2025-01-01", "to": "2025-01-02", "segments": str(FIRST), "bucket": "hour"}
                        download(client, f"/api/v1/reports/file.{form}", **day)
                limit = allocated_bytes(pid) + args.room_mb * 1_000_000
                resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))
                downloads = {form: whole(address, pid, form) for form in args.forms}
                stopped_s = gone(address, dsn)
        finally:
            server.forget()
    print(f"{sensors * HOURS:,} rows, at most {args.room_mb} MB more than when it was ready")
    for form, figures in downloads.items():
        print(f"  {form:<8} " + ", ".join(f"{name} {figure:,.0f}" for name, figure in figures.items()))
    print(f"  a reader that goes away: the database stops after {stopped_s:.2f} s")
    if args.json:
        args.json.write_text(
            json.dumps({"rows": sensors * HOURS, "forms": downloads, "stopped_s": stopped_s}, indent=1)
        )


if __name__ == "__main__":
    main()
