"""What people have published, the newest first, for operators who look after it; any of it can be taken off the pages."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import AsyncConnection, sql

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all

PUBLISHED = """
select 'measure' as kind, m.measure_id as number, m.name as title, m.description as text, m.created_at as at, a.email,
    null::bigint as segment_id
    from measure m left join account a using (account_id) where m.published
union all
select 'evaluation', e.evaluation_id, m.name, e.note, e.created_at, a.email, null
    from evaluation e join measure m using (measure_id) left join account a on a.account_id = e.account_id where e.published
union all
select 'event', e.event_id, e.title, e.kind, e.created_at, a.email, e.segment_id
    from street_event e left join account a using (account_id) where e.published
union all
select 'workshop', w.workshop_id, w.title, w.place, w.created_at, a.email, null
    from workshop w left join account a using (account_id) where w.published
"""
KINDS: dict[str, tuple[LiteralString, LiteralString]] = {
    "measure": ("measure", "measure_id"),
    "evaluation": ("evaluation", "evaluation_id"),
    "event": ("street_event", "event_id"),
    "workshop": ("workshop", "workshop_id"),
}


async def list_published(connection: AsyncConnection[Any], *, kind: str | None, offset: int, limit: int) -> list[Row]:
    """Return what is published, the newest first, each with the `total` of all that fit."""
    return await fetch_all(
        connection,
        f"select *, count(*) over ()::int as total from ({PUBLISHED}) as listed"  # noqa: S608  (a constant)
        " where %(kind)s::text is null or kind = %(kind)s order by at desc, number desc offset %(offset)s limit %(limit)s",
        {"kind": kind, "offset": offset, "limit": limit},
    )


async def unpublish(connection: AsyncConnection[Any], kind: str, number: int) -> bool:
    """Take something off the pages; whoever made it keeps it, and sees that it is not published. False where it was not."""
    table, key = KINDS[kind]
    statement = sql.SQL(
        "update {table} set published = false, revision = revision + 1 where {key} = {number} and published"
    ).format(table=sql.Identifier(table), key=sql.Identifier(key), number=sql.Literal(number))
    return bool(await execute(connection, statement))
