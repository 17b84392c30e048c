"""Which street of the town plays what in its story, and which sensor watches which street when."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from telstraat_demo.town.plan import TownPlan
from telstraat_firmware_sim.demand.demand import SimulatedMeasure, Town, TownStreet, random_of
from telstraat_firmware_sim.street.settings import Traffic

LIVE_SENSOR = "town-live"
EFFECT = {"car": -0.38, "heavy": -0.30, "bike": 0.14, "pedestrian": 0.06}
SHIFTED = 0.35
"""Of what left the treated streets drives through those at their edge."""
SHIFTED_TO = {"Parklaan": 0.35, "Lindenlaan": 0.3, "Tuinlaan": 0.2, "Hofstraat": 0.15}
WORKS_EFFECT = {"car": -0.72, "heavy": -0.55, "bike": -0.12}


@dataclass(frozen=True)
class Cast:
    """Streets of Overbeke by their part in the story."""

    live: str = "Stationsstraat"
    treated: tuple[str, ...] = ("Molenstraat", "Kapelstraat", "Zandstraat")
    """Where through traffic cut through the town."""
    boundary: tuple[str, ...] = tuple(SHIFTED_TO)
    controls: tuple[str, ...] = (
        *("Molenrodesteenweg", "Lindekerkesteenweg", "Kasteelbruggelaan"),
        *("Noordring", "Westring", "Zuidring", "Veldstraat"),
    )
    school: str = "Schoolstraat"
    school_edge: tuple[str, ...] = ("Stationsstraat", "Brugstraat")
    school_controls: tuple[str, ...] = ("Parklaan", "Lindenlaan", "Kasteelbruggelaan", "Veldstraat")
    works: str = "Oostring"
    silent: str = "Havenkaai"
    moved_from: str = "Bakkersstraat"
    moved_to: str = "Kerksteeg"
    night_blind: tuple[str, ...] = ("Beekpad", "Kerkstraat")
    """Watched by an older sort of sensor."""
    citizens: tuple[str, ...] = ("Lindenlaan", "Havenkaai")
    """Where the citizen's sensors hang: at the edge of the plan, and the silent one."""


@dataclass(frozen=True)
class SensorStay:
    """A sensor before a street, from when to when; open at an end where it is None."""

    sensor: str
    street: str
    kind: str = "telstraat"
    from_at: datetime | None = None
    until_at: datetime | None = None

    @property
    def simulated(self) -> str:
        """What the simulator calls it: one that has moved is two there."""
        return f"{self.sensor} in {self.street}"


def with_live(town: Town, live: str, traffic: Traffic) -> Town:
    """Return the town with one street as busy as a scene that has a traffic of its own; the usual one leaves the street's."""
    if traffic == Traffic():
        return town
    per_hour = {
        "pedestrian": traffic.pedestrian,
        "bike": traffic.bicycle + traffic.motorcycle,
        "car": traffic.car,
        "heavy": traffic.heavy,
    }
    right = traffic.right_share
    share = dict.fromkeys(per_hour, right)
    streets = tuple(
        replace(street, per_hour=per_hour, lft_share=share, tide={}) if street.name == live else street
        for street in town.streets
    )
    return replace(town, streets=streets)


def measures_of(plan: TownPlan, cast: Cast) -> tuple[SimulatedMeasure, ...]:
    """Return what really happened in the streets: the truth that an evaluation is to find."""
    first, end = plan.roadworks
    return (
        SimulatedMeasure("circulation plan", plan.plan_day, cast.treated, EFFECT, None, SHIFTED, SHIFTED_TO),
        SimulatedMeasure("roadworks", first, (cast.works,), WORKS_EFFECT, end),
    )


def watches_of(plan: TownPlan, town: Town, cast: Cast) -> tuple[SensorStay, ...]:
    """Return which sensor watches which street; the live street's own sensor apart, which is a real device."""
    watches = []
    for street in town.streets:
        if street.name == cast.moved_to:
            continue
        name = sensor_name(street, plan.seed)
        kind = "v1" if street.name in cast.night_blind else "telstraat"
        until = {cast.live: plan.live_from, cast.silent: plan.silent_from, cast.moved_from: plan.moved_at}
        watches.append(SensorStay(name, street.name, kind, until_at=until.get(street.name)))
        if street.name == cast.moved_from:
            watches.append(SensorStay(name, cast.moved_to, kind, from_at=plan.moved_at))
    return tuple(watches)


def sensor_name(street: TownStreet, seed: int) -> str:
    """Return the name of a street's sensor as a neighbour would give it: the street and a house number."""
    plain = unicodedata.normalize("NFKD", street.name).encode("ascii", "ignore").decode().lower()
    number = int(random_of(seed, street.name, "house").integers(2, 88))
    return f"{re.sub('[^a-z0-9]+', '-', plain).strip('-')[:50]}-{number}"
