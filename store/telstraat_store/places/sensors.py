"""Sensors: added with a password and a claim code of their own, retired, and where each stands and how it is."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from telstraat_contract.errors import SensorNameError
from telstraat_contract.topics import check_sensor_name
from telstraat_store.connection import Row
from telstraat_store.errors import DuplicateError, NoSuchRecordError, RegistryError
from telstraat_store.places.claims import issue_code
from telstraat_store.places.installations import install
from telstraat_store.places.passwords import hash_password, new_password
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction


@dataclass(frozen=True)
class NewSensor:
    """A sensor just added. Password and claim code are known here and nowhere else: only their hashes are stored."""

    sensor_id: int
    name: str
    password: str
    claim_code: str
    installation_id: int | None

    def __repr__(self) -> str:
        return f"NewSensor(sensor_id={self.sensor_id}, name={self.name!r}, password and claim_code not shown)"


@dataclass(frozen=True)
class SensorRow:
    """A sensor as the list shows it."""

    sensor_id: int
    name: str
    segment_id: int | None
    segment: str | None
    installation_id: int | None
    installed_at: datetime | None
    retired_at: datetime | None
    online: bool | None
    last_report_at: datetime | None
    missing: int


@transaction
def add_sensor(
    name: str, segment_id: int | None = None, *, from_at: datetime | None = None, note: str = ""
) -> Steps[NewSensor]:
    """Add a sensor with a password and a claim code of its own, installed at a segment when one is given.

    Raises
    ------
    RegistryError
        The name cannot be, or is taken, or there is no such segment.
    """
    try:
        check_sensor_name(name)
    except SensorNameError as error:
        raise RegistryError(str(error)) from error
    password = new_password()
    rows = yield (
        "insert into sensor (name, secret) values (%s, %s) on conflict (name) do nothing returning sensor_id",
        (name, hash_password(password)),
    )
    if not rows:
        raise RegistryError(f"sensor {name!r} exists already; choose another name")
    sensor_id = int(rows[0]["sensor_id"])
    code, _ = yield from issue_code.steps(sensor_id, name)
    installation_id = None
    if segment_id is not None:
        try:
            installation_id = yield from install.steps(sensor_id, segment_id, from_at=from_at, note=note)
        except NoSuchRecordError as error:
            raise RegistryError(str(error)) from error
    return NewSensor(sensor_id, name, password, code, installation_id)


@transaction
def move_sensor(name: str, segment_id: int, *, from_at: datetime | None = None, note: str = "") -> Steps[int]:
    """Install a sensor, known by its name, at another segment, or with another line, and return the installation.

    Raises
    ------
    RegistryError
        There is no such sensor or segment, the sensor is retired, or stands somewhere after that time already.
    """
    at = from_at or datetime.now(UTC)
    rows = yield "select sensor_id, retired_at is not null as is_retired from sensor where name = %s", (name,)
    if not rows:
        raise (yield from _no_sensor(name))
    if rows[0]["is_retired"]:
        raise RegistryError(f"sensor {name!r} is retired: add one of another name")
    try:
        return (yield from install.steps(rows[0]["sensor_id"], segment_id, from_at=at, note=note))
    except NoSuchRecordError as error:
        raise RegistryError(str(error)) from error
    except DuplicateError as error:
        raise RegistryError(
            f"sensor {name!r} is already installed somewhere after {at.isoformat()}; history is not overwritten"
        ) from error


@transaction
def renew_password(name: str) -> Steps[str]:
    """Give a sensor a new password and return it; the old one ends when the broker's files are written again."""
    password = new_password()
    rows = yield (
        "update sensor set secret = %s where name = %s returning sensor_id",
        (hash_password(password), name),
    )
    if not rows:
        raise (yield from _no_sensor(name))
    return password


@transaction
def retire_sensor(name: str, *, at_utc: datetime | None = None) -> Steps[None]:
    """End a sensor: its installation closes, its reports stay, the broker forgets it when its files are written again."""
    at = at_utc or datetime.now(UTC)
    rows = yield (
        "update sensor set retired_at = coalesce(retired_at, %s), secret = null, token = null where name = %s returning sensor_id",
        (at, name),
    )
    if not rows:
        raise (yield from _no_sensor(name))
    yield (
        """
        update installation set until_at = greatest(%s, from_at + interval '1 second')
        where sensor_id = %s and until_at is null
        """,
        (at, rows[0]["sensor_id"]),
    )


