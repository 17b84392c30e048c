"""Sensors as their owner has them: how each is, what may be changed, and how one leaves. Nothing of anybody else's is found here.

Every statement names the owner beside the sensor: whoever has lost a sensor changes nothing of it any more, also with a page
that is still open.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection, sql

from telstraat_store.connection import Row
from telstraat_store.errors import NoSuchRecordError
from telstraat_store.places.installations import install
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.reports.statements import LENGTH
from telstraat_store.transactions import Steps, transaction

# The last report of each stream is one look into its index.
OWN = f"""
select v.sensor_id, v.name, v.owned_since, v.muted_until, v.retired_at, i.installation_id, i.segment_id, i.from_at, i.side,
    i.to_b, i.to_a, i.names_published, s.name as street, s.timezone, coalesce(h.online, false) as online, h.online_since, h.health, h.health_at,
    h.clock_since, h.camera_since, heard.last_at, heard.missing, latest.period_start, latest.observed_s, latest.flags,
    p.last_at as server_at
from sensor v
left join installation i on i.sensor_id = v.sensor_id and i.until_at is null
left join segment s using (segment_id)
left join sensor_health h on h.sensor_id = v.sensor_id
left join server_presence p on true
left join lateral (
    select max(t.last_at) as last_at,
        coalesce(sum((select sum({LENGTH}) from unnest(t.missing) r)), 0)::bigint as missing
    from stream t where t.sensor_id = v.sensor_id
) heard on true
left join lateral (
    select r.period_start, r.observed_s, r.flags from stream t cross join lateral (
        select period_start, observed_s, flags from report
        where report.sensor_id = v.sensor_id and report.epoch_no = t.epoch_no order by period_start desc limit 1
    ) r where t.sensor_id = v.sensor_id order by r.period_start desc limit 1
) latest on true
where v.account_id = %(account_id)s
"""  # noqa: S608  (a constant)
STANDING = """
update installation i set {} from sensor v
where v.sensor_id = i.sensor_id and v.sensor_id = %(sensor_id)s and v.account_id = %(account_id)s and i.until_at is null
"""


async def own_sensors(connection: AsyncConnection[Any], account_id: int | None) -> list[Row]:
    """Return the sensors of an account, each with where it stands and what is known of how it is."""
    return await fetch_all(connection, OWN + " order by v.retired_at nulls first, v.name", {"account_id": account_id})


async def find_own_sensor(connection: AsyncConnection[Any], sensor_id: int, account_id: int | None) -> Row | None:
    """Return one sensor of an account as `own_sensors` does; None when it is not theirs."""
    values = {"account_id": account_id, "sensor_id": sensor_id}
    return await fetch_one(connection, OWN + " and v.sensor_id = %(sensor_id)s", values)


async def is_owner(connection: AsyncConnection[Any], sensor_id: int, account_id: int | None) -> bool:
    """Tell whether a sensor belongs to an account now, and the account may sign in."""
    row = await fetch_one(
        connection,
        "select from sensor v join account a using (account_id)"
        " where (v.sensor_id, v.account_id) = (%s, %s) and a.disabled_at is null",
        (sensor_id, account_id),
    )
    return row is not None


async def own_installations(connection: AsyncConnection[Any], sensor_id: int, account_id: int | None) -> list[Row]:
    """Return where a sensor stood while it was its owner's, the latest first; `theirs_from` is when that began to be so."""
    return await fetch_all(
        connection,
        """
        select i.*, s.name as street, s.timezone, greatest(i.from_at, v.owned_since) as theirs_from
        from sensor v join installation i using (sensor_id) join segment s using (segment_id)
        where (v.sensor_id, v.account_id) = (%s, %s) and coalesce(i.until_at, 'infinity') > v.owned_since
        order by i.from_at desc
        """,
        (sensor_id, account_id),
    )


async def name_directions(
    connection: AsyncConnection[Any], sensor_id: int, account_id: int | None, names: Mapping[str, Any]
) -> bool:
    """Say what the owner calls the ways `to_b` and `to_a`, whether everybody reads that (`published`), and its `side`; False when it stands nowhere."""
    values = {**names, "sensor_id": sensor_id, "account_id": account_id}
    return bool(
        await execute(
            connection,
            STANDING.format(
                "to_b = %(to_b)s, to_a = %(to_a)s, names_published = %(published)s, side = coalesce(%(side)s, side)"
            ),
            values,
        )
    )


