"""How much room a report takes and how long the API's usual questions take, as sensors and years grow.

    python -m bench.store --json plain.json [--sizes 100x28 1000x28 ...] [--latency-s 20 --rate 50 [--http-only]]
        [--keep-free-gb 20] [--folder DIR]
    python -m bench.store --json timescale.json --pg-bin DIR
    python -m bench.store.page plain.json timescale.json --page docs/bench/retention.md --plot docs/images/retention.svg

Reports with counts of plausible streets (Poisson, by hour of the day; nights go to `night`) are loaded in the order in which
they would arrive, and added up as ingest does. Loading is done with fsync off. Times are those of the API's own functions;
with `--latency-s` also those of the API over HTTP at a steady rate. With TimescaleDB, what is older than two weeks is
compressed before asking, and all of it before the last look at the size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from bench.api.latency import RATE, Kind, measure_api
from bench.store.questions import Asked, ask
from bench.store.rows import load

from telstraat_demo.stack.postgres import Postgres
from telstraat_store.counts import rollup
from telstraat_store.schema import retention
from telstraat_store.schema.migrate import migrate, status

SETTINGS = {"max_wal_size": "4GB", "shared_buffers": "1GB", "timescaledb.max_background_workers": "0"}
BYTES_A_REPORT = 500
"""Room that a loaded report may need at most, hours, WAL and rewriting included; only to refuse what would not fit."""
MARKS = 200
SIZES = ["100x28", "10000x1.25", "1000x7", "5x365", "5x1460", "10x28", "5x91"]


@dataclass(frozen=True)
class Measured:
    """One size of database."""

    sensors: int
    days: float
    reports: int
    load_per_s: float
    rollup_per_s: float
    heap_bytes: float
    index_bytes: float
    total_bytes: float
    hour_bytes: float
    questions: dict[str, Asked]
    compressed_bytes: float | None = None
    compress_per_s: float | None = None
    latency: list[Kind] = field(default_factory=list)
    machine_load: float = field(default_factory=lambda: os.getloadavg()[2])


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


def add_up(connection: psycopg.Connection, reports: int) -> float:
    """Add up hours and days as ingest does after an import, and return reports a second."""
    connection.execute(
        "insert into rollup_dirty (sensor_id, from_at, until_at) select sensor_id, from_at, now() from installation"
    )
    began_s = time.perf_counter()
    while rollup.refresh(connection, MARKS):
        pass
    return reports / (time.perf_counter() - began_s)


def fill_and_ask(dsn: str, sensors: int, days: float, latency_s: float, rate: float, *, asks: bool) -> Measured:
    """Load one size and measure it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        is_timescale = connection.execute("select from pg_extension where extname = 'timescaledb'").rowcount == 1
        if is_timescale:
            chunk_days = (
                retention.CHUNK_DAYS_OF_FEW if sensors <= retention.FEW_SENSORS else retention.CHUNK_DAYS_OF_MANY
            )
            connection.execute("select set_chunk_time_interval('report', %s * interval '1 day')", (chunk_days,))
        reports, load_per_s, end = load(connection, sensors, days)
        connection.execute("vacuum analyze")
        heap, index, total = sizes(connection, is_timescale)
        rollup_per_s = add_up(connection, reports)
        retention.compress_old(connection, 14)
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        hours = connection.execute(
            "select pg_total_relation_size('rollup_hour') / greatest(count(*), 1) from rollup_hour"
        ).fetchone()
        questions = ask(dsn, sensors) if asks else {}
        latency = measure_api(dsn, latency_s, rate) if latency_s else []
        compressed = compress_per_s = None
        if is_timescale:
            began_s, waiting = time.perf_counter(), plain_reports(connection)
            retention.compress_old(connection, 0, end + timedelta(days=100))
            compress_per_s = waiting / (time.perf_counter() - began_s)
            connection.execute("vacuum analyze")
            compressed = sizes(connection, is_timescale)[2] / reports
    return Measured(
        sensors, days, reports, load_per_s, rollup_per_s, heap / reports, index / reports, total / reports,
        float(hours[0]) if hours else 0.0, questions, compressed, compress_per_s, latency,
    )  # fmt: skip