def _no_sensor(name: str) -> Steps[RegistryError]:
    rows = yield "select name from sensor", None
    near = difflib.get_close_matches(name, [row["name"] for row in rows], 1)
    return RegistryError(f"there is no sensor {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def list_sensor_rows(connection: Connection[Any]) -> list[SensorRow]:
    """Return every sensor with where it stands and how it is, by name."""
    with connection.cursor(row_factory=class_row(SensorRow)) as cursor:
        return cursor.execute(
            """
            select s.sensor_id, s.name, i.segment_id, g.name as segment, i.installation_id, i.from_at as installed_at,
                s.retired_at, h.online, t.last_at as last_report_at, coalesce(t.missing, 0)::int as missing
            from sensor s
            left join installation i on i.sensor_id = s.sensor_id and i.until_at is null
            left join segment g using (segment_id)
            left join sensor_health h on h.sensor_id = s.sensor_id
            left join (
                select st.sensor_id, max(st.last_at) as last_at,
                    sum((select sum(upper(r) - lower(r)) from unnest(st.missing) r)) as missing
                from stream st group by st.sensor_id
            ) t on t.sensor_id = s.sensor_id
            order by s.name
            """
        ).fetchall()


def sensor_names(connection: Connection[Any]) -> set[str]:
    """Return the names of all sensors."""
    return {row[0] for row in connection.execute("select name from sensor").fetchall()}


def password_hashes(connection: Connection[Any]) -> list[tuple[str, str]]:
    """Return name and hashed password of every sensor that may enter the broker, by name."""
    return connection.execute(
        "select name, secret from sensor where secret is not null and retired_at is null order by name"
    ).fetchall()


def home_of(connection: Connection[Any], name: str) -> tuple[bool, int | None]:
    """Return whether there is a sensor of that name, and the segment where it stood first, if it was installed."""
    row = connection.execute(
        "select i.segment_id from sensor s left join installation i using (sensor_id) where s.name = %s", (name,)
    ).fetchone()
    return row is not None, row[0] if row else None


SENSORS = """
select v.name, v.sensor_id, v.account_id, v.retired_at, i.segment_id, i.from_at,
       coalesce(h.online, false) as online, h.received_at as heard_at, h.health
from sensor v
left join installation i on i.sensor_id = v.sensor_id and i.until_at is null
left join sensor_health h on h.sensor_id = v.sensor_id
"""


async def find_sensors(connection: AsyncConnection[Any], *, after: int = 0, limit: int = 1000) -> list[Row]:
    """Return sensors by number, with where each stands and when it was last heard."""
    return await fetch_all(
        connection,
        SENSORS + "where v.sensor_id > %(after)s order by v.sensor_id limit %(limit)s",
        {"after": after, "limit": limit},
    )


async def sensors_at(connection: AsyncConnection[Any], segment_id: int) -> list[Row]:
    """Return the sensors that stand at a segment now."""
    return await fetch_all(connection, SENSORS + "where i.segment_id = %s order by v.sensor_id", (segment_id,))


async def sensors_of(connection: AsyncConnection[Any], account_id: int | None) -> list[Row]:
    """Return the sensors that belong to an account."""
    return await fetch_all(connection, SENSORS + "where v.account_id = %s order by v.sensor_id", (account_id,))


async def name_of_sensor(connection: AsyncConnection[Any], sensor_id: int) -> str | None:
    """Return the name of a sensor, or None."""
    row = await fetch_one(connection, "select name from sensor where sensor_id = %s", (sensor_id,))
    return None if row is None else str(row["name"])


async def set_owner(connection: AsyncConnection[Any], sensor_id: int, account_id: int | None) -> bool:
    """Give a sensor to an account, or to nobody; False without such a sensor."""
    return bool(
        await execute(connection, "update sensor set account_id = %s where sensor_id = %s", (account_id, sensor_id))
    )
