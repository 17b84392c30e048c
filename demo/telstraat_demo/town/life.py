"""The town put together: its plan, its streets and their numbers, who plays what, and which sensor watches where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from psycopg import Connection

from telstraat_contract.quarters import QUARTER_S
from telstraat_demo.errors import StackError
from telstraat_demo.run.street_device import LiveTraffic
from telstraat_demo.town.cast import Cast, SensorStay, measures_of, watches_of, with_live
from telstraat_demo.town.ground import lay_out
from telstraat_demo.town.plan import DAY, TownPlan, read_town_plan, write_town_plan
from telstraat_demo.town.registration import register_sensors
from telstraat_firmware_sim.demand.demand import Demand, Town, TownStreet
from telstraat_firmware_sim.demand.profiles import CLASSES, MOTORCYCLE_SHARE
from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.town import overbeke

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
        segments = lay_out(connection, town, folder, plan.seed)
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

    def own_sensors(self) -> dict[str, str]:
        """Return the sensors of the citizen, by street."""
        by_street = {stay.street: stay.sensor for stay in self.watches}
        return {street: by_street[street] for street in self.cast.citizens}


def live_street(plan: TownPlan) -> TownStreet:
    """Return the street that the real core counts."""
    town, cast = _streets_of(plan)
    return town.street(cast.live)


def live_traffic(plan: TownPlan, begins_at: datetime) -> LiveTraffic:
    """Return what passes in the live street in the day that begins at a whole hour, as the town's own demand expects it.

    Season, weekday, holidays and how busy these weeks are come with it, so that the live counts go on where the street's history ends.
    """
    town, cast = _streets_of(plan)
    era = plan.eras(begins_at + DAY)[-1]
    seed = plan.seed + era.number
    demand = Demand(town, era.first_day, era.days, measures=measures_of(plan, cast), seed=seed)
    first = max(0, int((begins_at - era.start).total_seconds()) // QUARTER_S)
    quarters = demand.street(cast.live).expected_with[first : first + 96].sum(axis=2)  # (quarter, class)
    hours = quarters.reshape(24, 4, -1).sum(axis=1)
    local = begins_at.astimezone(ZoneInfo(town.timezone)).hour
    means = dict(zip(CLASSES, hours.mean(axis=0).tolist(), strict=True))
    together = np.roll(hours.sum(axis=1), local) / hours.sum(axis=1).mean()
    return LiveTraffic(
        per_hour={
            "pedestrian": means["pedestrian"],
            "bicycle": means["bike"] * (1 - MOTORCYCLE_SHARE),
            "motorcycle": means["bike"] * MOTORCYCLE_SHARE,
            "car": means["car"],
            "heavy": means["heavy"],
        },
        day_shape=tuple(round(max(LEAST_AT_NIGHT, float(factor)), 3) for factor in together),
        motor_kmh=town.street(cast.live).speed_kmh,
        timezone=town.timezone,
    )


def _streets_of(plan: TownPlan) -> tuple[Town, Cast]:
    town, cast = overbeke(plan.seed), Cast()
    return with_live(town, cast.live, scene(plan.scene, seed=1).traffic), cast
