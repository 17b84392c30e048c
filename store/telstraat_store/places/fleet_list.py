"""The sensors of a site as an operator looks through them: by state, by name, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.places.fleet import SILENT_AFTER, TWO_DEVICES
from telstraat_store.queries import containing, fetch_all, fetch_one
from telstraat_store.reports.statements import LENGTH

MOVED_WITHIN = "28 days"


class SensorState(StrEnum):
    """How a sensor is, the worst first."""

    DOUBLED = "doubled"  # two devices use its name
    SILENT = "silent"  # nothing has come for two hours
    LATE = "late"  # reports are missing since more than an hour
    ODD = "odd"  # its counts differ from its own past or from its neighbours
    WAITING = "waiting"  # installed, and nothing has ever come
    UNPLACED = "unplaced"  # stands nowhere
    COUNTING = "counting"
    RETIRED = "retired"


FLEET = f"""
with doubled as (
    {TWO_DEVICES}
), heard as (
    select s.sensor_id, max(s.last_at) as last_at, min(s.gap_since) as gap_since,
        coalesce(sum((select sum({LENGTH}) from unnest(s.missing) r)), 0)::int as missing,
        coalesce(sum((select sum({LENGTH}) from unnest(s.lost) r)), 0)::int as lost
    from stream s group by s.sensor_id
), odd_look as (
    select result from job where kind = 'odd-sensors' and state = 'done' order by job_id desc limit 1
), odd as (
    select f.segment_id, jsonb_agg(to_jsonb(f) order by f.first) as oddities
    from odd_look l, jsonb_to_recordset(l.result::jsonb -> 'findings') as f(segment_id bigint, kind text, first text, last text)
    group by f.segment_id
), fleet as (
    select v.sensor_id, v.name, v.retired_at, a.email, i.installation_id, i.segment_id, g.name as segment, g.timezone, i.from_at,
        coalesce(h.online, false) as online, h.received_at as heard_at, h.health, t.last_at, t.gap_since,
        coalesce(t.missing, 0) as missing, coalesce(t.lost, 0) as lost,
        i.from_at > now() - interval '{MOVED_WITHIN}' and exists (
            select from installation e where e.sensor_id = v.sensor_id and e.from_at < i.from_at) as moved,
        (select g2.name from installation e join segment g2 using (segment_id)
            where e.sensor_id = v.sensor_id and e.from_at < i.from_at order by e.from_at desc limit 1) as moved_from,
        o.oddities,
        case
            when v.retired_at is not null then 'retired'
            when d.sensor_id is not null then 'doubled'
            when i.segment_id is null then 'unplaced'
            when t.last_at is null then 'waiting'
            when t.last_at < now() - interval '{SILENT_AFTER}' then 'silent'
            when t.missing > 0 and t.gap_since < now() - interval '1 hour' then 'late'
            when o.segment_id is not null then 'odd'
            else 'counting'
        end as state
    from sensor v
    left join account a on a.account_id = v.account_id
    left join installation i on i.sensor_id = v.sensor_id and i.until_at is null
    left join segment g on g.segment_id = i.segment_id
    left join sensor_health h on h.sensor_id = v.sensor_id
    left join heard t on t.sensor_id = v.sensor_id
    left join doubled d on d.sensor_id = v.sensor_id
    left join odd o on o.segment_id = i.segment_id
)
"""  # noqa: S608  (constants)

BY_STATE = FLEET + "select state, count(*)::int as n from fleet group by state"  # noqa: S608  (a constant)
SENSOR = FLEET + "select * from fleet where sensor_id = %s"  # noqa: S608  (a constant)
ORDER = "array_position(array['doubled', 'silent', 'late', 'odd', 'waiting', 'unplaced', 'counting', 'retired'], state)"


LISTED = (
    FLEET
    + f"""
select *, count(*) over ()::int as total from fleet
where (%(state)s::text is null or state = %(state)s)
    and (%(pattern)s = '%%%%' or name ilike %(pattern)s or segment ilike %(pattern)s or email ilike %(pattern)s)
order by {ORDER}, name offset %(offset)s limit %(limit)s
"""  # noqa: S608  (constants)
)


@dataclass(frozen=True)
class FleetPage:
    """A part of the list: the rows of a page, and how many there are in all."""

    rows: list[Row]
    total: int


async def fleet_by_state(connection: AsyncConnection[Any]) -> dict[str, int]:
    """Return how many sensors are in each state; a state without any is not there."""
    rows = await fetch_all(connection, BY_STATE)
    return {row["state"]: row["n"] for row in rows}


async def list_fleet(
    connection: AsyncConnection[Any], *, state: str | None, search: str, offset: int, limit: int
) -> FleetPage:
    """Return sensors, those that need somebody first; `search` is part of the name of a sensor, a street or its owner's address."""
    rows = await fetch_all(
        connection,
        LISTED,
        {"state": state, "pattern": containing(search), "offset": offset, "limit": limit},
    )
    return FleetPage(rows, rows[0]["total"] if rows else 0)


async def sensor_of_fleet(connection: AsyncConnection[Any], sensor_id: int) -> Row | None:
    """Return a sensor as the list has it, or None."""
    return await fetch_one(connection, SENSOR, (sensor_id,))


async def last_odd_look(connection: AsyncConnection[Any]) -> Row | None:
    """Return `day`, `streets` and `at` of the last look for odd sensors, None before there was one."""
    return await fetch_one(
        connection,
        "select result ->> 'day' as day, (result ->> 'streets')::int as streets, ended_at as at from job"
        " where kind = 'odd-sensors' and state = 'done' order by job_id desc limit 1",
    )
