"""The town put together: its plan, its streets and their numbers, who plays what, and which sensor watches where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection

from telstraat_demo.errors import StackError
from telstraat_demo.town.cast import Cast, SensorStay, cast_of, watches_of, with_live
from telstraat_demo.town.ground import lay_out, town_of
from telstraat_demo.town.plan import TownPlan, read_town_plan, write_town_plan
from telstraat_demo.town.registration import register_sensors
from telstraat_firmware_sim.demand.demand import Town, TownStreet
from telstraat_firmware_sim.demand.profiles import STREET_KINDS, week_profile
from telstraat_firmware_sim.street.scenes import scene

SEGMENTS_FILE = "segments.json"
LEAST_AT_NIGHT = 0.06
"""So that a visitor who comes at night sees somebody within minutes."""


@dataclass(frozen=True)
class TownLife:
    """One town of one folder."""

    plan: TownPlan
    town: Town
    cast: Cast
    watches: tuple[SensorStay, ...]
    segments: dict[str, int]
    """Numbers of the streets in the database, by name."""

    @classmethod
    def begin(cls, connection: Connection[Any], folder: Path, wanted_plan: TownPlan) -> TownLife:
        """Return the town of a folder with its streets and sensors in the database, a new one where there is none."""
        known = read_town_plan(folder)
        plan = known or wanted_plan
        town, cast = _streets_of(plan)
        watches = watches_of(plan, town, cast)
        segments = lay_out(connection, town)
        register_sensors(connection, folder, plan, watches, segments, is_new=known is None)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SEGMENTS_FILE).write_bytes(msgspec.json.encode(segments))
        write_town_plan(folder, plan)
        return cls(plan, town, cast, watches, segments)

    @classmethod
    def read(cls, folder: Path) -> TownLife:
        """Return the town that was begun in a folder."""
        plan = read_town_plan(folder)
        if plan is None:
            raise StackError(f"no town was begun in {folder}")
        town, cast = _streets_of(plan)
        segments = msgspec.json.decode((folder / SEGMENTS_FILE).read_bytes(), type=dict[str, int])
        return cls(plan, town, cast, watches_of(plan, town, cast), segments)

    def own_sensors(self, many: int) -> dict[str, str]:
        """Return the sensors of the citizen, by street: a boundary street's and the silent one, as far as they are there."""
        wanted_streets = (self.cast.silent, *self.cast.boundary, *self.cast.treated)
        by_street = {watch.street: watch.sensor for watch in self.watches}
        return {street: by_street[street] for street in [name for name in wanted_streets if name][:many]}


def live_street(plan: TownPlan) -> TownStreet:
    """Return the street that the real core counts."""
    town, cast = _streets_of(plan)
    return town.street(cast.live)


def day_shape(plan: TownPlan) -> tuple[float, ...]:
    """Return how busy the live street is in each hour of a usual day, beside its mean; never so little that nobody comes."""
    kind = STREET_KINDS[live_street(plan).kind]
    shape = week_profile("car", kind)[0][0].reshape(24, -1).mean(axis=1)
    return tuple(round(max(LEAST_AT_NIGHT, float(factor)), 3) for factor in shape)


def _streets_of(plan: TownPlan) -> tuple[Town, Cast]:
    town = town_of(plan.seed, plan.streets)
    cast = cast_of(town)
    return with_live(town, cast.live, scene(plan.scene, seed=1).traffic), cast
