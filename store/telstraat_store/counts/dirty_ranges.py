"""Where hours and days are not added up yet: what has come in and waits there is read from the quarters, however long the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from telstraat_store.connection import Connections
from telstraat_store.counts.windows import Bucket, Window, start_of, zone

# Reports from before a retention are gone: what was added up from them stands.
MARKED = sql.SQL("""
select s.timezone, array_agg(distinct {key}) as ids, min(d.from_at) as from_at
from installation i join segment s using (segment_id)
left join lateral (
    select min(greatest(d.from_at, i.from_at, r.reports_from, %(start)s)) as from_at from rollup_dirty d, retention r
    where d.sensor_id = i.sensor_id and d.from_at < least(%(end)s, i.until_at)
      and d.until_at > greatest(%(start)s, i.from_at, r.reports_from)
) d on true
where {key} = any(%(ids)s) and i.from_at < %(end)s and coalesce(i.until_at, 'infinity') > %(start)s
group by s.timezone
""")


@dataclass(frozen=True)
class WindowPart:
    """A stretch of a window for some of its numbers, and whether the rollups hold all of it."""

    ids: list[int]
    window: Window
    rolled_up: bool


async def window_parts(
    connections: Connections, ids: Sequence[int], window: Window, bucket: Bucket, key: str
) -> list[WindowPart]:
    """Return a window in parts: up to the first mark from the rollups, from there on from the quarters."""
    query = MARKED.format(key=sql.Identifier("i", key))
    rows = await connections.rows(query, {"ids": list(ids), "start": window.start, "end": window.end})
    if bucket is Bucket.HOUR:  # begins at the same time everywhere
        first = min((row["from_at"] for row in rows if row["from_at"]), default=None)
        return split(list(ids), window, bucket, "UTC", first)
    return [part for row in rows for part in split(row["ids"], window, bucket, row["timezone"], row["from_at"])]


def split(ids: list[int], window: Window, bucket: Bucket, timezone: str, first: datetime | None) -> list[WindowPart]:
    """Return a window in its parts before and after the period of the first mark; without one, in one part."""
    at = window.end if first is None else max(window.start, start_of(first, bucket, zone(timezone)))
    parts = (
        WindowPart(ids, Window(window.start, at), rolled_up=True),
        WindowPart(ids, Window(at, window.end), rolled_up=False),
    )
    return [part for part in parts if part.window.start < part.window.end]
