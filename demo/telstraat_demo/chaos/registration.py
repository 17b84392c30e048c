"""Put a simulated fleet on the map: its streets as segments, its sensors with passwords of their own."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from telstraat_cli.errors import CliError
from telstraat_firmware_sim.fleet.fleet import Fleet

INSTALLED_BEFORE = timedelta(days=1)


def register_fleet(dsn: str, fleet: Fleet, access: Path, passwords: Path) -> int:
    """Add segments and sensors that are not there yet, write the broker's files and a password file a sensor.

    Returns
    -------
    int
        How many sensors were new. A known sensor without a password file gets a new password.
    """
    import psycopg

    from telstraat_ingest.broker_access import write_access, write_secret
    from telstraat_store.places import add_sensor, draw_segment, renew_password
    from telstraat_store.places.sensors import sensor_names

    passwords.mkdir(parents=True, exist_ok=True, mode=0o700)
    from_at = datetime.combine(fleet.start, time(), UTC) - INSTALLED_BEFORE
    new = 0
    try:
        with psycopg.connect(dsn) as connection:
            known = sensor_names(connection)
            for town in fleet.towns:
                for sensor in fleet.sensors[town.name]:
                    file = passwords / sensor.name
                    if sensor.name not in known:
                        street = town.street(sensor.street)
                        segment = draw_segment(
                            connection, f"{street.name}, {town.name}", street.line, timezone=town.timezone
                        )
                        added = add_sensor(connection, sensor.name, segment, from_at=from_at)
                        write_secret(file, added.password + "\n")
                        new += 1
                    elif not file.exists():
                        write_secret(file, renew_password(connection, sensor.name) + "\n")
            write_access(connection, access)
    except psycopg.OperationalError as error:
        raise CliError(f"the database cannot be reached: {error}".strip()) from error
    return new
