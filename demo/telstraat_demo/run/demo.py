"""Run the demo as the options say: for a person or for machines, or forget what earlier runs left."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from rich.console import Console

from telstraat_cli.errors import CliError
from telstraat_demo.run.headless import headless
from telstraat_demo.run.interactive import show_street
from telstraat_demo.run.pipeline import Outside, Pipeline
from telstraat_demo.run.steps import Steps
from telstraat_demo.stack.home import NEEDED_BYTES, TOWN_BYTES, Home, default_folder
from telstraat_demo.stack.needs import check_needs
from telstraat_demo.stack.processes import Supervisor, ended_by_signals

MONTHS_MAX = 60


def run_demo(args: argparse.Namespace) -> int:
    """Run what the options say and return the exit code."""
    check(args)
    folder = Path(args.dir) if args.dir else default_folder("headless" if args.headless else "demo")
    console = Console(stderr=args.headless)
    if args.clean:
        return clean([folder] if args.dir else [default_folder(), default_folder("headless")], console)
    check_needs("the demo", dsn=args.dsn, broker=args.broker, kind=args.broker_kind, video=bool(args.video))
    steps = Steps(console)
    with ended_by_signals(), Home(folder, needed_bytes(args, folder)) as home:
        supervisor = Supervisor(steps.tell)
        pipeline = Pipeline(home.folder, supervisor, Outside(dsn=args.dsn, broker=args.broker), steps.tell)
        try:
            if args.headless:
                return headless(args, pipeline, steps)
            return show_street(args, pipeline, steps)
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
    if args.months and (args.headless or args.video):
        raise CliError("--months is for the town, which is not there with --headless and --video: leave it out")
    if args.months is not None and not 0 <= args.months <= MONTHS_MAX:
        raise CliError(f"--months {args.months:g}: give 0 to {MONTHS_MAX}")
    for name in ("minutes", "past", "pace", "fps"):
        value = getattr(args, name)
        if value is not None and value <= 0:
            raise CliError(f"--{name} {value:g}: must be more than 0")


def needed_bytes(args: argparse.Namespace, folder: Path) -> int:
    """Return how much room a start needs: a town that is begun needs the most."""
    has_town = not (args.headless or args.video or args.months == 0)
    return TOWN_BYTES if has_town and not (folder / "town").exists() else NEEDED_BYTES


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
