"""Measures and the streets that they name: one is never written without the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.work.published import Audience, NewestPage, Page, delete_row, fetch_newest, fetch_page, update_row

ROLES = {"treated": "treated", "controls": "control", "boundary": "boundary"}
"""A measure's lists of streets, and the role that a street of each has."""

Streets = Mapping[str, Sequence[int]]
"""Numbers of segments by the name of their list."""

SELECT = """
select m.*, a.email,
    coalesce((select array_agg(segment_id order by place) from measure_segment p
        where p.measure_id = m.measure_id and role = 'treated'), '{}') as treated,
    coalesce((select array_agg(segment_id order by place) from measure_segment p
        where p.measure_id = m.measure_id and role = 'control'), '{}') as controls,
    coalesce((select array_agg(segment_id order by place) from measure_segment p
        where p.measure_id = m.measure_id and role = 'boundary'), '{}') as boundary
from measure m left join account a using (account_id)
"""
OF_FORM = "where m.account_id is not distinct from %s and m.details ->> 'form' = %s"
OF_SEGMENT = """
and (%(segment)s::bigint is null or exists (
    select from measure_segment p where p.measure_id = listed.measure_id and p.segment_id = %(segment)s
))
"""


async def find_measure(connection: AsyncConnection[Any], measure_id: int) -> Row | None:
    """Return a measure with its streets and its maker's address, or None."""
    return await fetch_one(connection, SELECT + "where m.measure_id = %s", (measure_id,))


async def list_measures(
    connection: AsyncConnection[Any], audience: Audience, page: Page, segment_id: int | None = None
) -> list[Row]:
    """Return measures by number, those of a segment or all."""
    return await fetch_page(connection, SELECT, "measure_id", audience, page, OF_SEGMENT, segment=segment_id)


async def newest_measures(
    connection: AsyncConnection[Any], audience: Audience, page: NewestPage
) -> tuple[list[Row], bool]:
    """Return the measures that begin last first, planned ones before them, and whether there are older ones."""
    return await fetch_newest(connection, SELECT, "measure_id", audience, page, "first_day desc,")


async def add_measure(
    connection: AsyncConnection[Any],
    account_id: int | None,
    values: Mapping[str, Any],
    details: Mapping[str, Any],
    streets: Streets,
    form: str = "",
) -> Row:
    """Add a measure with its streets and return it.

    Parameters
    ----------
    connection
        With all rights.
    account_id
        Whose it is.
    values
        `name`, `kind`, `description`, `first_day`, `timezone`, `published`.
    details
        The rest of what the analysis calls a measure.
    streets
        In each role, in the order in which they were named.
    form
        Of which form it came: the same one sent twice adds one measure.
    """
    async with connection.transaction():
        if form:
            known = await _added_by(connection, account_id, form)
            if known is not None:
                return known
            details = {**details, "form": form}
        row = await fetch_one(
            connection,
            """
            insert into measure (account_id, name, kind, description, first_day, timezone, details, published)
            values (%(account_id)s, %(name)s, %(kind)s, %(description)s, %(first_day)s, %(timezone)s, %(details)s,
                %(published)s)
            returning measure_id
            """,
            {**values, "account_id": account_id, "details": Jsonb(details)},
        )
        assert row is not None
        await _place_streets(connection, row["measure_id"], streets)
        added = await find_measure(connection, row["measure_id"])
        assert added is not None
    return added


async def _added_by(connection: AsyncConnection[Any], account_id: int | None, form: str) -> Row | None:
    """Return the measure that a form has added already; another sender of it waits for the end of this transaction."""
    await execute(connection, "select pg_advisory_xact_lock(hashtext(%s))", (f"telstraat measure {form}",))
    return await fetch_one(connection, SELECT + OF_FORM, (account_id, form))


async def change_measure(
    connection: AsyncConnection[Any],
    measure: Row,
    values: Mapping[str, Any],
    details: Mapping[str, Any],
    streets: Streets,
) -> Row | None:
    """Change a measure as it was read, and the lists of streets that are given; return it as it is then.

    Raises
    ------
    StaleRecordError
        Somebody has changed it since.
    """
    async with connection.transaction():
        changes = {**values, "details": Jsonb({**measure["details"], **details})}
        await update_row(connection, "measure", "measure_id", measure, changes)
        await _place_streets(connection, measure["measure_id"], streets)
    return await find_measure(connection, measure["measure_id"])


async def delete_measure(connection: AsyncConnection[Any], measure_id: int) -> None:
    """Delete a measure with its streets, evaluations and followers."""
    await delete_row(connection, "measure", "measure_id", measure_id)


async def other_measures_in(connection: AsyncConnection[Any], segments: Sequence[int], measure_id: int) -> list[Row]:
    """Return `day` and `name` of the measures beside one that act on any of these segments; unpublished ones stay nameless."""
    return await fetch_all(
        connection,
        """
        select to_char(m.first_day, 'YYYY-MM-DD') as day, case when m.published then m.name else 'another measure' end as name
        from measure m where m.measure_id <> %(measure)s and exists (
            select from measure_segment p
            where p.measure_id = m.measure_id and p.role = 'treated' and p.segment_id = any(%(segments)s)
        ) order by m.first_day, m.measure_id
        """,
        {"measure": measure_id, "segments": list(segments)},
    )


async def streets_treated(
    connection: AsyncConnection[Any], audience: Audience, first: date, last: date, measure_id: int | None = None
) -> set[int]:
    """Return the streets on which a measure that the audience sees, beside one, began to act from one day to another (INCLUSIVE)."""
    rows = await fetch_all(
        connection,
        """
        select distinct p.segment_id from measure m join measure_segment p using (measure_id)
        where p.role = 'treated' and m.first_day between %(first)s and %(last)s and m.measure_id is distinct from %(measure)s
            and (m.published or m.account_id = %(account)s::int or %(everything)s)
        """,
        {
            "first": first,
            "last": last,
            "measure": measure_id,
            "account": audience.account_id,
            "everything": audience.sees_everything,
        },
    )
    return {row["segment_id"] for row in rows}


async def _place_streets(connection: AsyncConnection[Any], measure_id: int, streets: Streets) -> None:
    """Write down which streets a measure names, in each list that is given."""
    roles = [ROLES[name] for name in streets]
    await execute(
        connection, "delete from measure_segment where measure_id = %s and role = any(%s)", (measure_id, roles)
    )
    for name, segments in streets.items():
        for place, segment in enumerate(segments):
            await execute(
                connection,
                "insert into measure_segment (measure_id, segment_id, role, place) values (%s, %s, %s, %s)",
                (measure_id, segment, ROLES[name], place),
            )
