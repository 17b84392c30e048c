"""Writes the counts of a street, or of all, as CSV: UTC and local time, as the views read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from psycopg import Connection, sql

from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.counts import rollup
from telstraat_store.errors import NoSuchRecordError
from telstraat_store.whole_files import write_whole

Step = Literal["quarter", "hour", "day"]


@dataclass(frozen=True)
class DumpRequest:
    """Which counts to write."""

    step: Step = "hour"
    segment_ids: tuple[int, ...] = ()
    from_at: datetime | None = None
    until_at: datetime | None = None
    has_gaps: bool = True  # a row for every period, also for those without counts


_QUERY = """
copy (
    with own as materialized (
        select v.* from {view} v
        where v.period_start >= {low} and v.period_start < {high} and ({all} or v.segment_id = any({ids}))
    ), street as (
        select s.segment_id, s.timezone, {low} as low, least({high}, now()) as high,
            least((select min(from_at) from installation i where i.segment_id = s.segment_id),
                (select min(period_start) from imported m where m.segment_id = s.segment_id)) as since,
            now() - case when exists (select from installation i join sensor_health h using (sensor_id)
                where i.segment_id = s.segment_id and i.until_at is null and h.online) then interval '2 hours' else '0' end as due
        from segment s where {all} or s.segment_id = any({ids})
    ), span as (
        select *, greatest(case when isfinite(low) then low else since end, least(since, high - interval '366 days')) as first
        from street
    ), covered as (
        select segment_id, {floor} as start from own union select segment_id, {ceiling} from own
    ), gap as (
        select p.segment_id, g.start, g.until, case when g.until > p.due then 'not_yet' else 'missing' end as state
        from span p cross join lateral (select {start} as start, {until} as until from {grid}) g
        where g.start >= p.first and g.start < p.high
            and not exists (select from covered c where c.segment_id = p.segment_id and c.start = g.start)
    ), line as (
        select segment_id, period_start, {days} period_s, uptime::numeric as uptime, {counts}, source_id,
            case when num_nonnulls({names}) > 0 then 'counted' else 'missing' end as state
        from own
        union all
        select segment_id, start, {gap_days} extract(epoch from until - start)::integer, null, {nothing}, null, state from gap
        where {has_gaps}
    )
    select v.segment_id, s.name as street, to_char(v.period_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as
        period_start_utc, to_char(v.period_start at time zone s.timezone, 'YYYY-MM-DD HH24:MI') as period_start_local,
        {days} v.period_s, round(v.uptime, 4) as uptime, {rounded}, coalesce(o.name, 'telstraat') as source, v.state
    from line v join segment s using (segment_id) left join import_source o using (source_id)
    order by v.segment_id, v.period_start
) to stdout with (format csv, header)"""
_UTC_GRID = "generate_series(date_trunc('hour', p.first, 'UTC'), p.high, {step}::interval) t (at)"
_LOCAL_GRID = "generate_series((p.first at time zone p.timezone)::date::timestamp, p.high at time zone p.timezone, '1 day') t (at)"
_STEPS: dict[Step, dict[str, str]] = {
    "quarter": {
        "start": "t.at",
        "until": "t.at + interval '15 minutes'",
        "grid": _UTC_GRID.format(step="'15 minutes'"),
    },
    # An imported hour may begin at half past: it covers a part of two.
    "hour": {
        "start": "t.at",
        "until": "t.at + interval '1 hour'",
        "grid": _UTC_GRID.format(step="'1 hour'"),
        "floor": "date_trunc('hour', period_start, 'UTC')",
        "ceiling": "date_trunc('hour', period_start + interval '59 minutes', 'UTC')",
    },
    "day": {
        "start": "t.at at time zone p.timezone",
        "until": "(t.at + interval '1 day') at time zone p.timezone",
        "grid": _LOCAL_GRID,
        "days": "day, hours,",
        "gap_days": "(start at time zone (select timezone from segment s where s.segment_id = gap.segment_id))::date, null,",
    },
}
_NOTHING_MORE = {"floor": "period_start", "ceiling": "period_start", "days": "", "gap_days": ""}


def export(
    connection: Connection, request: DumpRequest, path: Path, progress: Callable[[int], None] | None = None
) -> int:
    """Write a CSV with a header and return the number of rows; whole or not at all. What waits to be added up is added up first.

    A street has a row for every period since it was first known, or of the last year of what is asked for: one without counts says
    in `state` whether nobody watched (`missing`) or it may still come (`not_yet`).
    """
    ours = {number for (number,) in connection.execute("select segment_id from segment")}
    if unknown := sorted(set(request.segment_ids) - ours):
        raise NoSuchRecordError(
            f"there is no segment {', '.join(map(str, unknown))}; telstraat sensor list shows those with sensors"
        )
    if request.step != "quarter":
        rollup.refresh_all(connection)

    def each(template: str) -> sql.Composable:
        return sql.SQL(", ").join(sql.SQL(template).format(n=sql.Identifier(name)) for name in COUNT_COLUMNS)

    query = sql.SQL(_QUERY).format(
        **{name: sql.SQL(text) for name, text in (_NOTHING_MORE | _STEPS[request.step]).items()},
        counts=each("{n}::numeric as {n}"),
        names=each("{n}"),
        nothing=each("null::numeric"),
        rounded=each("round(v.{n}, 4) as {n}"),
        view=sql.Identifier(f"segment_{request.step}"),
        has_gaps=sql.Literal(request.has_gaps),
        low=sql.Literal(request.from_at or "-infinity") + sql.SQL("::timestamptz"),
        high=sql.Literal(request.until_at or "infinity") + sql.SQL("::timestamptz"),
        all=sql.Literal(not request.segment_ids),
        ids=sql.Literal(list(request.segment_ids)) + sql.SQL("::bigint[]"),
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
