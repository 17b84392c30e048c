"""Who may count, and where: segments, sensors and installations. A move or a new line is a new installation."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psycopg import Connection
from psycopg.errors import ExclusionViolation, ForeignKeyViolation, UniqueViolation
from psycopg.rows import class_row

from telstraat_contract.claims import DAYS, claim_hash, new_claim_code
from telstraat_contract.errors import SensorNameError
from telstraat_contract.topics import check_sensor_name
from telstraat_ingest.broker_access import hash_password, new_password
from telstraat_ingest.errors import RegistryError

OWN_NUMBERS_BELOW = 1_000_000_000
"""Other platforms number their streets from there on; the database never gets so far."""

Point = tuple[float, float]
"""Longitude and latitude, degrees, WGS84."""


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


def add_segment(
    connection: Connection,
    name: str,
    points: Sequence[Point],
    *,
    timezone: str = "Europe/Brussels",
    speed_limit_kmh: int | None = None,
    osm_way_id: int | None = None,
    segment_id: int | None = None,
) -> int:
    """Add a street segment drawn from A to B and return its id (`segment_id` keeps the number of another platform)."""
    _check_points(name, points)
    if segment_id is not None and not 1 <= segment_id < 2**62:
        raise RegistryError(f"segment {name!r}: number {segment_id} is not between 1 and {2**62 - 1}")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise RegistryError(
            f"segment {name!r}: time zone {timezone!r} is not one of IANA's, e.g. Europe/Brussels"
        ) from error
    geometry = json.dumps({"type": "LineString", "coordinates": [list(point) for point in points]})
    query = (
        "insert into segment (name, geometry, timezone, speed_limit_kmh, osm_way_id, segment_id) overriding system value"
        " values (%s, %s, %s, %s, %s, coalesce(%s, nextval(pg_get_serial_sequence('segment', 'segment_id'))))"
        " returning segment_id"
    )
    values = (name, geometry, timezone, speed_limit_kmh, osm_way_id, segment_id)
    try:
        with connection.transaction():
            row = connection.execute(query, values).fetchone()
    except UniqueViolation as error:
        raise RegistryError(
            f"segment {segment_id or 'with the next number'} exists already; choose another number or leave it out"
        ) from error
    assert row is not None
    if segment_id is not None and segment_id < OWN_NUMBERS_BELOW:
        connection.execute(  # the next number that the database gives must be free
            "select setval(s, greatest(%s, (select last_value from pg_sequences where schemaname || '.' || sequencename = s)))"
            " from pg_get_serial_sequence('segment', 'segment_id') s",
            (segment_id,),
        )
    return int(row[0])


def add_sensor(
    connection: Connection,
    name: str,
    segment_id: int | None = None,
    *,
    from_at: datetime | None = None,
    note: str = "",
) -> NewSensor:
    """Add a sensor with a password and a claim code of its own, installed at a segment when one is given."""
    try:
        check_sensor_name(name)
    except SensorNameError as error:
        raise RegistryError(str(error)) from error
    password = new_password()
    try:
        with connection.transaction():
            row = connection.execute(
                "insert into sensor (name, secret) values (%s, %s) returning sensor_id", (name, hash_password(password))
            ).fetchone()
            assert row is not None
            code = new_claim_code()
            connection.execute(
                "insert into sensor_claim (sensor_id, hash, expires_at) values (%s, %s, now() + %s * interval '1 day')",
                (row[0], claim_hash(name, code), DAYS),
            )
            installation_id = None
            if segment_id is not None:
                installation_id = install(connection, name, segment_id, from_at=from_at, note=note)
    except UniqueViolation as error:
        raise RegistryError(f"sensor {name!r} exists already; choose another name") from error
    return NewSensor(int(row[0]), name, password, code, installation_id)


def renew_password(connection: Connection, name: str) -> str:
    """Give a sensor a new password and return it; the old one ends when the broker's files are written again."""
    password = new_password()
    with connection.transaction():
        done = connection.execute("update sensor set secret = %s where name = %s", (hash_password(password), name))
        if not done.rowcount:
            raise _no_sensor(connection, name)
    return password


def install(
    connection: Connection, name: str, segment_id: int, *, from_at: datetime | None = None, note: str = ""
) -> int:
    """Install a sensor at a segment from a time on (now), ending where it stood before, and return the installation."""
    at = from_at or datetime.now(UTC)
    with connection.transaction():
        sensor_id = _sensor_id(connection, name)
        connection.execute("select from sensor where sensor_id = %s for update", (sensor_id,))
        connection.execute(
            "update installation set until_at = %s where sensor_id = %s and until_at is null and from_at < %s",
            (at, sensor_id, at),
        )
        try:
            with connection.transaction():
                row = connection.execute(
                    "insert into installation (sensor_id, segment_id, from_at, note) values (%s, %s, %s, %s)"
                    " returning installation_id",
                    (sensor_id, segment_id, at, note),
                ).fetchone()
        except ForeignKeyViolation as error:
            raise RegistryError(f"there is no segment {segment_id}; add it first") from error
        except ExclusionViolation as error:
            raise RegistryError(
                f"sensor {name!r} is already installed somewhere after {at.isoformat()}; history is not overwritten"
            ) from error
    assert row is not None
    return int(row[0])


def retire(connection: Connection, name: str, *, at_utc: datetime | None = None) -> None:
    """End a sensor: its installation closes, its reports stay, the broker forgets it when its files are written again."""
    at = at_utc or datetime.now(UTC)
    with connection.transaction():
        sensor_id = _sensor_id(connection, name)
        connection.execute(
            "update sensor set retired_at = coalesce(retired_at, %s), secret = null where sensor_id = %s",
            (at, sensor_id),
        )
        connection.execute(
            "update installation set until_at = greatest(%s, from_at + interval '1 second')"
            " where sensor_id = %s and until_at is null",
            (at, sensor_id),
        )


def sensors(connection: Connection) -> list[SensorRow]:
    """Return every sensor with where it stands and how it is."""
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


def _check_points(name: str, points: Sequence[Point]) -> None:
    if len(points) < 2:
        raise RegistryError(f"segment {name!r}: a line needs two points or more, from A to B; got {len(points)}")
    if len(set(points)) < 2:
        raise RegistryError(f"segment {name!r}: all points of the line are the same; draw it from A to B")
    if not name.strip():
        raise RegistryError("a segment needs a name, e.g. the street's; say --name")
    for lon, lat in points:
        if not (-180 <= lon <= 180 and -90 <= lat <= 90) or (lon, lat) == (0, 0):
            raise RegistryError(
                f"segment {name!r}: {lon}, {lat} is not a place; write longitude, then latitude in degrees"
            )


def _sensor_id(connection: Connection, name: str) -> int:
    row = connection.execute("select sensor_id from sensor where name = %s", (name,)).fetchone()
    if row is None:
        raise _no_sensor(connection, name)
    return int(row[0])


def _no_sensor(connection: Connection, name: str) -> RegistryError:
    names = [row[0] for row in connection.execute("select name from sensor").fetchall()]
    near = difflib.get_close_matches(name, names, 1)
    return RegistryError(f"there is no sensor {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
