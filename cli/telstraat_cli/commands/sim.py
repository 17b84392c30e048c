"""Streets and fleets that do not exist, with known truth.

    telstraat sim street    a simulated street in front of the real device: counted, kept and sent as from a window
    telstraat sim fleet     many sensors' reports over months, without frames, into files or to a broker
    telstraat sim chaos     kill, pause and restart everything at random, then prove that no report is lost or doubled

Each has its own --help. The same seed gives the same street and the same fleet.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from telstraat_firmware_sim.demand import Measure
    from telstraat_firmware_sim.fleet import Fleet

FLEET_HELP = """Many sensors' reports over months, with the truth beside them.

    telstraat sim fleet --out fleet --sensors 200 --days 365
    telstraat sim fleet --out plan --days 180 --measure car=-0.3,bike=+0.1 --measure-from 2025-04-01 --shifted 0.4
    telstraat sim fleet --out old --kinds v1=3,s2=1 --silent 0.1 --drift 0.1

FOLDER then holds fleet.json (who and where), truth.parquet (expected with and without the measure, who really passed),
reports.parquet (what the sensors made of it), events.jsonl (what was wrong with them), weather.csv and holidays.csv."""
CHAOS_HELP = """Kill, pause and restart everything at random, then prove that no report is lost or doubled.

    telstraat sim chaos --seconds 60 --seed 1

Starts a database, a broker, two ingesters and a fleet of sensors (real outboxes and publishers, in several processes) of its
own. A schedule made from the seed kills (SIGKILL), pauses (SIGSTOP) and restarts them, and cuts, refuses, swallows, delays
and throttles what goes between them. Then all is healed, the sensors send what they have, and the table is compared with
what each sensor closed, byte for byte. Exit code 0: equal. 1: not; the history is kept, with the seed, as JSON lines."""
DEFAULT_SEED = 1
CHAOS_SECONDS_MIN = 5
CHAOS_LINES_MAX = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat sim` understands."""
    commands = parser.add_subparsers(dest="what", metavar="street | fleet | chaos", required=True)
    _add_fleet(_command(commands, "fleet", "reports of many sensors over months, without frames", FLEET_HELP))
    _add_chaos(_command(commands, "chaos", "hurt everything at random, then compare truth and table", CHAOS_HELP))


def run(args: argparse.Namespace) -> int:
    """Run one of the simulators."""
    from telstraat_firmware_sim.errors import SimulatorError

    runs: dict[str, Callable[[argparse.Namespace], int]] = {"fleet": run_fleet, "chaos": run_chaos}
    try:
        return runs[args.what](args)
    except SimulatorError as error:
        raise CliError(str(error)) from error


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, short: str, text: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=short, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)


def _add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FOLDER", required=True, help="a new folder for reports and truth")
    parser.add_argument("--sensors", type=int, default=20, metavar="N", help="how many, one in each street (20)")
    parser.add_argument("--days", type=int, default=28, metavar="N", help="how long (28)")
    parser.add_argument("--start", type=_day, default=date(2025, 1, 1), metavar="DATE", help="first day (2025-01-01)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N", help="the same seed, the same fleet (1)")
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
    parser.add_argument("--messages", action="store_true", help="also each sensor's reports as they go on the wire")


def run_fleet(args: argparse.Namespace) -> int:
    """Write a fleet, its truth and its failures."""
    from rich.console import Console
    from rich.progress import Progress

    from telstraat_firmware_sim.fleet_files import write_fleet

    fleet = fleet_of(args)
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("sensors", total=len(fleet.names))
        written = write_fleet(
            fleet, args.out, file_format=args.format, step=args.step, reports_jsonl=args.messages,
            told=lambda _name: progress.advance(task),
        )  # fmt: skip
    share = written.counted / written.crossings if written.crossings else 0.0
    console.print(
        f"{written.sensors} sensors, {args.days} days: {written.crossings:,} crossings, {written.counted:,} counted "
        f"({share:.0%}), {written.report_rows:,} rows, {written.bytes / 1e6:.1f} MB in {written.folder}",
        soft_wrap=True,
    )
    return 0


def _add_chaos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long things go wrong (60)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N", help="which things, and when (1)")
    parser.add_argument("--sensors", type=int, default=20, metavar="N", help="how many sensors (20)")
    parser.add_argument("--processes", type=int, default=4, metavar="N", help="in how many processes (4)")
    parser.add_argument(
        "--speed", type=float, default=900.0, metavar="X", help="the fleet's clock: 900 closes a quarter a second (900)"
    )
    parser.add_argument("--broker-kind", choices=["mosquitto", "amqtt"], help="which broker (what is installed)")
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="keep everything here; else only a red run is kept")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, the last line of the output")


def run_chaos(args: argparse.Namespace) -> int:
    """Run chaos and tell what it has shown."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from telstraat_cli.chaos import ChaosSettings, run_chaos
    from telstraat_cli.stack.processes import ended_by_signals

    if args.seconds < CHAOS_SECONDS_MIN:
        raise CliError(f"--seconds {args.seconds:g}: give {CHAOS_SECONDS_MIN} or more, or nothing has time to go wrong")
    settings = ChaosSettings(
        seconds=args.seconds, seed=args.seed, sensors=args.sensors, processes=args.processes, speed=args.speed,
        broker=args.broker_kind,
    )  # fmt: skip
    console = Console(stderr=True)
    with ended_by_signals():
        verdict = run_chaos(settings, args.dir, lambda text: console.print(text, highlight=False))
    console.print(
        f"seed {args.seed}: {verdict.reports:,} reports, {verdict.operations} operations, drained in {verdict.drain_s:g} s: "
        + ("every report stands in the table once, byte for byte" if verdict.green else "[bold]RED[/bold]"),
        soft_wrap=True,
    )
    said = [*verdict.deaths, *verdict.differences]
    if not verdict.drained:
        said.append("not every sensor got all its receipts in time")
    if verdict.quarantined or verdict.gaps:
        said.append(f"{verdict.quarantined} messages in quarantine, {verdict.gaps} gaps that are still asked for")
    for line in said[:CHAOS_LINES_MAX]:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    if verdict.history:
        console.print(f"  the history is in {verdict.history}", soft_wrap=True)
    if args.json:
        print(json.dumps(asdict(verdict) | {"green": verdict.green}, default=str))
    return 0 if verdict.green else 1


def fleet_of(args: argparse.Namespace) -> Fleet:
    """Make the fleet that the options describe."""
    from telstraat_firmware_sim.fleet import FleetSettings, made_up_fleet

    settings = FleetSettings(
        sensors=args.sensors, start=args.start, days=args.days, seed=args.seed, kinds=args.kinds,
        streets_a_town=args.streets_a_town, drift=args.drift, silent_a_year=args.silent, moved_a_year=args.moved,
        new_share=args.new, gaps=args.gaps, perfect=args.perfect,
    )  # fmt: skip
    fleet = made_up_fleet(settings)
    return made_up_fleet(settings, (measure_of(args, fleet),)) if args.measure else fleet


def measure_of(args: argparse.Namespace, fleet: Fleet) -> Measure:
    """Make the measure that the options describe, in the first town."""
    from datetime import timedelta

    from telstraat_firmware_sim.fleet import made_up_measure

    first = args.measure_from or args.start + timedelta(days=args.days // 2)
    return made_up_measure(fleet.towns, first, args.measure, streets=args.measure_streets, shifted=args.shifted)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2025-04-01") from None


def _parts(text: str) -> dict[str, float]:
    try:
        return {name: float(number) for name, number in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write name=number, several with commas, as in car=-0.3,bike=0.1"
        ) from None
