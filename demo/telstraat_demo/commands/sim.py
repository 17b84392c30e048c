"""Streets and fleets that do not exist, with known truth.

    telstraat sim street    a simulated street in front of the real device: counted, kept and sent as from a window
    telstraat sim fleet     many sensors' reports over months, without frames, into files or to a broker
    telstraat sim town      the map of a made-up town, as an extract of OpenStreetMap
    telstraat sim chaos     kill, pause and restart everything at random, then prove that no report is lost or doubled

Each has its own --help. The same seed gives the same street and the same fleet.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from rich.console import Console

    from telstraat_demo.chaos.run import ChaosVerdict
    from telstraat_device.settings import Settings
    from telstraat_firmware_sim.demand.demand import SimulatedMeasure
    from telstraat_firmware_sim.fleet.fleet import Fleet
    from telstraat_firmware_sim.fleet.publish import FleetPublisher

STREET_HELP = """A simulated street in front of the real device: counted, kept and sent as from a window.

    telstraat sim street --settings device.toml --truth truth.jsonl
    telstraat sim street --settings device.toml --scene night@oblique --size 640x480 --fps 10 --duration 3600
    telstraat sim street --sensor sim-street --state state --broker localhost:1883 --start 2026-11-21T08:00Z --speed 30

The street has its own clock: it begins at --start, runs --speed times as fast as the wall, and at 1 once it has come to
now. The settings file is a device's (telstraat device --print-settings); its camera is replaced by the street. The truth is
one JSON object a crossing. At the end of --duration, or on Ctrl-C, the open quarter is closed and sent.