async def published_directions(connection: AsyncConnection[Any], segment_id: int) -> Row | None:
    """Return what the ways `to_b` and `to_a` of a street are called for everybody, None where no owner has published that."""
    return await fetch_one(
        connection,
        "select to_b, to_a from installation where segment_id = %s and until_at is null and names_published"
        " and (to_b <> '' or to_a <> '') order by from_at desc limit 1",
        (segment_id,),
    )


async def mute(connection: AsyncConnection[Any], sensor_id: int, account_id: int | None, until: datetime) -> bool:
    """Write no letters about a sensor's silence until a time; a time that is over lets them come again."""
    return bool(
        await execute(
            connection,
            "update sensor set muted_until = %s where (sensor_id, account_id) = (%s, %s)",
            (until, sensor_id, account_id),
        )
    )


@transaction
def move_own_sensor(
    sensor_id: int, account_id: int | None, segment_id: int, *, from_at: datetime, names: Mapping[str, Any]
) -> Steps[int]:
    """Install one's own sensor at another street from a time on and return the installation; what it counted stays where it was.

    Raises
    ------
    NoSuchRecordError
        It is not theirs, is retired, or there is no such street.
    DuplicateError
        The sensor stands somewhere after that time already: history is not overwritten.
    """
    mine = yield (
        "select sensor_id from sensor where (sensor_id, account_id) = (%s, %s) for update",
        (sensor_id, account_id),
    )
    if not mine:
        raise NoSuchRecordError(f"there is no sensor {sensor_id} of yours")
    number = yield from install.steps(sensor_id, segment_id, from_at=from_at, side=names.get("side"))
    yield (
        "update installation set to_b = %s, to_a = %s, names_published = %s where installation_id = %s",
        (names.get("to_b") or "", names.get("to_a") or "", bool(names.get("published")), number),
    )
    return number


@transaction
def retire_own_sensor(sensor_id: int, account_id: int | None, *, forget: bool = False) -> Steps[bool]:
    """End one's own sensor: it counts no more and its counts stay. False when it is not theirs.

    With `forget` nothing tells any more whose it was: owner, side, names of directions, notes, its words about itself go, and so do its codes,
    its settings, who tried to set it up, links in letters, messages in quarantine, and its name, which may name a house.
    """
    at = datetime.now(UTC)
    mine = yield (
        (
            "update sensor set retired_at = coalesce(retired_at, %s), secret = null, token = null where (sensor_id, account_id) = (%s, %s)"
            " returning sensor_id"
        ),
        (at, sensor_id, account_id),
    )
    if not mine:
        return False
    yield (
        (
            "update installation set until_at = greatest(%s, from_at + interval '1 second')"
            " where sensor_id = %s and until_at is null"
        ),
        (at, sensor_id),
    )
    if forget:
        yield from forget_owner.steps([sensor_id])
        for table in ("sensor_health", "sensor_claim", "sensor_config", "enrol_attempt", "sign_in_link", "quarantine"):
            yield sql.SQL("delete from {} where sensor_id = %s").format(sql.Identifier(table)), (sensor_id,)
        yield (
            "update sensor set name = %s, muted_until = null where sensor_id = %s",
            (f"forgotten-{secrets.token_hex(8)}", sensor_id),
        )
    return True


@transaction
def forget_owner(sensors: list[int]) -> Steps[None]:
    """Make sensors nobody's, and drop what tells a house; their counts stay."""
    yield (
        "update installation set side = null, to_b = '', to_a = '', names_published = false, note = '' where sensor_id = any(%s)",
        (sensors,),
    )
    yield "delete from sensor_claim where sensor_id = any(%s) and claimed_at is not null", (sensors,)
    yield "delete from sensor_letter where sensor_id = any(%s)", (sensors,)
    yield "update sensor set account_id = null where sensor_id = any(%s)", (sensors,)


async def search_streets(connection: AsyncConnection[Any], words: str, limit: int) -> list[Row]:
    """Return number, name and line of the streets in whose names the words occur, by name; the first of all without words."""
    return await fetch_all(
        connection,
        """
        select segment_id, name, geometry, timezone from segment
        where position(lower(%(words)s) in lower(name)) > 0 order by name, segment_id limit %(limit)s
        """,
        {"words": words, "limit": limit},
    )
