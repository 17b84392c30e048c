"""Installations: which sensor stood at which segment, from when to when. A move or a new line is a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection, Connection, sql
from psycopg.errors import ExclusionViolation, ForeignKeyViolation

from telstraat_store.connection import Row
from telstraat_store.errors import DuplicateError, NoSuchRecordError
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction

SELECT = "select i.*, v.name, v.account_id from installation i join sensor v using (sensor_id) "

# The first and the last report of an installation: one look into an index each, whatever it has sent.
REPORTED = sql.SQL("""
select i.installation_id, i.sensor_id, i.segment_id, i.from_at, i.until_at, coalesce(h.online, false) as online,
       s.timezone, packages.first_at, packages.last_at
from installation i
join segment s using (segment_id)
left join sensor_health h using (sensor_id)
left join lateral (
    select min(first.period_start) as first_at, max(last.received_at) as last_at
    from stream
    cross join lateral (
        select r.period_start from report r
        where r.sensor_id = i.sensor_id and r.epoch_no = stream.epoch_no
          and r.period_start >= i.from_at and r.period_start < coalesce(i.until_at, 'infinity')
        order by r.period_start limit 1
    ) first
    cross join lateral (
        select r.received_at from report r
        where r.sensor_id = i.sensor_id and r.epoch_no = stream.epoch_no
          and r.period_start >= i.from_at and r.period_start < coalesce(i.until_at, 'infinity')
        order by r.period_start desc limit 1
    ) last
    where stream.sensor_id = i.sensor_id
) packages on true
{where} order by i.installation_id""")


@transaction
def install(
    sensor_id: int, segment_id: int, *, from_at: datetime | None = None, side: str | None = None, note: str = ""
) -> Steps[int]:
    """Install a sensor at a segment from a time on (now), ending where it stood before, and return the installation.

    Raises
    ------
    NoSuchRecordError
        There is no such sensor, it is retired, or there is no such segment.
    DuplicateError
        The sensor stands somewhere after that time already: history is not overwritten.
    """
    at = from_at or datetime.now(UTC)
    locked = yield "select sensor_id from sensor where sensor_id = %s and retired_at is null for update", (sensor_id,)
    if not locked:
        raise NoSuchRecordError(f"there is no sensor {sensor_id}, or it is retired")
    yield (
        "update installation set until_at = %s where sensor_id = %s and until_at is null and from_at < %s",
        (at, sensor_id, at),
    )
    try:
        rows = yield (
            """
            insert into installation (sensor_id, segment_id, from_at, side, note) values (%s, %s, %s, %s, %s)
            returning installation_id
            """,
            (sensor_id, segment_id, at, side, note),
        )
    except ForeignKeyViolation as error:
        raise NoSuchRecordError(f"there is no segment {segment_id}; add it first") from error
    except ExclusionViolation as error:
        raise DuplicateError(f"sensor {sensor_id} stands somewhere after {at.isoformat()} already") from error
    return int(rows[0]["installation_id"])


async def change_installation(
    connection: AsyncConnection[Any], installation_id: int, changes: Mapping[str, Any]
) -> None:
    """Change `side`, `note` or `until_at`; what is None stays. Segment and beginning never change: that would rewrite history.

    Raises
    ------
    DuplicateError
        The sensor stands somewhere else in that time.
    """
    try:
        await execute(
            connection,
            "update installation set side = coalesce(%(side)s, side), note = coalesce(%(note)s, note),"
            " until_at = coalesce(%(until_at)s, until_at) where installation_id = %(installation_id)s",
            {**changes, "installation_id": installation_id},
        )
    except ExclusionViolation as error:
        raise DuplicateError("the sensor stands somewhere else in that time") from error


async def find_installation(connection: AsyncConnection[Any], installation_id: int) -> Row | None:
    """Return an installation with its sensor's name and owner, or None."""
    return await fetch_one(connection, SELECT + "where i.installation_id = %s", (installation_id,))


async def list_installations(
    connection: AsyncConnection[Any],
    *,
    after: int,
    limit: int,
    segment_id: int | None = None,
    sensor_id: int | None = None,
) -> list[Row]:
    """Return installations by number, those of a segment, of a sensor, or all; past ones too."""
    return await fetch_all(
        connection,
        SELECT + "where i.installation_id > %(after)s and (%(segment)s::bigint is null or i.segment_id = %(segment)s)"
        " and (%(sensor)s::int is null or i.sensor_id = %(sensor)s) order by i.installation_id limit %(limit)s",
        {"after": after, "limit": limit, "segment": segment_id, "sensor": sensor_id},
    )


STAYS = """
select i.from_at, i.until_at, after.segment_id as next_id, after.name as next_name, before.segment_id as before_id, before.name as before_name
from installation i
left join lateral (
    select g.segment_id, g.name from installation n join segment g using (segment_id)
    where n.sensor_id = i.sensor_id and n.from_at >= i.until_at and n.segment_id <> i.segment_id order by n.from_at limit 1
) after on true
left join lateral (
    select g.segment_id, g.name from installation n join segment g using (segment_id)
    where n.sensor_id = i.sensor_id and n.until_at <= i.from_at and n.segment_id <> i.segment_id order by n.until_at desc limit 1
) before on true
where i.segment_id = %s order by i.until_at desc nulls first, i.from_at desc limit %s
"""


async def list_stays(connection: AsyncConnection[Any], segment_id: int, limit: int) -> list[Row]:
    """Return from when until when sensors stood in a street, the latest first, with the street in which each stood `before` and stood `next`."""
    return await fetch_all(connection, STAYS, (segment_id, limit))


async def list_reported_installations(
    connection: AsyncConnection[Any],
    *,
    installation_id: int | None = None,
    segment_id: int | None = None,
    sensor_id: int | None = None,
) -> list[Row]:
    """Return installations by number with the start of their first report (`first_at`) and when the last came (`last_at`).

    One, those of a segment, those of a sensor, or all.
    """
    numbers = {"installation_id": installation_id, "segment_id": segment_id, "sensor_id": sensor_id}
    conditions = [
        sql.SQL("i.{} = {}").format(sql.Identifier(column), sql.Literal(number))
        for column, number in numbers.items()
        if number is not None
    ]
    where = sql.SQL("where ") + sql.SQL(" and ").join(conditions) if conditions else sql.SQL("")
    return await fetch_all(connection, REPORTED.format(where=where))


async def timezone_of(connection: AsyncConnection[Any], column: str, number: int) -> str | None:
    """Return the time zone of a segment, an installation or a sensor, where it stood last; None when there is none such.

    Parameters
    ----------
    connection
        With all rights.
    column
        What the number is of: `segment_id`, `installation_id` or `sensor_id`.
    number
        The segment, installation or sensor.
    """
    row = await fetch_one(
        connection,
        """
        select s.timezone from segment s left join installation i using (segment_id)
        where case %(column)s when 'segment_id' then s.segment_id when 'installation_id' then i.installation_id
              else i.sensor_id end = %(number)s
        order by i.until_at desc nulls first limit 1
        """,
        {"column": column, "number": number},
    )
    return None if row is None else str(row["timezone"])


def list_beginnings(connection: Connection[Any], segments: Sequence[int]) -> list[tuple[int, int, datetime]]:
    """Return segment, number and begin of every installation at some segments, in order of time."""
    return connection.execute(
        "select segment_id, installation_id, from_at from installation where segment_id = any(%s) order by from_at",
        (list(segments),),
    ).fetchall()
