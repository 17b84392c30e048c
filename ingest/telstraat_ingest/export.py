"""Writes the counts of a street, or of all, as CSV: UTC and local time, as the views read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from psycopg import Connection, sql

from telstraat_ingest import rollup
from telstraat_ingest.backup import write_whole
from telstraat_ingest.errors import StoreError
from telstraat_store.imports import COUNTS

Step = Literal["quarter", "hour", "day"]


@dataclass(frozen=True)
class Wanted:
    """Which counts to write."""

    step: Step = "hour"
    segment_ids: tuple[int, ...] = ()
    from_at: datetime | None = None
    until_at: datetime | None = None


def export(connection: Connection, wanted: Wanted, path: Path, progress: Callable[[int], None] | None = None) -> int:
    """Write a CSV with a header and return the number of rows; whole or not at all. What waits to be added up is added up first."""
    ours = {number for (number,) in connection.execute("select segment_id from segment")}
    if unknown := sorted(set(wanted.segment_ids) - ours):
        raise StoreError(
            f"there is no segment {', '.join(map(str, unknown))}; telstraat sensor list shows those with sensors"
        )
    if wanted.step != "quarter":
        rollup.refresh_all(connection)
    day = sql.SQL("v.day, v.hours, ") if wanted.step == "day" else sql.SQL("")
    query = sql.SQL(
        "copy (select v.segment_id, s.name as street, to_char(v.period_start at time zone 'UTC',"
        ' \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') as period_start_utc, to_char(v.period_start at time zone s.timezone,'
        " 'YYYY-MM-DD HH24:MI') as period_start_local, {day} v.period_s, round(v.uptime::numeric, 4) as uptime, {counts},"
        " coalesce(o.name, 'telstraat') as source"
        " from {view} v join segment s using (segment_id) left join import_source o using (source_id)"
        " where v.period_start >= {low} and v.period_start < {high} and ({all} or v.segment_id = any({ids}))"
        " order by v.segment_id, v.period_start) to stdout with (format csv, header)"
    ).format(
        day=day,
        counts=sql.SQL(", ").join(
            sql.SQL("round(v.{name}::numeric, 4) as {name}").format(name=sql.Identifier(name)) for name in COUNTS
        ),
        view=sql.Identifier(f"segment_{wanted.step}"),
        low=sql.Literal(wanted.from_at or "-infinity") + sql.SQL("::timestamptz"),
        high=sql.Literal(wanted.until_at or "infinity") + sql.SQL("::timestamptz"),
        all=sql.Literal(not wanted.segment_ids),
        ids=sql.Literal(list(wanted.segment_ids)) + sql.SQL("::bigint[]"),
    )
    rows = 0
    with write_whole(path) as file, connection.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            data = bytes(block)
            file.write(data)
            rows += data.count(b"\n")
            if progress:
                progress(rows)
    return max(rows - 1, 0)
