"""What ingest could not take, as operators look at it: how much of which kind, and message by message."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one

COLUMNS = "q.quarantine_id, q.received_at, q.last_at, q.times, q.topic, q.reason, q.detail, q.payload_bytes, q.sensor_id, v.name"
LISTED = f"""
select {COLUMNS}, count(*) over ()::int as total from quarantine q left join sensor v using (sensor_id)
where (%(reason)s::text is null or q.reason = %(reason)s) and (%(sensor)s::int is null or q.sensor_id = %(sensor)s)
order by q.last_at desc, q.quarantine_id desc offset %(offset)s limit %(limit)s
"""  # noqa: S608  (a constant)
MESSAGE = f"""
select {COLUMNS}, q.payload, q.stored from quarantine q left join sensor v using (sensor_id) where q.quarantine_id = %s
"""  # noqa: S608  (a constant)


async def quarantine_by_reason(connection: AsyncConnection[Any]) -> list[Row]:
    """Return per reason how many messages there are (`n`), how often they came (`times`), and when the last came (`last_at`)."""
    return await fetch_all(
        connection,
        "select reason, count(*)::int as n, sum(times)::bigint as times, max(last_at) as last_at from quarantine"
        " group by reason order by last_at desc",
    )


async def list_quarantine(
    connection: AsyncConnection[Any], *, reason: str | None, sensor_id: int | None, offset: int, limit: int
) -> list[Row]:
    """Return messages, those that came last first, each with the `total` of all that fit."""
    return await fetch_all(
        connection,
        LISTED,
        {"reason": reason, "sensor": sensor_id, "offset": offset, "limit": limit},
    )


async def find_quarantined(connection: AsyncConnection[Any], quarantine_id: int) -> Row | None:
    """Return a message with its `payload` (cut at 16 kB) and what is `stored` where it contradicts that, or None."""
    return await fetch_one(connection, MESSAGE, (quarantine_id,))


async def drop_quarantined(connection: AsyncConnection[Any], *, reason: str, last_before: Any) -> int:
    """Drop the messages of a reason that came for the last time before a moment, and return how many."""
    return await execute(
        connection, "delete from quarantine where reason = %s and last_at <= %s", (reason, last_before)
    )
