"""The town's sensors in the database and at the broker, as an operator would have put them up over the months."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import Connection

from telstraat_demo.errors import StackError
from telstraat_demo.town.cast import SensorStay
from telstraat_demo.town.plan import TownPlan
from telstraat_ingest.broker_access import write_secret
from telstraat_store.places import add_sensor, move_sensor, renew_password, retire_sensor
from telstraat_store.places.installations import list_beginnings
from telstraat_store.places.sensors import sensor_names

PASSWORDS = "passwords"
MOVED = "moved with its owner"


def register_sensors(
    connection: Connection[Any],
    folder: Path,
    plan: TownPlan,
    watches: tuple[SensorStay, ...],
    segments: dict[str, int],
    *,
    is_new: bool,
) -> None:
    """Add every sensor where it stood first, with its password in a file; move and retire those whose story says so.

    Raises
    ------
    StackError
        The plan is new, and the database has the sensors of another town already.
    """
    passwords = folder / PASSWORDS
    passwords.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = sensor_names(connection)
    if is_new and (others := sorted({watch.sensor for watch in watches} & known)):
        raise StackError(
            f"the database has a town of an earlier demo (its sensor {others[0]}), whose folder is not {folder.parent}: "
            "give that folder with --dir, or another database"
        )
    for watch in watches:
        if watch.from_at is not None:
            if not list_beginnings(connection, [segments[watch.street]]):
                move_sensor(connection, watch.sensor, segments[watch.street], from_at=watch.from_at, note=MOVED)
            continue
        secret = passwords / watch.sensor
        if watch.sensor not in known:
            added = add_sensor(connection, watch.sensor, segments[watch.street], from_at=plan.first_moment)
            write_secret(secret, added.password + "\n")
        if watch.until_at == plan.live_from:
            retire_sensor(connection, watch.sensor, at_utc=plan.live_from)
        elif not secret.exists():
            write_secret(secret, renew_password(connection, watch.sensor) + "\n")
