"""Settings that a sensor shall run: whole, under a version that rises, sent until its health says that it runs or refuses them."""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb

from telstraat_contract.messages import Config
from telstraat_store.connection import Row
from telstraat_store.errors import NoSuchRecordError
from telstraat_store.queries import fetch_one
from telstraat_store.transactions import Steps, transaction

# What it has run or refused before may be more than we know: a database that was restored begins no version twice.
NEXT_VERSION = """
select greatest(c.version, (h.health ->> 'config')::bigint, (h.health ->> 'refused')::bigint, 0) + 1 as version, c.settings
from sensor v left join sensor_config c using (sensor_id) left join sensor_health h using (sensor_id)
where v.sensor_id = %s
"""
ON_THE_WAY = """
select v.name, c.version, c.settings from sensor_config c
join sensor v using (sensor_id) left join sensor_health h using (sensor_id)
where v.retired_at is null and c.version > greatest((h.health ->> 'config')::bigint, (h.health ->> 'refused')::bigint, 0)
order by c.sensor_id
"""


@transaction
def send_settings(sensor_id: int, changes: Config) -> Steps[int]:
    """Let a sensor run other settings and return their version; what `changes` leave null stays as it was sent before.

    Raises
    ------
    NoSuchRecordError
        There is no such sensor, or it is retired.
    """
    live = yield (
        "select sensor_id from sensor where sensor_id = %s and retired_at is null for update",
        (sensor_id,),
    )
    if not live:
        raise NoSuchRecordError(f"there is no sensor {sensor_id}, or it is retired")
    rows = yield NEXT_VERSION, (sensor_id,)
    settings = (rows[0]["settings"] or {}) | {
        name: value for name, value in msgspec.to_builtins(changes).items() if value is not None
    }
    version = int(rows[0]["version"])
    yield (
        """
        insert into sensor_config (sensor_id, version, settings) values (%s, %s, %s)
        on conflict (sensor_id) do update set version = excluded.version, settings = excluded.settings, sent_at = now()
        """,
        (sensor_id, version, Jsonb({**settings, "version": version})),
    )
    return version


@transaction
def send_settings_by_name(name: str, changes: Config) -> Steps[int]:
    """Do what `send_settings` does, for a sensor known by its name."""
    rows = yield "select sensor_id from sensor where name = %s", (name,)
    if not rows:
        raise NoSuchRecordError(f"there is no sensor {name!r}")
    return (yield from send_settings.steps(rows[0]["sensor_id"], changes))


async def settings_of_sensor(connection: AsyncConnection[Any], sensor_id: int) -> Row | None:
    """Return `version`, `settings` and `sent_at` of what a sensor shall run; None when it was sent nothing."""
    return await fetch_one(
        connection, "select version, settings, sent_at from sensor_config where sensor_id = %s", (sensor_id,)
    )


def settings_on_the_way(connection: Connection[Any]) -> list[tuple[str, Config]]:
    """Return name and settings of every sensor that has not said yet that it runs or refuses what it shall run."""
    return [
        (name, msgspec.convert({**settings, "version": version}, Config, strict=False))
        for name, version, settings in connection.execute(ON_THE_WAY).fetchall()
    ]
