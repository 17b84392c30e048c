"""Rows of a file for periods that have no counts, each with its state: piece by piece, so that memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_store.connection import Connections
from telstraat_store.counts.gaps import CONNECTED
from telstraat_store.counts.states import ON_THE_WAY, State, Stretch, due_at, gaps
from telstraat_store.counts.windows import Bucket, Window, next_start, start_of, zone

AT_LEAST = timedelta(days=366)
"""So much of a window has a row for every period, however long the street is known; and so far ahead of now."""

KNOWN_SINCE = """
select segment_id, least(
    (select min(from_at) from installation i where i.segment_id = s.segment_id),
    (select min(period_start) from imported m where m.segment_id = s.segment_id and period_s = 900),
    (select min(period_start) from imported m where m.segment_id = s.segment_id and period_s = 3600)
) as since from segment s where segment_id = any(%(ids)s)
"""
PRESENT = sql.SQL("select period_start from ({counts}) q order by 1")
HOW_MANY = sql.SQL("select count(*) from ({counts}) q where period_start >= %(first)s and period_start < %(last)s")
WATCHED = sql.SQL("""
select distinct {quarter} from unnest(%(froms)s::timestamptz[], %(tos)s::timestamptz[]) gap (from_at, to_at)
join installation i on i.segment_id = any(%(ids)s)
join public.report r on r.sensor_id = i.sensor_id
 and r.period_start >= greatest(gap.from_at, i.from_at) and r.period_start < least(gap.to_at, i.until_at)
where r.observed_s > 0""")
QUARTER_OF = {Bucket.HOUR: sql.SQL("date_trunc('hour', r.period_start, 'UTC')")}
LOCAL_DAY = sql.SQL("date_trunc('day', r.period_start, %(timezone)s)")


@dataclass(frozen=True)
class Absence:
    """What is known of a file's streets beside their counts, from one moment."""

    known_since: Mapping[int, datetime | None]
    connected: frozenset[int]
    now: datetime
    hides: bool

    def span(self, segment_id: int, timezone: str, bucket: Bucket, window: Window, piece: Window) -> Window:
        """Return the part of a piece of a window of which every period has a row: the whole periods that begin in it."""
        tz = zone(timezone)
        end = min(window.end, self.now + AT_LEAST)
        known_since = self.known_since.get(segment_id) or end
        first = max(piece.start, min(known_since, end - AT_LEAST))
        last = min(piece.end, end)
        return Window(first_from(first, bucket, tz), first_from(max(first, last), bucket, tz))


def first_from(at: datetime, bucket: Bucket, tz: ZoneInfo) -> datetime:
    """Return where the first period begins that does not begin before `at`."""
    start = start_of(at, bucket, tz)
    return start if start == at else next_start(start, bucket, tz)


async def read_absence(connections: Connections, ids: Sequence[int], window: Window) -> Absence:
    """Return since when streets are known, and of which reports may still be on their way; `hides` where not all is for whoever asks."""
    now = datetime.now(UTC)
    values = {"ids": list(ids)}
    since = {row["segment_id"]: row["since"] for row in await connections.rows(KNOWN_SINCE, values)}
    is_recent = window.end > now - ON_THE_WAY
    connected = {row["segment_id"] for row in await connections.rows(CONNECTED, values)} if is_recent else ()
    return Absence(since, frozenset(connected), now, hides=connections.is_public)


async def gap_values(
    connection: psycopg.AsyncConnection[Any],
    counts: sql.Composed,
    values: Mapping[str, Any],
    span: Window,
    bucket: Bucket,
    absence: Absence,
) -> dict[str, list[Any]]:
    """Return `gap_starts` and `gap_states`: the periods of a span that `counts` has no row for; counted first, as most have none."""
    tz = zone(values["timezone"])
    if span.start >= span.end:
        return {"gap_starts": [], "gap_states": []}
    async with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(HOW_MANY.format(counts=counts), {**values, "first": span.start, "last": span.end})
        [(rows,)] = await cursor.fetchall()
        if rows >= periods_in(span, bucket, tz):
            return {"gap_starts": [], "gap_states": []}
        await cursor.execute(PRESENT.format(counts=counts), values)
        present = [start for (start,) in await cursor.fetchall()]
    due = due_at(absence.now, online=values["ids"][0] in absence.connected)
    stretches = gaps(span, bucket, tz, present, (), due)
    if absence.hides:
        watched = await read_watched(connection, stretches, values, bucket)
        stretches = gaps(span, bucket, tz, present, watched, due) if watched else stretches
    rows_of = [(start, stretch.state) for stretch in stretches for start in starts_in(stretch, bucket, tz)]
    return {"gap_starts": [start for start, _ in rows_of], "gap_states": [state.value for _, state in rows_of]}


async def read_watched(
    connection: psycopg.AsyncConnection[Any], stretches: Sequence[Stretch], values: Mapping[str, Any], bucket: Bucket
) -> list[datetime]:
    """Return the starts of periods in gaps in which somebody watched."""
    passed = [stretch.window for stretch in stretches if stretch.state is State.MISSING]
    more = {"froms": [window.start for window in passed], "tos": [window.end for window in passed]}
    query = WATCHED.format(quarter=QUARTER_OF.get(bucket, LOCAL_DAY))
    async with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, {**values, **more})
        return [start for (start,) in await cursor.fetchall()]


def periods_in(span: Window, bucket: Bucket, tz: ZoneInfo) -> int:
    """Return how many periods a span of whole ones has."""
    if bucket is Bucket.DAY:
        return (span.end.astimezone(tz).date() - span.start.astimezone(tz).date()).days
    return span.length_s // (900 if bucket is Bucket.QUARTER else 3600)


def starts_in(stretch: Stretch, bucket: Bucket, tz: ZoneInfo) -> Iterator[datetime]:
    """Yield the starts of the periods that lie in a stretch whole: imported hours may begin at half past."""
    at = first_from(stretch.window.start, bucket, tz)
    while (end := next_start(at, bucket, tz)) <= stretch.window.end:
        yield at
        at = end
