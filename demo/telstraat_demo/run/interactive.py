"""Run the demo for a person: say what starts, show how far the street is, stop everything at Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from telstraat_cli.errors import CliError
from telstraat_demo.run.pipeline import Line, Outside
from telstraat_demo.run.sources import STREET_SENSOR, StreetSource, VideoSource, street, video
from telstraat_demo.stack.broker import Kind
from telstraat_demo.stack.home import Home, default_folder
from telstraat_demo.stack.needs import check_needs
from telstraat_demo.stack.processes import ProgramService, Supervisor, ended_by_signals

if TYPE_CHECKING:
    from telstraat_demo.run.street_device import StreetPlan

LOOK_EVERY_S = 1.0
SAY_EVERY_S = 15.0  # where there is no terminal to write over a line
TOTALS = """
select count(*), coalesce(sum(pedestrian_lft + pedestrian_rgt), 0), coalesce(sum(bike_lft + bike_rgt), 0),
    coalesce(sum(car_lft + car_rgt), 0), coalesce(sum(heavy_lft + heavy_rgt), 0), coalesce(sum(night_lft + night_rgt), 0)
from report join sensor using (sensor_id) where name = %s"""


class Steps:
    """Says what is being set up, and how long each step took."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Show a step while it runs; what is appended to the list is said at its end."""
        began = time.monotonic()
        said: list[str] = []
        with self.console.status(f"{what} ..."):
            yield said
        took_s = time.monotonic() - began
        self.console.print(
            f"  [green]✓[/] {what:<9} {' '.join(said)} [dim]{took_s:.1f} s[/]", highlight=False, soft_wrap=True
        )

    def tell(self, text: str) -> None:
        """Say something that happened."""
        self.console.print(f"  [yellow]![/] {text}", highlight=False, soft_wrap=True)


def run_demo(args: argparse.Namespace) -> int:
    """Run what the options say and return the exit code."""
    check(args)
    folder = Path(args.dir) if args.dir else default_folder("headless" if args.headless else "demo")
    console = Console(stderr=args.headless)
    if args.clean:
        return clean([folder] if args.dir else [default_folder(), default_folder("headless")], console)
    check_needs("the demo", dsn=args.dsn, broker=args.broker, kind=args.broker_kind, video=bool(args.video))
    steps = Steps(console)
    with ended_by_signals(), Home(folder) as home:
        supervisor = Supervisor(steps.tell)
        line = Line(home.folder, supervisor, Outside(dsn=args.dsn, broker=args.broker), steps.tell)
        try:
            if args.headless:
                from telstraat_demo.run.headless import headless

                return headless(args, line, steps)
            return shown(args, line, steps)
        except KeyboardInterrupt:
            return 130 if args.headless else 0
        finally:
            stop(supervisor, console)


