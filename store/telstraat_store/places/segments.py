"""Street segments: added once, changed, and where they lie with what stands there now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psycopg import AsyncConnection, Connection
from psycopg.errors import UniqueViolation

from telstraat_store.connection import Row
from telstraat_store.errors import LineError, RegistryError
from telstraat_store.places.lines import check_line, is_on_earth
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction

NAME_MAX = 200

OWN_NUMBERS_BELOW = 1_000_000_000
"""Other platforms number their streets from there on; the database never gets so far."""


@dataclass(frozen=True)
class Segment:
    """A piece of a street, from A (its first point) to B."""

    segment_id: int
    name: str
    geometry: dict[str, Any]
    timezone: str
    speed_limit_kmh: int | None
    sensors: int  # that stand there now
    online: int
    first_report: datetime | None
    last_report: datetime | None


SAME = """
select segment_id from segment where osm_way_id is null and name = %(name)s and geometry = %(geometry)s limit 1
"""
"""A street that no number of OpenStreetMap tells from others is known by its name and its line."""

INSERT = """
insert into segment (name, geometry, timezone, speed_limit_kmh, osm_way_id, osm_part)
values (%(name)s, %(geometry)s, %(timezone)s, %(speed_limit_kmh)s, %(osm_way_id)s, %(osm_part)s)
on conflict (osm_way_id, osm_part) where osm_part is not null do nothing returning segment_id
"""
INSERT_NUMBERED = """
insert into segment (name, geometry, timezone, speed_limit_kmh, osm_way_id, segment_id) overriding system value
values (%(name)s, %(geometry)s, %(timezone)s, %(speed_limit_kmh)s, %(osm_way_id)s, %(segment_id)s)
returning segment_id
"""
# The next number that the database gives must be free.
AHEAD = """
select setval(s, greatest(%s, (select last_value from pg_sequences where schemaname || '.' || sequencename = s)))
from pg_get_serial_sequence('segment', 'segment_id') s
"""


@transaction
def add_segment(
    name: str,
    geometry: Mapping[str, Any],
    *,
    timezone: str,
    speed_limit_kmh: int | None = None,
    osm_way_id: int | None = None,
    osm_part: int | None = None,
    segment_id: int | None = None,
) -> Steps[int | None]:
    """Add a segment and return its number.

    Parameters
    ----------
    name, timezone
        The street's name; an IANA time zone.
    geometry
        A checked GeoJSON LineString from A to B, WGS84.
    speed_limit_kmh
        If it is known.
    osm_way_id, osm_part
        The way of OpenStreetMap, and which part of it; a part without a way is one of a file's streets, known by name and line.
    segment_id
        Keeps the number of another platform; the next free one when None.

    Returns
    -------
    int or None
        None when that part of its way, or a street of that name and line, is there already.

    Raises
    ------
    RegistryError
        The number is taken.
    """
    values = {
        "name": name,
        "geometry": json.dumps(geometry),
        "timezone": timezone,
        "speed_limit_kmh": speed_limit_kmh,
        "osm_way_id": osm_way_id,
        "osm_part": osm_part if osm_way_id is not None else None,
        "segment_id": segment_id,
    }
    if osm_part is not None and osm_way_id is None and (yield SAME, values):
        return None
    try:
        rows = yield INSERT if segment_id is None else INSERT_NUMBERED, values
    except UniqueViolation as error:
        raise RegistryError(
            f"segment {segment_id or 'with the next number'} exists already; choose another number or leave it out"
        ) from error
    if segment_id is not None and segment_id < OWN_NUMBERS_BELOW:
        yield AHEAD, (segment_id,)
    return int(rows[0]["segment_id"]) if rows else None


@transaction
def draw_segment(
    name: str,
    points: Sequence[tuple[float, float]],
    *,
    timezone: str = "Europe/Brussels",
    speed_limit_kmh: int | None = None,
    osm_way_id: int | None = None,
    segment_id: int | None = None,
) -> Steps[int]:
    """Add a segment drawn from A to B, longitude and latitude in degrees, and return its number.

    Raises
    ------
    RegistryError
        Name, line, time zone or number cannot be; the text says which and what to do.
    """
    _check_drawn(name, points)
    if segment_id is not None and not 1 <= segment_id < 2**62:
        raise RegistryError(f"segment {name!r}: number {segment_id} is not between 1 and {2**62 - 1}")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise RegistryError(
            f"segment {name!r}: time zone {timezone!r} is not one of IANA's, e.g. Europe/Brussels"
        ) from error
    geometry = {"type": "LineString", "coordinates": [list(point) for point in points]}
    added = yield from add_segment.steps(
        name,
        geometry,
        timezone=timezone,
        speed_limit_kmh=speed_limit_kmh,
        osm_way_id=osm_way_id,
        segment_id=segment_id,
    )
    assert added is not None, "only parts of ways are found again"
    return added


def _check_drawn(name: str, points: Sequence[tuple[float, float]]) -> None:
    if len(points) < 2:
        raise RegistryError(f"segment {name!r}: a line needs two points or more, from A to B; got {len(points)}")
    if len(set(points)) < 2:
        raise RegistryError(f"segment {name!r}: all points of the line are the same; draw it from A to B")
    if not name.strip():
        raise RegistryError("a segment needs a name, e.g. the street's; say --name")
    if len(name) > NAME_MAX or any(ord(sign) < 0x20 for sign in name):
        raise RegistryError(
            f"a segment's name has at most {NAME_MAX} signs and no new line; {name[:40]!r} cannot be one"
        )
    for lon, lat in points:
        if not is_on_earth(lon, lat) or (lon, lat) == (0, 0):
            raise RegistryError(
                f"segment {name!r}: {lon}, {lat} is not a place; write longitude, then latitude in degrees"
            )
    try:
        check_line(points)
    except LineError as error:
        raise RegistryError(f"segment {name!r}: {error}") from error


async def change_segment(connection: AsyncConnection[Any], segment_id: int, changes: Mapping[str, Any]) -> None:
    """Change `name`, `geometry`, `timezone` or `speed_limit_kmh`; what is None stays."""
    geometry = changes["geometry"]
    await execute(
        connection,
        """
        update segment set name = coalesce(%(name)s, name), geometry = coalesce(%(geometry)s, geometry),
            timezone = coalesce(%(timezone)s, timezone),
            speed_limit_kmh = coalesce(%(speed_limit_kmh)s, speed_limit_kmh)
        where segment_id = %(segment_id)s
        """,
        {
            **changes,
            "geometry": None if geometry is None else json.dumps(geometry),
            "segment_id": segment_id,
        },
    )


# The sums tell in which months to look: a sensor of years has reports in many tables.
SELECT = """
select s.segment_id, s.name, s.geometry, s.timezone, s.speed_limit_kmh,
       coalesce(now_there.sensors, 0)::int as sensors, coalesce(now_there.online, 0)::int as online,
       least(reported.first_report, brought.first_at) as first_report,
       greatest(reported.last_report, brought.last_at) as last_report
