"""Events: what happened in a street for a time, as people have seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.work.published import Audience, Page, delete_row, fetch_page, update_row

SELECT = "select e.*, a.email from street_event e left join account a using (account_id)"
WITHIN = """
and (%(segment)s::bigint is null or segment_id = %(segment)s)
and until_at > coalesce(%(start)s::timestamptz, '-infinity') and from_at < coalesce(%(end)s::timestamptz, 'infinity')
and (not %(mine)s or account_id = %(account)s::int)
"""
SINCE = "and segment_id = any(%(segments)s) and until_at >= %(since)s"

THE_SAME = """
select event_id from street_event
where (account_id, segment_id, kind, title, from_at, until_at, excludes, published)
    = (%(account_id)s, %(segment_id)s, %(kind)s, %(title)s, %(from_at)s, %(until_at)s, %(excludes)s, %(published)s)
order by event_id limit 1
"""
ADD = """
insert into street_event (account_id, segment_id, kind, title, from_at, until_at, excludes, published)
values (%(account_id)s, %(segment_id)s, %(kind)s, %(title)s, %(from_at)s, %(until_at)s, %(excludes)s, %(published)s)
returning event_id
"""


async def find_event(connection: AsyncConnection[Any], event_id: int) -> Row | None:
    """Return an event with its maker's address, or None."""
    return await fetch_one(connection, SELECT + " where e.event_id = %s", (event_id,))


async def list_events(
    connection: AsyncConnection[Any],
    audience: Audience,
    page: Page,
    *,
    segment_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    only_own: bool = False,
) -> list[Row]:
    """Return events by number: of a segment or all, that touch a window or at any time, of everybody or one's own."""
    filters = {"segment": segment_id, "start": start, "end": end, "mine": only_own}
    return await fetch_page(connection, SELECT, "event_id", audience, page, WITHIN, **filters)


async def list_events_in(
    connection: AsyncConnection[Any], audience: Audience, page: Page, segments: Sequence[int], since: datetime
) -> list[Row]:
    """Return the events in some segments that had not ended at a time."""
    return await fetch_page(connection, SELECT, "event_id", audience, page, SINCE, segments=list(segments), since=since)


async def events_until(connection: AsyncConnection[Any], segments: Sequence[int], end: datetime) -> list[Row]:
    """Return everything that was marked in some segments and began before a time, published or not, the earliest first."""
    return await fetch_all(
        connection,
        """
        select * from street_event where segment_id = any(%(segments)s) and from_at < %(end)s
        order by from_at, event_id
        """,
        {"segments": list(segments), "end": end},
    )


async def add_event(
    connection: AsyncConnection[Any], account_id: int | None, values: Mapping[str, Any], *, once: bool = False
) -> Row:
    """Mark an event and return it; `values` are the columns that people fill in. With `once` the very same sent again is the same event."""
    values = {**values, "account_id": account_id}
    async with connection.transaction():
        row = None
        if once:
            await execute(connection, "select pg_advisory_xact_lock(hashtext(%s))", (f"telstraat event {account_id}",))
            row = await fetch_one(connection, THE_SAME, values)
        if row is None:
            row = await fetch_one(connection, ADD, values)
    assert row is not None
    added = await find_event(connection, row["event_id"])
    assert added is not None
    return added


async def change_event(connection: AsyncConnection[Any], event: Row, values: Mapping[str, Any]) -> Row | None:
    """Change columns of an event as it was read; `StaleRecordError` when somebody was quicker."""
    await update_row(connection, "street_event", "event_id", event, values)
    return await find_event(connection, event["event_id"])


async def delete_event(connection: AsyncConnection[Any], event_id: int) -> None:
    """Delete an event."""
    await delete_row(connection, "street_event", "event_id", event_id)
