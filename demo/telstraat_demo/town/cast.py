"""Which street of the town plays what in its story, and which sensor watches which street when."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from telstraat_demo.town.plan import TownPlan
from telstraat_firmware_sim.demand.demand import SimulatedMeasure, Town, TownStreet, random_of
from telstraat_firmware_sim.errors import DemandError
from telstraat_firmware_sim.street.settings import Traffic

LIVE_SENSOR = "town-live"
STREETS_LEAST = 4
TREATED, BOUNDARY, CONTROLS = 3, 5, 7
EFFECT = {"car": -0.36, "heavy": -0.30, "bike": 0.14, "pedestrian": 0.06}
SHIFTED = 0.45
"""Of what left the treated streets drives through those at their edge."""
WORKS_EFFECT = {"car": -0.72, "heavy": -0.55, "bike": -0.12}
NIGHT_BLIND = 2
"""So many sensors are of an older sort that is blind at night: in streets with no part in a measure."""


@dataclass(frozen=True)
class Cast:
    """Streets by their part, by name; a small town leaves parts empty."""

    live: str
    treated: tuple[str, ...]
    boundary: tuple[str, ...]
    controls: tuple[str, ...]
    school: str | None
    works: str | None
    silent: str | None
    moved_from: str | None
    moved_to: str | None


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


def cast_of(town: Town) -> Cast:
    """Give the streets their parts, the same for the same town."""
    if len(town.streets) < STREETS_LEAST:
        raise DemandError(f"a town of {len(town.streets)} streets has no story: give {STREETS_LEAST} or more")
    free = {street.name: street for street in town.streets}
    live = _take(free, ("shopping", "through"))
    assert live is not None
    school, works = _take(free, ("school",)), _take(free, ("through",))
    heart = _take(free, ("residential", "through"), busiest=True)
    treated = [heart, *_nearest(free, [heart], TREATED - 1)] if heart else []
    for street in treated[1:]:
        free.pop(street.name)
    spare = [_take(free, ("residential",), busiest=False) for _ in range(3)]
    boundary = _nearest(free, treated, BOUNDARY)
    for street in boundary:
        free.pop(street.name)
    controls = list(reversed(_nearest(free, treated, len(free))))[:CONTROLS]
    silent, moved_from, moved_to = (street.name if street else None for street in spare)
    return Cast(
        live=live.name,
        treated=_names(treated),
        boundary=_names(boundary),
        controls=_names(controls),
        school=school.name if school else None,
        works=works.name if works else None,
        silent=silent,
        moved_from=moved_from if moved_to else None,
        moved_to=moved_to,
    )


def with_live(town: Town, live: str, traffic: Traffic) -> Town:
    """Return the town with one street as busy as the simulated street that the real core counts."""
    per_hour = {
        "pedestrian": traffic.pedestrian,
        "bike": traffic.bicycle + traffic.motorcycle,
        "car": traffic.car,
        "heavy": traffic.heavy,
    }
    right = traffic.right_share
    share = dict.fromkeys(per_hour, right)
    streets = tuple(
        replace(street, per_hour=per_hour, lft_share=share, tide={}, speed_kmh=traffic.motor_kmh)
        if street.name == live
        else street
        for street in town.streets
    )
    return replace(town, streets=streets)


def measures_of(plan: TownPlan, cast: Cast) -> tuple[SimulatedMeasure, ...]:
    """Return what really happened in the streets: the truth that an evaluation is to find."""
    measures = []
    if cast.treated:
        to = dict.fromkeys(cast.boundary, 1.0)
        shifted = SHIFTED if to else 0.0
        measures.append(SimulatedMeasure("circulation plan", plan.plan_day, cast.treated, EFFECT, None, shifted, to))
    if cast.works:
        first, end = plan.roadworks
        measures.append(SimulatedMeasure("roadworks", first, (cast.works,), WORKS_EFFECT, end))
    return tuple(measures)


def watches_of(plan: TownPlan, town: Town, cast: Cast) -> tuple[SensorStay, ...]:
    """Return which sensor watches which street; the live street's own sensor apart, which is a real device."""
    parts = {cast.live, cast.school, cast.silent, *cast.treated, *cast.boundary, *cast.controls}
    blind = [street.name for street in town.streets if street.name not in parts | {cast.moved_to}][:NIGHT_BLIND]
    watches = []
    for street in town.streets:
        if street.name == cast.moved_to:
            continue
        name = sensor_name(street, plan.seed)
        kind = "v1" if street.name in blind else "telstraat"
        until = {cast.live: plan.live_from, cast.silent: plan.silent_from, cast.moved_from: plan.moved_at}
        watches.append(SensorStay(name, street.name, kind, until_at=until.get(street.name)))
        if street.name == cast.moved_from and cast.moved_to:
            watches.append(SensorStay(name, cast.moved_to, kind, from_at=plan.moved_at))
    return tuple(watches)


def sensor_name(street: TownStreet, seed: int) -> str:
    """Return the name of a street's sensor as a neighbour would give it: the street and a house number."""
    plain = unicodedata.normalize("NFKD", street.name).encode("ascii", "ignore").decode().lower()
    number = int(random_of(seed, street.name, "house").integers(2, 88))
    return f"{re.sub('[^a-z0-9]+', '-', plain).strip('-')[:50]}-{number}"


def _take(free: dict[str, TownStreet], kinds: Sequence[str], *, busiest: bool | None = None) -> TownStreet | None:
    """Take a street of the first kind that there is: the first one, or the busiest or quietest."""
    for kind in kinds:
        of_kind = [street for street in free.values() if street.kind == kind]
        if busiest is not None:
            of_kind.sort(key=lambda street: street.mean_per_hour("car"), reverse=busiest)
        if of_kind:
            return free.pop(of_kind[0].name)
    return None


def _nearest(free: dict[str, TownStreet], own: Iterable[TownStreet], many: int) -> list[TownStreet]:
    middles = [_middle(street) for street in own]
    if not middles:
        return []

    def far(street: TownStreet) -> float:
        return min(math.dist(_middle(street), middle) for middle in middles)

    return sorted(free.values(), key=lambda street: (far(street), street.name))[:many]


def _middle(street: TownStreet) -> tuple[float, float]:
    points = street.line
    return sum(point[0] for point in points) / len(points), sum(point[1] for point in points) / len(points)


def _names(streets: Iterable[TownStreet]) -> tuple[str, ...]:
    return tuple(street.name for street in streets)