from segment s
left join lateral (
    select count(*) as sensors, count(*) filter (where h.online) as online
    from installation i left join sensor_health h using (sensor_id)
    where i.segment_id = s.segment_id and i.until_at is null
) now_there on true
left join lateral (
    select coalesce(min(first.period_start), min(hours.first)) as first_report, max(last.period_start) as last_report
    from installation i join stream using (sensor_id)
    left join lateral (
        select min(u.hour_start) as first, max(u.hour_start) as last from public.rollup_hour u
        where u.installation_id = i.installation_id
    ) hours on true
    left join lateral (
        select r.period_start from report r
        where r.sensor_id = i.sensor_id and r.epoch_no = stream.epoch_no and r.period_start >= i.from_at
          and r.period_start < least(i.until_at, hours.first + interval '1 hour', 'infinity')
        order by r.period_start limit 1
    ) first on true
    left join lateral (
        select r.period_start from report r
        where r.sensor_id = i.sensor_id and r.epoch_no = stream.epoch_no
          and r.period_start >= greatest(i.from_at, hours.last) and r.period_start < coalesce(i.until_at, 'infinity')
        order by r.period_start desc limit 1
    ) last on true
    where i.segment_id = s.segment_id
) reported on true
left join lateral (
    select min(p.first_at) as first_at, max(p.last_at) as last_at from (values (900), (3600)) as length (period_s)
    cross join lateral (
        select min(m.period_start) as first_at, max(m.period_start) as last_at from imported m
        where m.segment_id = s.segment_id and m.period_s = length.period_s
    ) p
) brought on true
"""


async def find_segments(connection: AsyncConnection[Any], *, after: int = 0, limit: int = 1000) -> list[Segment]:
    """Return segments by number, those above `after` first."""
    rows = await fetch_all(
        connection,
        SELECT + "where s.segment_id > %(after)s order by s.segment_id limit %(limit)s",
        {"after": after, "limit": limit},
    )
    return [Segment(**row) for row in rows]


async def find_segment(connection: AsyncConnection[Any], segment_id: int) -> Segment | None:
    """Return one segment, or None."""
    row = await fetch_one(connection, SELECT + "where s.segment_id = %(segment_id)s", {"segment_id": segment_id})
    return None if row is None else Segment(**row)


async def names_of(connection: AsyncConnection[Any], segments: Sequence[int]) -> dict[int, str]:
    """Return the names of segments by number; those that do not exist are left out."""
    rows = await fetch_all(
        connection,
        "select segment_id, name from segment where segment_id = any(%s) order by segment_id",
        (list(segments),),
    )
    return {row["segment_id"]: row["name"] for row in rows}


async def segments_named(connection: AsyncConnection[Any], text: str, limit: int) -> list[Row]:
    """Return number and name of the segments that people mean by a text: a number, or a name in whatever case."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    return await fetch_all(
        connection,
        "select segment_id, name from segment where segment_id = %(number)s or lower(name) = lower(%(text)s)"
        " order by segment_id = %(number)s desc nulls last, segment_id limit %(limit)s",
        {"number": number, "text": text, "limit": 1 if number is not None else limit},
    )