def plain_reports(connection: psycopg.Connection) -> int:
    """Return how many reports are not compressed."""
    chunks = connection.execute("select show_chunks('report')::text").fetchall()
    counts = [connection.execute(f"select count(*) from only {name}".encode()).fetchone() for (name,) in chunks]
    return sum(count[0] for count in counts if count)


def wanted_sizes(args: argparse.Namespace) -> list[tuple[int, float]]:
    """Return the sensors and days to load, refusing what the disk does not hold."""
    sizes = [(int(sensors), float(days)) for sensors, _, days in (size.partition("x") for size in args.sizes)]
    most = max(sensors * days * 96 for sensors, days in sizes)
    free = shutil.disk_usage(args.folder).free - most * BYTES_A_REPORT
    if free < args.keep_free_gb * 1e9:
        raise SystemExit(f"{most:.0f} reports would leave {free / 1e9:.0f} GB free; load less or lower --keep-free-gb")
    return sizes


def tell(measured: Measured) -> None:
    """Print one size."""
    packed = f", compressed {measured.compressed_bytes:.1f}" if measured.compressed_bytes else ""
    print(f"{measured.sensors} sensors, {measured.days:g} days, {measured.reports} reports: {measured.total_bytes:.0f} bytes a report"
          f" ({measured.heap_bytes:.0f} + {measured.index_bytes:.0f} index){packed}; an hour {measured.hour_bytes:.0f}; loaded"
          f" {measured.load_per_s:.0f}/s, added up {measured.rollup_per_s:.0f}/s", flush=True)  # fmt: skip
    for name, took in measured.questions.items():
        print(
            f"    {name:<40} p50 {took.p50_ms:8.1f}  p99 {took.p99_ms:8.1f}  processor {took.cpu_ms:8.1f} ms",
            flush=True,
        )
    for kind in measured.latency:
        print(f"    HTTP {kind.name:<35} p50 {kind.p50_ms:8.1f}  p99 {kind.p99_ms:8.1f} ms  {kind.failed} of {kind.requests} failed"
              f"  processor {kind.cpu_ms:.1f} ms",
              flush=True)  # fmt: skip


def main() -> int:
    """Measure every size; what is done so far is in the file after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pg-bin", type=Path, help="programs of another PostgreSQL, e.g. with TimescaleDB")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the database lies")
    parser.add_argument("--keep-free-gb", type=float, default=20)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="sensors x days")
    parser.add_argument("--latency-s", type=float, default=0, help="also ask over HTTP for so long")
    parser.add_argument("--http-only", action="store_true", help="ask nothing but over HTTP")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    measurements: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="telstraat-store-", dir=args.folder) as name:
        Path(name).chmod(0o711)
        server = Postgres(Path(name) / "postgres", bin_dir=args.pg_bin, durable=False, settings=SETTINGS)
        server.start()
        try:
            for number, (sensors, days) in enumerate(wanted_sizes(args)):
                base = f"store_{number}"
                server.create_database(base)
                migrate(server.dsn(base))
                state = status(server.dsn(base))
                measurements.append(
                    fill_and_ask(server.dsn(base), sensors, days, args.latency_s, args.rate, asks=not args.http_only)
                )
                server.drop_database(base)
                tell(measurements[-1])
                about = {
                    "at": datetime.now(UTC).isoformat(timespec="minutes"),
                    "server": state.server,
                    "timescaledb": state.timescaledb,
                    "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                    "rate": args.rate,
                }
                args.json.write_text(
                    json.dumps({**about, "sizes": [asdict(measured) for measured in measurements]}, indent=1)
                )
        finally:
            server.forget()
    return 0


if __name__ == "__main__":
    sys.exit(main())