def check(args: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if args.line and not args.video:
        raise CliError("--line is for a video: the simulated street has its own; give --video too")
    if args.video and not args.line:
        raise CliError("--video needs the counting line: --line x1,y1,x2,y2 in pixels, across the street")
    if not args.headless and (args.minutes is not None or args.json):
        raise CliError("--minutes and --json are for --headless: give it too")
    if args.headless and args.video:
        from telstraat_device.cameras.video import is_live

        if is_live(args.video):
            raise CliError(f"--headless counts what has an end, a film or the simulated street; {args.video} has none")
    for name in ("minutes", "past", "pace", "fps"):
        value = getattr(args, name)
        if value is not None and value <= 0:
            raise CliError(f"--{name} {value:g}: must be more than 0")


def plan_of(args: argparse.Namespace, past: timedelta, pace: float | None, duration_s: float | None) -> StreetPlan:
    """Return the street that the options ask for."""
    from telstraat_demo.run.street_device import StreetPlan
    from telstraat_firmware_sim.errors import SimulatorError
    from telstraat_firmware_sim.street.scenes import scene

    width, height = size_of(args.size)
    try:
        scene(args.scene, seed=args.seed, width=width, height=height, fps=args.fps)
    except SimulatorError as error:
        raise CliError(str(error)) from error
    return StreetPlan(
        begins_at=datetime.now(UTC) - past,
        scene=args.scene,
        seed=args.seed,
        width=width,
        height=height,
        fps=args.fps,
        pace=pace,
        duration_s=duration_s,
    )


def size_of(text: str) -> tuple[int, int]:
    """Read `320x240`."""
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise CliError(f"--size {text!r}: write width and height in pixels, 320x240")
    return int(width), int(height)


def clean(folders: list[Path], console: Console) -> int:
    """Forget the data of earlier runs."""
    for folder in folders:
        gone = Home(folder).forget()
        console.print(
            f"{folder} {'is forgotten' if gone else 'does not exist: nothing to forget'}",
            highlight=False,
            soft_wrap=True,
        )
    return 0


def set_up(args: argparse.Namespace, line: Line, steps: Steps, source: StreetSource | VideoSource) -> None:
    """Start everything up to the pages; the device comes last."""
    kind: Kind | None = args.broker_kind
    with steps.step("core") as said:
        line.compile_core("film" if isinstance(source, VideoSource) else "street")
        said.append("compiled, and kept for later")
    with steps.step("database") as said:
        said.append(line.start_database())
        line.register(source.place, source.begins_at)
    with steps.step("broker") as said:
        said.append(line.start_broker(kind))
    with steps.step("ingest"):
        line.start_ingest()
    with steps.step("pages") as said:
        line.start_api(args.port)
        said.append(f"port {line.api_port}")


def shown(args: argparse.Namespace, line: Line, steps: Steps) -> int:
    """Show the street until Ctrl-C."""
    console = steps.console
    console.print(f"Telstraat demo, kept in {line.folder}", highlight=False, soft_wrap=True)
    source: StreetSource | VideoSource
    if args.video:
        source = video(args.video, args.line)
    else:
        source = street(line, STREET_SENSOR, plan_of(args, timedelta(minutes=args.past), args.pace, None))
    set_up(args, line, steps, source)
    with steps.step("device") as said:
        device = source.start(line)
        said.append(source.place.segment)
    console.print(
        f"\nThe street's page: [bold]{line.page}[/]\nCtrl-C stops everything.\n", highlight=False, soft_wrap=True
    )
    if not args.no_browser and opens_browsers():
        webbrowser.open(line.page)
    watch(line, source, device, console)
    return 0


def opens_browsers() -> bool:
    """Tell whether there is a person at a screen."""
    has_screen = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and has_screen


def watch(line: Line, source: StreetSource | VideoSource, device: ProgramService, console: Console) -> None:
    """Look after the services and say how far the street is, until interrupted."""
    look_at = say_at = 0.0
    said_done = False
    with console.status("the first frames are on their way ...") as status:
        while True:
            line.supervisor.look()
            now = time.monotonic()
            if now >= look_at:
                look_at = now + LOOK_EVERY_S
                text = " · ".join(part for part in (where(source), counted(line, source.place.sensor)) if part)
                status.update(text)
                if not console.is_terminal and now >= say_at:
                    say_at = now + SAY_EVERY_S
                    console.print(text, highlight=False, soft_wrap=True)
            if device.done and not said_done:
                said_done = True
                console.print(
                    "The recording has been counted; the page stays until Ctrl-C.", highlight=False, soft_wrap=True
                )
            time.sleep(0.1)


def where(source: StreetSource | VideoSource) -> str:
    """Say where the street's clock is."""
    if isinstance(source, VideoSource):
        return source.place.segment
    from telstraat_demo.run.street_device import read_progress

    progress = read_progress(source.plan_file.parent)
    at = source.begins_at + timedelta(seconds=progress.street_s)
    behind = datetime.now(UTC) - at
    speed = f"{progress.pace:.0f} times as fast" if behind > timedelta(seconds=30) else "now"
    return f"it is {at.astimezone():%H:%M:%S} on the street ({speed})"


def counted(line: Line, sensor: str) -> str:
    """Say what stands in the table; nothing while the database is away."""
    import psycopg

    try:
        with psycopg.connect(line.dsn, connect_timeout=2) as connection:
            row = connection.execute(TOTALS, (sensor,)).fetchone()
    except psycopg.OperationalError:
        return "the database is away"
    assert row is not None
    reports, *counts = row
    names = ("pedestrians", "two-wheelers", "cars", "heavy", "in the dark")
    told = [f"{count} {name}" for name, count in zip(names, counts, strict=True) if count or name != "in the dark"]
    stored = f"{reports} quarter{'s' if reports != 1 else ''} stored"
    return f"{stored}: {', '.join(told)}" if reports else "the first quarter is open"


def stop(supervisor: Supervisor, console: Console) -> None:
    """Stop every process, in order; a second Ctrl-C ends them at once."""
    if not supervisor.services:
        return

    def tell(text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may have been closed
            console.print(text, highlight=False, soft_wrap=True)

    tell("stopping: the open quarter is closed and sent ...")
    try:
        supervisor.stop()
    except KeyboardInterrupt:
        tell("ended at once; what was not sent is kept for the next start")
        return
    tell("everything has stopped")
