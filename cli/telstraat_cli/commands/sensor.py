"""Add, list, move or retire sensors, with their own passwords for the broker.

  telstraat sensor segment --name Kerkstraat --line 4.7005,50.8798,4.7019,50.8803
  telstraat sensor add kerkstraat-12 --segment 1001 --access /etc/mosquitto/telstraat
  telstraat sensor list
  telstraat sensor move kerkstraat-12 --segment 1002      history stays where it was counted
  telstraat sensor renew kerkstraat-12 --access FOLDER    a new password
  telstraat sensor configure kerkstraat-12 --line 0.1,0.6,0.9,0.6    the line that it counts on, in shares of its picture
  telstraat sensor retire kerkstraat-12 --access FOLDER
  telstraat sensor access FOLDER                          write the broker's password and ACL files again
  telstraat sensor access FOLDER --follow --pid-file FILE  and whenever something changes, for as long as it runs

A password is shown once, or written to a file with --password-file, and is stored nowhere: only its hash is. So is the
code with which a citizen becomes the sensor's owner (POST /api/v1/claims). With
--access the broker's files are written too; make the broker read them again (SIGHUP for Mosquitto).
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telstraat_cli.database_options import add_database_arguments, dsn_of
from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from psycopg import Connection

DEFAULT_ZONE = "Europe/Brussels"


BROKER_ACCOUNT = "mosquitto"
"""Who reads the broker's files where Mosquitto is the system's; written by root, they would be root's alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    add_database_arguments(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    segment = actions.add_parser("segment", help="add a street segment")
    segment.add_argument("--name", required=True, help="the street's name")
    segment.add_argument("--line", required=True, metavar="LON,LAT,LON,LAT,...", help="points from A to B, WGS84")
    segment.add_argument("--timezone", help="IANA name (Europe/Brussels)")
    segment.add_argument("--anywhere", action="store_true", help="take a line that does not lie in its time zone, too")
    segment.add_argument("--speed-limit", type=int, metavar="KMH")
    segment.add_argument("--osm-way", type=int, metavar="ID")
    segment.add_argument("--id", type=int, help="keep the number of another platform")

    add = actions.add_parser("add", help="add a sensor and make its password")
    add.add_argument("name", help="a-z, 0-9 and '-'; also its user name at the broker")
    add.add_argument(
        "--password-file", type=Path, metavar="FILE", help="write the password there instead of showing it"
    )
    move = actions.add_parser("move", help="install a sensor at another segment, or with another line, from a time on")
    move.add_argument("name")
    for action in (add, move):
        action.add_argument("--segment", type=int, required=action is move, metavar="ID", help="where it stands")
        action.add_argument(
            "--from", dest="from_at", type=moment, metavar="TIME", help="since when (now), e.g. 2026-05-01T09:00+02:00"
        )
        action.add_argument("--note", default="", help="what should be known of this installation")

    configure = actions.add_parser("configure", help="send a sensor the settings that it shall run")
    configure.add_argument("name")
    configure.add_argument(
        "--line", metavar="X1,Y1,X2,Y2", help="counting line in shares of the picture's width and height, 0 to 1"
    )
    configure.add_argument("--flip", choices=["yes", "no"], help="whether left to right across the line is B to A")
    configure.add_argument("--speed-limit", type=int, metavar="KMH")

    renew = actions.add_parser("renew", help="give a sensor a new password")
    renew.add_argument("name")
    renew.add_argument("--password-file", type=Path, metavar="FILE")
    retire = actions.add_parser("retire", help="end a sensor; its counts stay")
    retire.add_argument("name")
    for action in (add, renew, retire):
        action.add_argument("--access", type=Path, metavar="FOLDER", help="write the broker's files there")

    access = actions.add_parser("access", help="write the broker's password and ACL files")
    access.add_argument("folder", type=Path)
    access.add_argument(
        "--follow", action="store_true", help="go on: keep the passwords as the database says, until SIGTERM"
    )
    access.add_argument(
        "--pid-file", type=Path, metavar="FILE", help="with --follow: Mosquitto's, to make it read them again"
    )
    actions.add_parser("list", help="every sensor, where it stands and how it is")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    import psycopg

    from telstraat_contract.errors import MessageError
    from telstraat_ingest.errors import IngestError
    from telstraat_store.errors import TelstraatStoreError

    dsn = dsn_of(args)
    actions: dict[str, Callable[[Connection[Any], argparse.Namespace], None]] = {
        "segment": add_segment,
        "add": add_sensor,
        "move": move_sensor,
        "configure": configure_sensor,
        "renew": renew_password,
        "retire": retire_sensor,
        "access": write_files,
        "list": list_sensors,
    }
    try:
        with psycopg.connect(dsn) as connection:
            actions[args.action](connection, args)
    except (IngestError, MessageError, TelstraatStoreError) as error:
        raise CliError(str(error)) from error
    except psycopg.errors.UndefinedTable as error:
        raise CliError("the database has no schema yet: run telstraat db migrate first") from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).strip()}") from error
    except OSError as error:
        raise CliError(f"{error.filename}: {error.strerror}") from error
    return 0