Scenes: {scenes}; NAME@VIEW takes another's view."""
FLEET_HELP = """Many sensors' reports over months, with the truth beside them.

    telstraat sim fleet --out fleet --sensors 200 --days 365
    telstraat sim fleet --out plan --days 180 --measure car=-0.3,bike=+0.1 --measure-from 2025-04-01 --shifted 0.4
    telstraat sim fleet --out old --kinds v1=3,s2=1 --silent 0.1 --drift 0.1

    telstraat sim fleet --broker localhost:1883 --state fleet --speed 900 --register DSN --access /etc/telstraat/access

--out FOLDER then holds fleet.json (who and where), truth.parquet (expected with and without the measure, who really passed),
reports.parquet (what the sensors made of it), events.jsonl (what was wrong with them), weather.csv and holidays.csv.

--broker sends instead: each sensor is a client with its own password and the device's own outbox and publisher, on a clock
that --speed makes faster than the wall. --register adds streets and sensors to the database and writes the broker's files."""
TOWN_HELP = """The map of a town that does not exist, as an extract of OpenStreetMap.

    telstraat sim town overbeke.osm.pbf
    telstraat sim town overbeke.osm --seed 4
    telstraat segments import overbeke.osm.pbf

Overbeke has a river with two bridges, a ring road, an old town with narrow streets, a school, parks, a railway, and some
120 streets; --list prints the 24 that its neighbours count, one a line. Main roads, river and parks are always the same;
side streets and their names follow from the seed. What FILE is called says its form: .osm, .osm.gz or .osm.pbf."""
CHAOS_HELP = """Kill, pause and restart everything at random, then prove that no report is lost or doubled.

    telstraat sim chaos --seconds 60 --seed 1

Starts a database, a broker, two ingesters and a fleet of sensors (real outboxes and publishers, in several processes) of its
own. A schedule made from the seed kills (SIGKILL), pauses (SIGSTOP) and restarts them, and cuts, refuses, swallows, delays
and throttles what goes between them. One sensor more is hostile (--peaceful leaves it out): extreme values, floods of lost ranges,
new streams and garbage, all along. Then all is healed, the sensors send what they have, and the table is compared with
what each other sensor closed, byte for byte. Exit code 0: equal. 1: not; the history is kept, with the seed, as JSON lines."""
DEFAULT_SEED = 1
FIRST_DAY = date(2025, 1, 6)
SENSORS_SENT_MAX = 500
LOOK_S = 0.5
CHAOS_SECONDS_MIN = 5
CHAOS_LINES_MAX = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat sim` understands."""
    commands = parser.add_subparsers(dest="what", metavar="street | fleet | town | chaos", required=True)
    _add_street(_command(commands, "street", "a simulated street in front of the real device", street_help()))
    _add_fleet(_command(commands, "fleet", "reports of many sensors over months, without frames", FLEET_HELP))
    _add_town(_command(commands, "town", "the map of a made-up town, as an extract of OpenStreetMap", TOWN_HELP))
    _add_chaos(_command(commands, "chaos", "hurt everything at random, then compare truth and table", CHAOS_HELP))


def run(args: argparse.Namespace) -> int:
    """Run one of the simulators."""
    from telstraat_firmware_sim.errors import SimulatorError

    runs: dict[str, Callable[[argparse.Namespace], int]] = {
        "street": run_street,
        "fleet": run_fleet,
        "town": run_town,
        "chaos": run_chaos,
    }
    try:
        return runs[args.what](args)
    except SimulatorError as error:
        raise CliError(str(error)) from error


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, short: str, text: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=short, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)


SCENE_NAMES = (
    "day", "rain", "shadow", "house-shade", "shake", "drift", "exposure", "dim", "bright", "dusk", "night", "night-rain", "trees", "parked",
    "stopping", "occlusion", "dense", "quiet", "groups", "compressed", "oblique", "oblique-left", "steep", "high", "close",
    "far", "fast", "everything",
)  # fmt: skip
"""As in `telstraat_firmware_sim.street.scenes`, which --help does not import; a test compares them."""


def street_help() -> str:
    """Return the help of `telstraat sim street`."""
    import textwrap

    names = textwrap.fill(", ".join(SCENE_NAMES), 110, subsequent_indent="        ")
    return STREET_HELP.format(scenes=names)


def _add_street(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="a device's settings; the options below win over it"
    )
    parser.add_argument("--sensor", metavar="NAME", help="name of the sensor")
    parser.add_argument("--password-file", metavar="FILE", help="file with its password at the broker")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="where the reports go")
    parser.add_argument("--state", metavar="FOLDER", help="where the device keeps its outbox")
    parser.add_argument("--scene", default="day", metavar="NAME", help="which street, weather and light (day)")
    parser.add_argument(
        "--seed", type=_seed, default=DEFAULT_SEED, metavar="N", help="the same seed, the same traffic (1)"
    )
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="of the picture (640x480)")
    parser.add_argument("--fps", type=float, default=10.0, metavar="N", help="frames per second (10)")
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="how fast its clock runs while behind now (1)"
    )
    parser.add_argument("--start", type=_moment, metavar="TIME", help="UTC of the first frame, 2026-11-21T08:00Z (now)")
    parser.add_argument("--duration", type=float, metavar="S", help="seconds of street time (until Ctrl-C)")
    parser.add_argument(
        "--truth", type=Path, metavar="FILE", help="write down what really crossed, one JSON object a line"
    )


def run_street(args: argparse.Namespace) -> int:
    """Hang the real device before a simulated street."""
    import logging

    from telstraat_contract.messages import Flag
    from telstraat_device import service
    from telstraat_device.errors import DeviceError
    from telstraat_device.quarters.clock import AnchoredClock
    from telstraat_firmware_sim.street.clock import PacedSource
    from telstraat_firmware_sim.street.scenes import scene
    from telstraat_firmware_sim.street.street import SimulatedStreet

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = _device_settings(args)
        width, height = args.size
        street_settings = scene(
            args.scene, seed=args.seed, width=width, height=height, fps=args.fps, duration_s=args.duration
        )
        street = SimulatedStreet(street_settings)
        start = args.start or datetime.now(UTC)
        source = PacedSource(street, start, args.speed, truth_path=args.truth)
        line = None if settings.camera.line else street.line
        return service.run(lambda: source, settings, AnchoredClock(start), line=line, extra_flags=Flag.SIMULATED)
    except DeviceError as error:
        raise CliError(str(error)) from error


def _device_settings(args: argparse.Namespace) -> Settings:
    """Read the settings of the street's device."""
    from telstraat_cli.commands.device import host_and_port
    from telstraat_device.settings import read_settings

    changes: dict[str, dict[str, object]] = {"sensor": {}, "storage": {}, "broker": {}}
    changes["sensor"] |= {"name": args.sensor} if args.sensor else {}
    changes["sensor"] |= {"password_file": args.password_file} if args.password_file else {}
    changes["storage"] |= {"folder": args.state} if args.state else {}
    if args.broker:
        host, port = host_and_port(args.broker)
        changes["broker"] |= {"host": host} | ({"port": port} if port else {})
    if not args.settings and not (args.sensor and args.state):
        raise CliError("give a device's settings with --settings, or at least --sensor and --state")
    return read_settings(args.settings, changes)


def _add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="a new folder for reports and truth")
    parser.add_argument("--sensors", type=int, default=20, metavar="N", help="how many, one in each street (20)")
    parser.add_argument("--days", type=int, default=28, metavar="N", help="how long (28)")
    parser.add_argument("--start", type=_day, metavar="DATE", help="first day (2025-01-06, or so that it ends today)")
    parser.add_argument(
        "--seed", type=_seed, default=DEFAULT_SEED, metavar="N", help="the same seed, the same fleet (1)"
    )
    parser.add_argument("--streets-a-town", type=int, default=40, metavar="N", help="streets under one sky (40)")
    parser.add_argument(
        "--kinds", type=_parts, default={"telstraat": 1.0}, metavar="KIND=PART,…",
        help="sorts of sensors and their parts: telstraat, v1 (blind at night), s2 (no classes at night)",
    )  # fmt: skip
    parser.add_argument(
        "--measure", type=_parts, metavar="CLASS=CHANGE,…", help="a measure halfway: car=-0.3 takes three cars in ten"
    )
    parser.add_argument("--measure-from", type=_day, metavar="DATE", help="its first day (the middle of the period)")
    parser.add_argument("--measure-streets", type=int, default=3, metavar="N", help="how many streets it is in (3)")
    parser.add_argument(
        "--shifted",
        type=float,
        default=0.4,
        metavar="SHARE",
        help="part of it that drives through the next streets (0.4)",
    )
    parser.add_argument(
        "--drift", type=float, default=0.0, metavar="SHARE", help="slow change of detection, 0.1 is ±10 %%"
    )
    parser.add_argument("--silent", type=float, default=0.0, metavar="N", help="silent failures a sensor and year (0)")
    parser.add_argument("--moved", type=float, default=0.0, metavar="N", help="secret moves a sensor and year (0)")
    parser.add_argument("--new", type=float, default=0.0, metavar="SHARE", help="sensors put up during the first half")
    parser.add_argument("--gaps", type=float, default=1.0, metavar="X", help="outages, times the usual (1; 0 is none)")
    parser.add_argument("--perfect", action="store_true", help="sensors that see everything, always")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of the tables (parquet)")
    parser.add_argument("--step", choices=("quarter", "hour"), default="quarter", help="of the tables (quarter)")
    sending = parser.add_argument_group("sending to a broker")
    sending.add_argument(
        "--broker", metavar="HOST[:PORT]", help="send the reports as real clients, as the clock passes"
    )
    sending.add_argument("--state", type=Path, metavar="FOLDER", help="where the sensors keep their outboxes")
    sending.add_argument(
        "--passwords", type=Path, metavar="FOLDER", help="a file with the password of each (STATE/passwords)"
    )
    sending.add_argument("--speed", type=float, default=1.0, metavar="X", help="900 closes a quarter a second (1)")
    sending.add_argument("--register", metavar="DSN", help="add streets and sensors to this database first")
    sending.add_argument("--access", type=Path, metavar="FOLDER", help="with --register: where the broker's files are")
    parser.add_argument("--messages", action="store_true", help="also each sensor's reports as they go on the wire")


def run_fleet(args: argparse.Namespace) -> int:
    """Write a fleet, its truth and its failures, or send its reports."""
    if (args.out is None) == (args.broker is None):
        raise CliError("where should the fleet go? give --out FOLDER for files, or --broker HOST:PORT to send")
    args.start = args.start or (datetime.now(UTC).date() - timedelta(days=args.days) if args.broker else FIRST_DAY)
    if args.broker:
        return send_fleet(args)
    from rich.console import Console
    from rich.progress import Progress

    from telstraat_firmware_sim.fleet.files import write_fleet

    fleet = fleet_of(args)
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("sensors", total=len(fleet.names))
        written = write_fleet(
            fleet, args.out, file_format=args.format, step=args.step, reports_jsonl=args.messages,
            on_sensor=lambda _name: progress.advance(task),
        )  # fmt: skip
    share = written.counted / written.crossings if written.crossings else 0.0
    console.print(
        f"{written.sensors} sensors, {args.days} days: {written.crossings:,} crossings, {written.counted:,} counted "
        f"({share:.0%}), {written.report_rows:,} rows, {written.bytes / 1e6:.1f} MB in {written.folder}",
        soft_wrap=True,
    )
    return 0


def send_fleet(args: argparse.Namespace) -> int:
    """Send a fleet's reports as real clients until all have their receipts, or Ctrl-C."""
    from rich.console import Console

    from telstraat_cli.commands.device import host_and_port
    from telstraat_demo.chaos.registration import register_fleet
    from telstraat_demo.stack.processes import ended_by_signals
    from telstraat_firmware_sim.fleet.publish import FleetClock, FleetPublisher, Wire

    if args.state is None:
        raise CliError("--broker needs --state FOLDER: the sensors keep their reports there until ingest has them")
    if args.sensors > SENSORS_SENT_MAX:
        raise CliError(
            f"--sensors {args.sensors}: one process sends at most {SENSORS_SENT_MAX}, each has threads of its own"
        )
    console = Console(stderr=True)
    fleet = fleet_of(args)
    passwords = args.passwords or args.state / "passwords"
    if args.register:
        if args.access is None:
            raise CliError("--register needs --access FOLDER: where the broker reads its passwords and permissions")
        new = register_fleet(args.register, fleet, args.access, passwords)
        console.print(f"{new} sensors are new; let the broker read its files again (SIGHUP) if it runs already")
    host, port = host_and_port(args.broker)
    wire = Wire(host=host, port=port or 1883, passwords=passwords, state=args.state)
    start = datetime(args.start.year, args.start.month, args.start.day, tzinfo=UTC)
    clock = FleetClock(start, start + timedelta(days=args.days), args.speed, time.time())
    sending = FleetPublisher({name: fleet.reports(name) for name in fleet.names}, wire, clock)
    with ended_by_signals():
        return _watch_sending(sending, console)


def _watch_sending(sending: FleetPublisher, console: Console) -> int:
    """Show how far the sending is; 1 when reports wait without a receipt."""
    from rich.progress import Progress

    total = sum(sensor.total for sensor in sending.sensors)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("reports", total=total)
        try:
            sending.start()
            while sending.running:
                now = sending.progress()
                progress.update(
                    task, completed=now.closed - now.waiting, description=f"{now.waiting} wait for a receipt"
                )
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            sending.stop()
    done = sending.join()
    closed = sum(sensor.closed for sensor in sending.sensors)
    console.print(
        f"{closed:,} of {total:,} reports closed; " + ("all have their receipts" if done else "some wait, and are kept")
    )
    return 0 if done else 1


def _add_town(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a new file: .osm, .osm.gz or .osm.pbf")
    parser.add_argument(
        "--seed", type=_seed, default=DEFAULT_SEED, metavar="N", help="the same seed, the same town (1)"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the streets that are counted")


def run_town(args: argparse.Namespace) -> int:
    """Write the map of the made-up town."""
    from telstraat_firmware_sim.town import map_of_overbeke, overbeke
    from telstraat_firmware_sim.town.extract import write_extract

    if args.list:
        print("\n".join(street.name for street in overbeke(args.seed).streets))
    elif args.file is None:
        raise CliError("say which file to write, as in telstraat sim town overbeke.osm.pbf, or --list")
    if args.file is not None:
        drawn = map_of_overbeke(args.seed)
        write_extract(drawn, args.file)
        if not args.list:
            streets = {way.tags["name"] for way in drawn.ways if "highway" in way.tags and "name" in way.tags}
            print(f"{args.file}: Overbeke, {len(streets)} streets")
    return 0


def _add_chaos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long things go wrong (60)")
    parser.add_argument("--seed", type=_seed, default=DEFAULT_SEED, metavar="N", help="which things, and when (1)")
    parser.add_argument("--sensors", type=int, default=20, metavar="N", help="how many sensors (20)")
    parser.add_argument("--processes", type=int, default=4, metavar="N", help="in how many processes (4)")
    parser.add_argument(
        "--speed", type=float, default=900.0, metavar="X", help="the fleet's clock: 900 closes a quarter a second (900)"
    )
    parser.add_argument("--peaceful", action="store_true", help="without the hostile sensor")
    parser.add_argument("--broker-kind", choices=["mosquitto", "amqtt"], help="which broker (what is installed)")
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="keep everything here; else only a red run is kept")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, the last line of the output")


def run_chaos(args: argparse.Namespace) -> int:
    """Run chaos and tell what it has shown."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from telstraat_demo.stack.needs import check_needs

    check_needs("chaos", kind=args.broker_kind)
    from telstraat_demo.chaos.run import ChaosSettings, run_chaos
    from telstraat_demo.stack.processes import ended_by_signals

    if args.seconds < CHAOS_SECONDS_MIN:
        raise CliError(f"--seconds {args.seconds:g}: give {CHAOS_SECONDS_MIN} or more, or nothing has time to go wrong")
    settings = ChaosSettings(
        seconds=args.seconds, seed=args.seed, sensors=args.sensors, processes=args.processes, speed=args.speed,
        broker=args.broker_kind, hostile=not args.peaceful,
    )  # fmt: skip
    console = Console(stderr=True)
    with ended_by_signals():
        verdict = run_chaos(settings, args.dir, lambda text: console.print(text, highlight=False))
    for line in chaos_summary(verdict):
        console.print(line, soft_wrap=True, highlight=False)
    complaints = [*verdict.deaths, *verdict.differences]
    if not verdict.drained:
        complaints.append("not every sensor got all its receipts in time")
    if verdict.quarantined or verdict.gaps:
        complaints.append(f"{verdict.quarantined} messages in quarantine, {verdict.gaps} gaps that are still asked for")
    for line in complaints[:CHAOS_LINES_MAX]:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    if verdict.history:
        console.print(f"  the history is in {verdict.history}", soft_wrap=True)
    if args.json:
        print(json.dumps(asdict(verdict) | {"differing": verdict.differing, "green": verdict.green}, default=str))
    return 0 if verdict.green else 1


def chaos_summary(verdict: ChaosVerdict) -> list[str]:
    """Say what was hurt, what was sent and what the table holds."""
    lines = []
    if verdict.figures is not None:
        faults, ingesters, sensors = verdict.figures.faults, verdict.figures.ingesters, verdict.figures.sensors
        kinds = ", ".join(f"{name} {many}" for name, many in faults.items())
        sent, resent, connects = (sensors.get(name, 0) for name in ("sent", "resent", "connects"))
        received, duplicates = (ingesters.get(name, 0) for name in ("received", "duplicates"))
        lines = [
            f"  faults: {sum(faults.values())} of {verdict.operations}: {kinds}",
            f"  at least {sent:,} reports sent, {resent:,} sent again, in {connects:,} connections",
            f"  at least {received:,} messages received by ingest, {duplicates:,} of them duplicates",
            f"  {verdict.reports:,} reports closed in {verdict.epochs} epochs, {verdict.rows:,} rows in the table",
            f"  {verdict.differing} differing quarters; {verdict.took_s:g} s, drained in {verdict.drain_s:g} s",
        ]
    outcome = "every report stands in the table once, byte for byte" if verdict.green else "[bold]RED[/bold]"
    return [f"seed {verdict.settings.seed}: {outcome}", *lines]


def fleet_of(args: argparse.Namespace) -> Fleet:
    """Make the fleet that the options describe."""
    from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet

    settings = FleetSettings(
        sensors=args.sensors, start=args.start, days=args.days, seed=args.seed, kinds=args.kinds,
        streets_a_town=args.streets_a_town, drift=args.drift, silent_a_year=args.silent, moved_a_year=args.moved,
        new_share=args.new, gaps=args.gaps, perfect=args.perfect,
    )  # fmt: skip
    fleet = made_up_fleet(settings)
    return made_up_fleet(settings, (measure_of(args, fleet),)) if args.measure else fleet


def measure_of(args: argparse.Namespace, fleet: Fleet) -> SimulatedMeasure:
    """Make the measure that the options describe, in the first town."""
    from telstraat_firmware_sim.fleet.fleet import made_up_measure

    first = args.measure_from or args.start + timedelta(days=args.days // 2)
    return made_up_measure(fleet.towns, first, args.measure, streets=args.measure_streets, shifted=args.shifted)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2025-04-01") from None


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; write a whole number from 0 on")
    return seed


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write it as 2026-11-21T08:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 640x480") from None
    return width, height


def _parts(text: str) -> dict[str, float]:
    try:
        return {name: float(number) for name, number in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write name=number, several with commas, as in car=-0.3,bike=0.1"
        ) from None