async def lines_around(connection: AsyncConnection[Any], segments: Sequence[int], limit: int) -> list[Row]:
    """Return the names and lines of some segments, those asked for first, and of others up to `limit` together."""
    return await fetch_all(
        connection,
        "select segment_id, name, geometry from segment order by (segment_id = any(%s)) desc, segment_id limit %s",
        (list(segments), limit),
    )


async def town_timezone(connection: AsyncConnection[Any]) -> str:
    """Return the time zone of most of the streets, which is the town's; UTC before there is any street."""
    row = await fetch_one(
        connection, "select timezone from segment group by timezone order by count(*) desc, timezone limit 1"
    )
    return "UTC" if row is None else str(row["timezone"])


async def timezones_of(connection: AsyncConnection[Any], segments: Sequence[int] | None = None) -> dict[int, str]:
    """Return the time zones of segments, or of all, by number; those that do not exist are left out."""
    rows = await fetch_all(
        connection,
        "select segment_id, timezone from segment where %(segments)s::bigint[] is null or segment_id = any(%(segments)s)"
        " order by segment_id",
        {"segments": None if segments is None else list(segments)},
    )
    return {row["segment_id"]: row["timezone"] for row in rows}


async def speed_limit_of(connection: AsyncConnection[Any], segment_id: int) -> int | None:
    """Return the speed limit of a segment in km/h, or None where none is known."""
    row = await fetch_one(connection, "select speed_limit_kmh from segment where segment_id = %s", (segment_id,))
    return row["speed_limit_kmh"] if row else None


async def is_any_counted(connection: AsyncConnection[Any], segments: Sequence[int]) -> bool:
    """Tell whether anything was ever counted in one of some segments."""
    row = await fetch_one(
        connection,
        """
        select exists (
            select from installation i join rollup_hour r using (installation_id) where i.segment_id = any(%(s)s)
        ) or exists (select from imported_hour where segment_id = any(%(s)s)) as is_counted
        """,
        {"s": list(segments)},
    )
    return bool(row and row["is_counted"])


def number_of_segment(connection: Connection[Any], name: str) -> int | None:
    """Return the number of a segment of some name, or None."""
    row = connection.execute("select segment_id from segment where name = %s", (name,)).fetchone()
    return None if row is None else int(row[0])


def list_geometries(connection: Connection[Any]) -> list[tuple[int, dict[str, Any]]]:
    """Return number and line of every segment, by number."""
    return connection.execute("select segment_id, geometry from segment order by segment_id").fetchall()


def lines_of(connection: Connection[Any], segments: Sequence[int]) -> list[tuple[int, str, dict[str, Any]]]:
    """Return number, name and line of some segments, by number."""
    return connection.execute(
        "select segment_id, name, geometry from segment where segment_id = any(%s) order by segment_id",
        (list(segments),),
    ).fetchall()


COUNTED = """
select segment_id, name, geometry, timezone from segment s
where (exists (select from installation i join stream using (sensor_id) where i.segment_id = s.segment_id)
    or exists (select from imported m where m.segment_id = s.segment_id))
"""
WITHIN = " and line_box(s.geometry) && box(point(%(west)s, %(south)s), point(%(east)s, %(north)s))"


async def list_counted_segments(
    connection: AsyncConnection[Any], bounds: tuple[float, float, float, float] | None = None
) -> list[Row]:
    """Return number, name, line and time zone of the segments that ever had data, within a box (west, south, east, north) or all."""
    if bounds is None:
        return await fetch_all(connection, COUNTED + " order by segment_id")
    box = dict(zip(("west", "south", "east", "north"), bounds, strict=True))
    return await fetch_all(connection, COUNTED + WITHIN + " order by segment_id", box)


async def list_watched_segments(connection: AsyncConnection[Any], since: datetime) -> list[Row]:
    """Return the segments where a sensor stands that was heard of, or installed, since a time; with both times."""
    return await fetch_all(
        connection,
        """
        select s.segment_id, s.timezone, s.geometry, max(t.last_at) as last_at, max(i.from_at) as from_at
        from segment s join installation i using (segment_id) left join stream t using (sensor_id)
        where i.until_at is null
        group by s.segment_id
        having max(t.last_at) > %(since)s or (max(t.last_at) is null and max(i.from_at) > %(since)s)
        order by s.segment_id
        """,
        {"since": since},
    )


async def find_imported_span(connection: AsyncConnection[Any], segment_id: int) -> Row | None:
    """Return line and time zone of a segment, and from when until when counts of others were brought in; None without it."""
    return await fetch_one(
        connection,
        """
        select geometry, timezone, m.imported_from, m.imported_until from segment s
        left join lateral (
            select min(p.first_at) as imported_from, max(p.last_at + make_interval(secs => p.period_s)) as imported_until
            from (values (900), (3600)) as length (period_s)
            cross join lateral (
                select length.period_s, min(i.period_start) as first_at, max(i.period_start) as last_at from imported i
                where i.segment_id = s.segment_id and i.period_s = length.period_s
            ) p
        ) m on true
        where s.segment_id = %s
        """,
        (segment_id,),
    )