def moment(text: str) -> datetime:
    """Return a time with its offset from UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 2026-05-01T09:00+02:00") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset from UTC; write {text}+02:00 or {text}Z")
    return at


def add_segment(connection: Connection[Any], args: argparse.Namespace) -> None:
    """Add a street segment."""
    from telstraat_store import places
    from telstraat_store.places.whereabouts import doubt

    try:
        numbers = [float(part) for part in args.line.split(",")]
    except ValueError as error:
        raise CliError(f"--line {args.line!r}: {error}; write LON,LAT,LON,LAT") from error
    if len(numbers) % 2:
        raise CliError(f"--line has {len(numbers)} numbers: every point is LON,LAT")
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    timezone = args.timezone or DEFAULT_ZONE
    question = "" if args.anywhere else doubt(points, timezone, is_named=bool(args.timezone))
    if question:
        raise CliError(
            f"--line: {question}; say --timezone ZONE, correct the line, or say --anywhere to take it as it is"
        )
    segment_id = places.draw_segment(
        connection,
        args.name,
        points,
        timezone=timezone,
        speed_limit_kmh=args.speed_limit,
        osm_way_id=args.osm_way,
        segment_id=args.id,
    )
    print(f"segment {segment_id}: {args.name}")


def add_sensor(connection: Connection[Any], args: argparse.Namespace) -> None:
    """Add a sensor."""
    from telstraat_store import places

    new = places.add_sensor(connection, args.name, args.segment, from_at=args.from_at, note=args.note)
    connection.commit()
    write_access(connection, args.access)
    where = f", installation {new.installation_id} at segment {args.segment}" if new.installation_id else ""
    print(f"sensor {new.name}{where}")
    print(f"claim code for its owner (shown once): {new.claim_code}")
    print(f"they type it at /claim of the site; /claim/label/{new.sensor_id} prints a label with a new one to scan")
    hand_over(new.password, args.password_file)


def move_sensor(connection: Connection[Any], args: argparse.Namespace) -> None:
    """Begin a new installation."""
    from telstraat_store import places

    number = places.move_sensor(connection, args.name, args.segment, from_at=args.from_at, note=args.note)
    print(f"sensor {args.name}: installation {number} at segment {args.segment}")


def configure_sensor(connection: Connection[Any], args: argparse.Namespace) -> None:
    """Send settings."""
    from telstraat_contract.sent_config import config_of
    from telstraat_store.devices.sent_settings import send_settings_by_name

    flip = {"yes": True, "no": False, None: None}[args.flip]
    if args.line is None and flip is None and args.speed_limit is None:
        raise CliError("say what to change: --line, --flip or --speed-limit")
    version = send_settings_by_name(connection, args.name, config_of(args.line, flip, args.speed_limit))
    print(f"sensor {args.name}: settings of version {version} are on their way; the next quarter begins with them")
    print("whether it runs or refuses them stands on its page for operators a minute later")


def renew_password(connection: Connection[Any], args: argparse.Namespace) -> None:
    """Make a new password."""
    from telstraat_store import places

    password = places.renew_password(connection, args.name)
    connection.commit()
    write_access(connection, args.access)
    hand_over(password, args.password_file)


def retire_sensor(connection: Connection[Any], args: argparse.Namespace) -> None:
    """End a sensor."""
    from telstraat_store import places

    places.retire_sensor(connection, args.name)
    connection.commit()
    write_access(connection, args.access)
    print(f"sensor {args.name} is retired; its counts stay")


def write_files(connection: Connection[Any], args: argparse.Namespace) -> None:
    """Write the broker's files."""
    if args.follow:
        connection.close()
        follow_access(dsn_of(args), args.folder, args.pid_file)
        return
    write_access(connection, args.folder)
    print(f"wrote passwords, acl and ingest.password in {args.folder}; make the broker read them again")


def list_sensors(connection: Connection[Any], _: argparse.Namespace) -> None:
    """Show every sensor."""
    from rich.table import Table

    from telstraat_cli.screen import screen
    from telstraat_store import places

    table = Table("sensor", "segment", "street", "installation", "since", "state", "last report", "missing")
    for sensor in places.list_sensor_rows(connection):
        state = (
            "retired" if sensor.retired_at else {True: "online", False: "offline", None: "never heard"}[sensor.online]
        )
        table.add_row(
            sensor.name,
            str(sensor.segment_id or "-"),
            sensor.segment or "-",
            str(sensor.installation_id or "-"),
            day(sensor.installed_at),
            state,
            day(sensor.last_report_at),
            str(sensor.missing or ""),
        )
    screen().print(table)


def write_access(connection: Connection[Any], folder: Path | None) -> None:
    """Write the broker's files when a folder is named."""
    from telstraat_ingest import broker_access

    if folder is not None:
        broker_access.write_access(connection, folder, BROKER_ACCOUNT)


def follow_access(dsn: str, folder: Path, pid_file: Path | None) -> None:
    """Keep the broker's passwords as the database says, until a signal ends it."""
    from telstraat_ingest.broker_following import BrokerFollower
    from telstraat_ingest.logs import begin_logging

    begin_logging("info")
    follower = BrokerFollower(dsn, folder, pid_file)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: follower.stop())
    follower.run()


def hand_over(password: str, path: Path | None) -> None:
    """Show a password once, or put it into a file that only its owner reads."""
    from telstraat_ingest.broker_access import write_secret

    if path is None:
        print(f"password (shown once, stored nowhere): {password}")
    else:
        write_secret(path, password + "\n")
        print(f"password written to {path}")


def day(at: datetime | None) -> str:
    """Return a time as the table shows it, UTC."""
    return at.strftime("%Y-%m-%d %H:%M") if at else "-"
