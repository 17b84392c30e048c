"""Set the demo up step by step, the same for people and for machines: which street, then everything up to the pages."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console

from telstraat_cli.errors import CliError
from telstraat_demo.run.pipeline import Pipeline
from telstraat_demo.run.sources import StreetSource, VideoSource
from telstraat_demo.stack.broker import Kind

if TYPE_CHECKING:
    from telstraat_demo.run.street_device import StreetPlan
    from telstraat_demo.town.life import TownLife
    from telstraat_demo.town.plan import TownPlan


class Steps:
    """Says what is being set up, and how long each step took."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Show a step while it runs; what is appended to the list is said at its end."""
        began = time.monotonic()
        notes: list[str] = []
        with self.console.status(f"{what} ..."):
            yield notes
        took_s = time.monotonic() - began
        self.console.print(
            f"  [green]✓[/] {what:<9} {' '.join(notes)} [dim]{took_s:.1f} s[/]", highlight=False, soft_wrap=True
        )

    def tell(self, text: str) -> None:
        """Say something that happened."""
        self.console.print(f"  [yellow]![/] {text}", highlight=False, soft_wrap=True)


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


def set_up(
    args: argparse.Namespace,
    pipeline: Pipeline,
    steps: Steps,
    source: StreetSource | VideoSource,
    town_plan: TownPlan | None = None,
) -> TownLife | None:
    """Start everything up to the pages, and begin the town when there is to be one; the device comes last."""
    town: TownLife | None = None
    kind: Kind | None = args.broker_kind
    with steps.step("core") as notes:
        pipeline.compile_core("film" if isinstance(source, VideoSource) else "street")
        notes.append("compiled, and kept for later")
    with steps.step("database") as notes:
        notes.append(pipeline.start_database())
        if town_plan is not None:
            town = pipeline.begin_town(town_plan)
        pipeline.register(source.place, source.begins_at)
    with steps.step("broker") as notes:
        notes.append(pipeline.start_broker(kind))
    with steps.step("ingest"):
        pipeline.start_ingest()
    with steps.step("pages") as notes:
        pipeline.start_api(args.port, town)
        notes.append(f"port {pipeline.api_port}")
    return town
