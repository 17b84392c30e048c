"""The hours of a street that an evaluation is computed from, and whether all of its reports are added up in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, Connection, sql

# What came within the last day is being added up while one looks, and no answer rests on it alone.
WAITING = """
select from rollup_dirty d join installation i using (sensor_id)
where i.segment_id = %s and d.until_at > greatest(%s, i.from_at, (select reports_from from retention))
    and d.from_at < least(%s, i.until_at, now() - interval '1 day')
    and exists (select from report r where r.sensor_id = d.sensor_id and r.period_start >= d.from_at and r.period_start < d.until_at)
limit 1
"""


def read_street_hours(
    connection: Connection[Any],
    segment_id: int,
    window: tuple[datetime, datetime],
    sides: Sequence[str],
    *,
    whole: bool,
) -> list[tuple[Any, ...]]:
    """Return the hours of a segment in a window, half open.

    Parameters
    ----------
    connection
        With all rights.
    segment_id, window
        Which street, from when until when.
    sides
        The columns of counts that are read.
    whole
        Only hours that were watched whole, as the public reads them (decision 021).

    Returns
    -------
    list of tuple
        Segment, start, source of imported ones, uptime, cars per speed, then the sides.
    """
    query = sql.SQL(
        "select segment_id, period_start, source_id, uptime, car_speed, {} from {} "
        "where segment_id = %s and period_start >= %s and period_start < %s"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, sides)), sql.Identifier("settled" if whole else "public", "segment_hour")
    )
    return connection.execute(query, (segment_id, *window)).fetchall()


def is_waiting(connection: Connection[Any], segment_id: int, window: tuple[datetime, datetime]) -> bool:
    """Tell whether reports of a segment in a window wait to be added up to hours."""
    return bool(connection.execute(WAITING, (segment_id, *window)).rowcount)


async def fingerprint_of_counts(
    connection: AsyncConnection[Any],
    windows: Mapping[int, tuple[datetime, datetime]],
    sides: Sequence[str],
    *,
    whole: bool,
) -> str:
    """Return a hash of the hours of segments in their windows, as `read_street_hours` reads them: other counts, another hash.

    Parameters
    ----------
    connection
        With all rights.
    windows
        Per segment from when until when, half open.
    sides, whole
        As for `read_street_hours`.
    """
    query = sql.SQL(
        "select md5(string_agg(md5(row(period_start, source_id, uptime, car_speed, {})::text), '' order by period_start, source_id)) "
        "from {} where segment_id = %s and period_start >= %s and period_start < %s"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, sides)), sql.Identifier("settled" if whole else "public", "segment_hour")
    )
    digest = hashlib.sha256()
    for segment_id, window in windows.items():
        row = await (await connection.execute(query, (segment_id, *window))).fetchone()
        digest.update(f"{segment_id} {row[0] if row else None} ".encode())
    return digest.hexdigest()
