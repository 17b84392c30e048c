"""Count a video file, a camera or an RTSP address, and print what crossed the line.

The line is drawn from x1,y1 to x2,y2 in pixels of the picture (0,0 is its top left corner). Stand at its first end and
look to the second: left_to_right is what crosses from your left-hand side to your right-hand side.

    telstraat count street.mp4 --line 100,200,500,200
    telstraat count 0 --line 100,200,500,200 --jsonl
    telstraat count rtsp://camera.local/stream --line 100,200,500,200
    telstraat count --score clips/            every NAME.mp4 there against the truth in NAME.json

Nothing is stored and no picture leaves the computer. --show writes a film with boxes, tracks and counts for looking
into mistakes; it is for your own files and is refused for a camera.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections import Counter as Tally
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from telstraat_device.cameras.frames import Frame, FrameSource
    from telstraat_device.counting.counter import Counter
    from telstraat_device.counting.crossings.crossing import Crossing
    from telstraat_device.counting.crossings.line import Segment

Look = Callable[["Counter", "Frame", "list[Crossing]"], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat count` understands."""
    parser.add_argument("source", nargs="?", help="a video file, a camera (0, /dev/video0, picamera) or rtsp://…")
    parser.add_argument("--line", metavar="X1,Y1,X2,Y2", help="the counting line, in pixels of the picture")
    parser.add_argument("--jsonl", action="store_true", help="print one JSON object a crossing, and nothing else")
    parser.add_argument(
        "--pixels-per-metre", type=float, metavar="N", help="scale of the picture at the line; learnt if not given"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="stop after so much of the film (a camera runs until Ctrl-C)"
    )
    parser.add_argument(
        "--show", metavar="OUT.mp4", help="write a film with boxes, tracks, line and counts (files only)"
    )
    parser.add_argument(
        "--score", metavar="FOLDER", help="count every clip of a folder with known truth, and tell how right it was"
    )
    parser.add_argument("--json", metavar="FILE", help="with --score: also write the counts of each clip here")


def run(args: argparse.Namespace) -> int:
    """Count, and print a summary, the crossings as JSON, or the score."""
    from telstraat_device.errors import DeviceError

    try:
        if args.score:
            return scorer()(Path(args.score), args.json)
        if not args.source:
            raise CliError("what is to be counted? give a video file, a camera number or an rtsp:// address")
        return count_one(args)
    except DeviceError as error:
        raise CliError(str(error)) from error


def scorer() -> Callable[[Path, str | None], int]:
    """Return what counts a folder of clips against their truth: it comes with the demo, no street needs it."""
    if importlib.util.find_spec("telstraat_demo") is None:
        raise CliError("--score is not installed here; it comes with: pip install 'telstraat[demo]'")
    score_folder: Callable[[Path, str | None], int] = importlib.import_module(
        "telstraat_demo.scoring.folder"
    ).score_folder
    return score_folder


def count_one(args: argparse.Namespace) -> int:
    """Count one source."""
    from telstraat_device.cameras.video import is_live, open_source
    from telstraat_device.counting.crossings.line import parse_line

    if args.show and is_live(args.source):
        raise CliError("--show is for files only: the picture of a street is never stored")
    if not args.line:
        raise CliError("where is the line? give --line x1,y1,x2,y2 in pixels of the picture")
    line = parse_line(args.line)
    with closing(open_source(args.source)) as source:
        look = printer() if args.jsonl else None
        if args.show:
            from telstraat_cli.film import Film

            with closing(Film(args.show, source, line)) as film:
                crossings = count_source(source, line, look=film.add, seconds=args.seconds, scale=args.pixels_per_metre)
            if look:
                for crossing in crossings:
                    print_json(crossing)
        else:
            crossings = count_source(source, line, look=look, seconds=args.seconds, scale=args.pixels_per_metre)
        if not args.jsonl:
            print_summary(source.name, crossings)
    return 0


def count_source(
    source: FrameSource,
    line: Segment,
    *,
    look: Look | None = None,
    seconds: float | None = None,
    scale: float | None = None,
    progress: bool = True,
) -> list[Crossing]:
    """Count a source to its end (or to Ctrl-C, or for some seconds) under a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    from telstraat_device.counting.counter import Counter, CounterSettings

    counter = Counter(source.width, source.height, line, CounterSettings(pixels_per_metre=scale))
    crossings: list[Crossing] = []
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        task = bar.add_task(source.name, total=source.frames)
        try:
            for number, frame in enumerate(source):
                if seconds is not None and frame.t_s >= seconds:
                    break
                new = with_true_speeds(source, counter.process(frame.luma, frame.t_s))
                crossings += new
                if look:
                    look(counter, frame, new)
                if number % 25 == 0:
                    bar.update(task, completed=number, description=f"{source.name}: {len(crossings)} crossings")
        except KeyboardInterrupt:
            if source.frames is not None:
                raise
    last = with_true_speeds(source, counter.finish())
    if look and last:
        look(counter, frame, last)
    return crossings + last


def with_true_speeds(source: FrameSource, crossings: list[Crossing]) -> list[Crossing]:
    """Return the crossings, without speeds where the source does not say when its pictures were taken."""
    return crossings if source.timed else [replace(crossing, speed_kmh=None) for crossing in crossings]


def printer() -> Look:
    """Return what prints each crossing as it becomes certain."""

    def look(_counter: Counter, _frame: Frame, crossings: list[Crossing]) -> None:
        for crossing in crossings:
            print_json(crossing)

    return look


def as_json(crossing: Crossing) -> dict[str, object]:
    """Return a crossing in the words of the command's output."""
    return {
        "t": crossing.t_s,
        "class": crossing.class_name,
        "direction": crossing.direction,
        "confidence": crossing.confidence,
        "speed_kmh": crossing.speed_kmh,
    }


def print_json(crossing: Crossing) -> None:
    """Print a crossing as one line of JSON."""
    sys.stdout.write(json.dumps(as_json(crossing)) + "\n")
    sys.stdout.flush()


def print_summary(name: str, crossings: list[Crossing]) -> None:
    """Print what crossed, per class and direction."""
    from rich.table import Table

    from telstraat_cli.screen import screen
    from telstraat_device.counting.crossings.crossing import CLASSES, DIRECTIONS

    table = Table(title=f"{name}: {len(crossings)} crossings", title_justify="left")
    table.add_column("class")
    for heading in (*DIRECTIONS, "both"):
        table.add_column(heading, justify="right")
    tally = Tally((crossing.class_name, crossing.direction) for crossing in crossings)
    for class_name in CLASSES:
        numbers = [tally[class_name, direction] for direction in DIRECTIONS]
        table.add_row(class_name, *map(str, numbers), str(sum(numbers)))
    sums = [sum(tally[class_name, direction] for class_name in CLASSES) for direction in DIRECTIONS]
    table.add_section()
    table.add_row("all", *map(str, sums), str(sum(sums)))
    screen().print(table)
