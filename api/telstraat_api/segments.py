"""Street segments: where they lie, what stands there now, and how they look on a map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telstraat_api.errors import NotFoundError
from telstraat_store.connection import Database, Row


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


# The sums tell in which months to look: a sensor of years has reports in many tables.
FIND = """
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


async def find_segments(database: Database, after: int = 0, limit: int = 1000) -> list[Segment]:
    """Return segments by id, those after `after` first."""
    rows = await database.rows(
        FIND + "where s.segment_id > %(after)s order by s.segment_id limit %(limit)s", {"after": after, "limit": limit}
    )
    return [Segment(**row) for row in rows]


async def find_segment(database: Database, segment_id: int) -> Segment:
    """Return one segment, or raise `NotFoundError`."""
    row = await database.row(FIND + "where s.segment_id = %(segment_id)s", {"segment_id": segment_id})
    if row is None:
        raise NotFoundError(f"there is no segment {segment_id}; GET /api/v1/segments lists all")
    return Segment(**row)


SENSORS = """
select v.name, v.sensor_id, v.account_id, v.retired_at, i.segment_id, i.from_at,
       coalesce(h.online, false) as online, h.received_at as heard_at, h.health
from sensor v
left join installation i on i.sensor_id = v.sensor_id and i.until_at is null
left join sensor_health h on h.sensor_id = v.sensor_id
"""


async def find_sensors(database: Database, after: int = 0, limit: int = 1000) -> list[Row]:
    """Return sensors by number, with where each stands and when it was last heard."""
    return await database.rows(
        SENSORS + "where v.sensor_id > %(after)s order by v.sensor_id limit %(limit)s", {"after": after, "limit": limit}
    )


async def sensors_at(database: Database, segment_id: int) -> list[Row]:
    """Return the sensors that stand at a segment now."""
    return await database.rows(SENSORS + "where i.segment_id = %s order by v.sensor_id", (segment_id,))
