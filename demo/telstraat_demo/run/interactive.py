"""Run the demo for a person: open the street's page and say how far the street is, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
import time
import webbrowser
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console

from telstraat_contract.road_users import TOGETHER, UNCLASSIFIED, columns_of
from telstraat_demo.run.pipeline import Pipeline
from telstraat_demo.run.sources import STREET_SENSOR, StreetSource, VideoSource, street, video
from telstraat_demo.run.steps import Steps, plan_of, set_up
from telstraat_demo.run.town import TownProgress, things_to_see, town_source
from telstraat_demo.stack.processes import ProgramService

if TYPE_CHECKING:
    from telstraat_demo.town.life import TownLife

LOOK_EVERY_S = 1.0
SAY_EVERY_S = 15.0  # where there is no terminal to write over a line
SUMS = ", ".join(f"coalesce(sum({' + '.join(columns_of(name))}), 0)" for name in TOGETHER)
TOTALS = f"select count(*), {SUMS} from report join sensor using (sensor_id) where name = %s"  # noqa: S608 - our own columns
NAMES = {"pedestrian": "pedestrians", "bike": "two-wheelers", "car": "cars", UNCLASSIFIED: "in the dark"}
"""Where people say it otherwise than the contract."""


def show_street(args: argparse.Namespace, pipeline: Pipeline, steps: Steps) -> int:
    """Show the street until Ctrl-C."""
    console = steps.console
    console.print(f"Telstraat demo, kept in {pipeline.folder}", highlight=False, soft_wrap=True)
    source: StreetSource | VideoSource
    town_plan = None
    if args.video:
        source = video(args.video, args.line)
    elif args.months == 0:
        source = street(pipeline, STREET_SENSOR, plan_of(args, timedelta(minutes=args.past), args.pace, None))
    else:
        source, town_plan = town_source(args, pipeline)
    town = set_up(args, pipeline, steps, source, town_plan)
    with steps.step("device") as notes:
        device = source.start(pipeline)
        notes.append(source.place.segment)
    if town is not None:
        with steps.step("town") as notes:
            pipeline.start_town()
            notes.append(f"{town.town.name}, {len(town.town.streets)} streets")
        console.print(things_to_see(pipeline, town), highlight=False, soft_wrap=True)
    else:
        console.print(
            f"\nThe street's page: [bold]{pipeline.page}[/]\nCtrl-C stops everything.\n",
            highlight=False,
            soft_wrap=True,
        )
    if not args.no_browser and opens_browsers():
        webbrowser.open(pipeline.home_page if town else pipeline.page)
    watch(pipeline, source, device, console, town)
    return 0


def opens_browsers() -> bool:
    """Tell whether there is a person at a screen."""
    has_screen = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and has_screen


def watch(
    pipeline: Pipeline,
    source: StreetSource | VideoSource,
    device: ProgramService,
    console: Console,
    town: TownLife | None = None,
) -> None:
    """Look after the services and say how far street and town are, until interrupted."""
    look_at = say_at = 0.0
    filling = TownProgress(pipeline.town_folder, console) if town else None
    told_of_end = False
    with console.status("the first frames are on their way ...") as status:
        while True:
            pipeline.supervisor.look()
            now = time.monotonic()
            if now >= look_at:
                look_at = now + LOOK_EVERY_S
                parts = [filling.look() if filling else "", where(source), counted(pipeline, source.place.sensor)]
                text = " · ".join(part for part in parts if part)
                status.update(text)
                if not console.is_terminal and now >= say_at:
                    say_at = now + SAY_EVERY_S
                    console.print(text, highlight=False, soft_wrap=True)
            if device.done and not told_of_end:
                told_of_end = True
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


def counted(pipeline: Pipeline, sensor: str) -> str:
    """Say what stands in the table; nothing while the database is away."""
    import psycopg

    try:
        with psycopg.connect(pipeline.dsn, connect_timeout=2) as connection:
            row = connection.execute(TOTALS, (sensor,)).fetchone()
    except psycopg.OperationalError:
        return "the database is away"
    assert row is not None
    reports, *counts = row
    phrases = [
        f"{count} {NAMES.get(name, name)}"
        for name, count in zip(TOGETHER, counts, strict=True)
        if count or name != UNCLASSIFIED
    ]
    stored = f"{reports} quarter{'s' if reports != 1 else ''} stored"
    return f"{stored}: {', '.join(phrases)}" if reports else "the first quarter is open"
