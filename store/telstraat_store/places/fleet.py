"""How the sensors are doing together: silent ones, names that two devices use, those that somebody watches, the newest report."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from telstraat_store.connection import Row
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.reports.statements import LENGTH

SILENT_AFTER = "2 hours"
"""A sensor that counts sends four reports an hour: eight missed are no hiccup of a network."""

TWO_DEVICES = """
select distinct r.sensor_id from report r
where r.period_start > now() - interval '1 day' and r.sensor_id in (
    select sensor_id from stream where last_at > now() - interval '1 day' group by sensor_id having count(*) > 1)
group by r.sensor_id, r.period_start having sum(r.observed_s) > 900 + count(*)
"""
"""The sensors whose quarters of the last day two devices have observed: few have several streams that are alive."""

GAUGES = f"""
select
    (select coalesce(sum({LENGTH}), 0) from stream, unnest(missing) r) as missing,
    (select coalesce(sum({LENGTH}), 0) from stream, unnest(lost) r)
        + (select coalesce(sum(lost_earlier), 0) from stream) as lost,
    (select count(*) from rollup_dirty) as dirty,
    (select count(*) from installation i join sensor s using (sensor_id)
        where i.until_at is null and s.retired_at is null and i.from_at < now() - interval '{SILENT_AFTER}'
            and not exists (select from stream st where st.sensor_id = i.sensor_id
                and st.last_at > now() - interval '{SILENT_AFTER}')) as silent,
    pg_database_size(current_database()) as database_bytes
"""  # noqa: S608  (constants)


class FleetGauges(NamedTuple):
    """What an operator watches: reports that are missing and lost, ranges to be added up, sensors silent for two hours, bytes."""

    missing: float
    lost: float
    dirty: float
    silent: float
    database_bytes: float


def fleet_gauges(connection: Connection[Any]) -> FleetGauges:
    """Return what an operator watches."""
    with connection.cursor(row_factory=class_row(FleetGauges)) as cursor:
        row = cursor.execute(GAUGES).fetchone()
    assert row is not None
    return row


def names_of_two_devices(connection: Connection[Any]) -> list[str]:
    """Return the names of sensors that two devices use."""
    rows = connection.execute(f"select name from sensor where sensor_id in ({TWO_DEVICES}) order by name")  # noqa: S608
    return [row[0] for row in rows]


def standing_streets(connection: Connection[Any]) -> list[tuple[int, str]]:
    """Return number and time zone of every street where a sensor stands, by number."""
    return connection.execute(
        "select distinct s.segment_id, s.timezone from installation i join segment s using (segment_id)"
        " where i.until_at is null order by 1"
    ).fetchall()


async def ask_for_live_counts(connection: AsyncConnection[Any], segments: Collection[int]) -> list[Row]:
    """Ask the sensors at some segments for live counts, and return their names and numbers with the segment of each."""
    return await fetch_all(
        connection,
        """
        select v.name, v.sensor_id, i.segment_id, pg_notify('telstraat_watch', v.name)
        from installation i join sensor v using (sensor_id)
        where i.segment_id = any(%s) and i.until_at is null and v.retired_at is null
        """,
        (sorted(segments),),
    )


async def newest_arrivals(connection: AsyncConnection[Any], segments: Collection[int]) -> dict[int, datetime]:
    """Return when the newest report of each segment came, for those that had one in the last two days."""
    rows = await fetch_all(
        connection,
        """
        select i.segment_id, max(r.received_at) as at
        from installation i join report r using (sensor_id)
        where i.segment_id = any(%s) and i.until_at is null
          and r.period_start > now() - interval '2 days'
        group by i.segment_id
        """,
        (sorted(segments),),
    )
    return {row["segment_id"]: row["at"] for row in rows}


async def newest_report(connection: AsyncConnection[Any]) -> Row | None:
    """Return start (`at`) and age (`age_s`) of the newest report of the sensors heard of last: asking all of them would read every report."""
    return await fetch_one(
        connection,
        """
        select max(r.period_start) as at, extract(epoch from now() - max(r.received_at))::bigint as age_s
        from (select sensor_id, epoch_no from stream order by last_at desc limit 20) heard
        cross join lateral (
            select period_start, received_at from report
            where report.sensor_id = heard.sensor_id and report.epoch_no = heard.epoch_no
            order by period_start desc limit 1
        ) r
        """,
    )


def note_presence(connection: Connection[Any]) -> None:
    """Note that an ingester listens to the broker now; when nobody did for ten minutes, that the server was deaf until now."""
    connection.execute("select note_presence(now())")
