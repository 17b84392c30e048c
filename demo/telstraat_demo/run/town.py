"""Show the town: one street counted live by the real core, the months of all others filled in while the pages are up."""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from telstraat_demo.run.pipeline import Pipeline, SensorSite
from telstraat_demo.run.sources import StreetSource, street
from telstraat_demo.run.steps import plan_of

if TYPE_CHECKING:
    from telstraat_demo.town.life import TownLife
    from telstraat_demo.town.plan import TownPlan

MONTHS = 14.0
THINGS_TO_SEE = """
[bold]{home}[/]  {name}, {streets} streets with {months:g} months of counts{filling}
  {home}/measures  a circulation plan with its evaluation, a school street that is being planned
  {live}  {street}, counted live by the real core
  {home}/sign-in  look around as a citizen, an officer, a facilitator or the operator: one click
Ctrl-C stops everything.
"""


def town_source(args: argparse.Namespace, pipeline: Pipeline) -> tuple[StreetSource, TownPlan]:
    """Return the live street of the town, and the town's plan: that of the last run, or a new one."""
    from telstraat_demo.town.cast import LIVE_SENSOR
    from telstraat_demo.town.life import live_street, live_traffic
    from telstraat_demo.town.plan import new_plan, read_town_plan

    plan = plan_of(args, timedelta(minutes=args.past), args.pace, None)
    # A whole hour: no hour is added up from the sensor before it and from the live one.
    begins_at = plan.begins_at.replace(minute=0, second=0, microsecond=0)
    months = MONTHS if args.months is None else args.months
    town_plan = read_town_plan(pipeline.town_folder) or new_plan(args.seed, months, begins_at, scene=args.scene)
    live = live_street(town_plan)
    plan = msgspec.structs.replace(plan, begins_at=begins_at, town=live_traffic(town_plan, begins_at))
    place = SensorSite(sensor=LIVE_SENSOR, segment=live.name, installed_before=timedelta(0))
    return street(pipeline, LIVE_SENSOR, plan, place), town_plan


def things_to_see(pipeline: Pipeline, town: TownLife) -> str:
    """Return what the terminal says when the pages are up."""
    from telstraat_demo.town.fill import read_fill_progress

    return THINGS_TO_SEE.format(
        home=pipeline.home_page,
        name=town.town.name,
        streets=len(town.town.streets),
        months=town.plan.months,
        filling="" if read_fill_progress(pipeline.town_folder).is_full else ", filled in while you look",
        live=pipeline.page,
        street=town.cast.live,
    )


class TownProgress:
    """Says how far the town is, and once that it is ready."""

    def __init__(self, folder: Path, console: Console) -> None:
        from telstraat_demo.town.fill import read_fill_progress

        self.folder, self.console = folder, console
        self.began_s = time.monotonic()
        before = read_fill_progress(folder)
        self.is_full, self.is_ready = before.is_full, before.stories

    def look(self) -> str:
        """Return how far the town is; nothing when all is there."""
        from telstraat_demo.town.fill import read_fill_progress

        progress = read_fill_progress(self.folder)
        took_s = time.monotonic() - self.began_s
        if progress.is_full and not self.is_full:
            self.is_full = True
            self._say(f"the town's history is complete: {progress.quarters:,} quarters of an hour in {took_s:.0f} s")
        if progress.stories and not self.is_ready:
            self.is_ready = True
            self._say("the circulation plan is evaluated: the town is ready")
        if self.is_ready:
            return ""
        if self.is_full:
            return "the circulation plan is being evaluated"
        return f"the town's history: {progress.percent} %"

    def _say(self, text: str) -> None:
        self.console.print(f"  [green]✓[/] {text}", highlight=False, soft_wrap=True)
