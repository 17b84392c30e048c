"""Overbeke: a plausible network with a role for each counted street, the same for the same seed, written as real extracts are."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from pyproj import Geod

from telstraat_firmware_sim.demand.demand import Demand, StreetDemand
from telstraat_firmware_sim.demand.profiles import CLASSES
from telstraat_firmware_sim.errors import TownFileError
from telstraat_firmware_sim.fleet.towns import neighbours
from telstraat_firmware_sim.town import MadeUpMap, map_of_overbeke, overbeke
from telstraat_firmware_sim.town.extract import write_extract

GLOBE = Geod(ellps="WGS84")
CAR, BIKE, PEDESTRIAN = (CLASSES.index(name) for name in ("car", "bike", "pedestrian"))


@pytest.fixture(scope="module")
def drawn() -> MadeUpMap:
    return map_of_overbeke(1)


@pytest.fixture(scope="module")
def week() -> dict[str, StreetDemand]:
    town = overbeke(1)
    demand = Demand(town, date(2025, 3, 10), 7, seed=1)
    return {street.name: demand.street(street.name) for street in town.streets}


def streets_of(drawn: MadeUpMap) -> dict[str, list[tuple[int, ...]]]:
    lines: dict[str, list[tuple[int, ...]]] = {}
    for way in drawn.ways:
        if "highway" in way.tags and "name" in way.tags:
            lines.setdefault(way.tags["name"], []).append(way.nodes)
    return lines


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_every_street_can_be_reached_from_every_other(seed: int) -> None:
    drawn = map_of_overbeke(seed)
    lines = streets_of(drawn)
    assert 84 <= len(lines) <= 144
    reached, ahead = {"Brugstraat"}, ["Brugstraat"]
    by_node: dict[int, set[str]] = {}
    for name, parts in lines.items():
        for node in (node for part in parts for node in part):
            by_node.setdefault(node, set()).add(name)
    while ahead:
        nodes = {node for part in lines[ahead.pop()] for node in part}
        more = {name for node in nodes for name in by_node[node]} - reached
        reached |= more
        ahead += more
    # The market lies between the streets that end at it; the map joins them by its square.
    assert {name for name in lines if name not in reached} == set()


def test_two_bridges_cross_the_river_and_nothing_else_does(drawn: MadeUpMap) -> None:
    [river] = [way for way in drawn.ways if way.tags.get("waterway") == "river"]
    water = shapely.LineString([drawn.points[node] for node in river.nodes])
    over = Counter(
        (way.tags.get("name"), way.tags.get("bridge"))
        for way in drawn.ways
        if "highway" in way.tags and shapely.LineString([drawn.points[node] for node in way.nodes]).crosses(water)
    )
    assert over == {("Brugstraat", "yes"): 1, ("Zuidring", "yes"): 1}


def test_streets_are_curved_and_none_of_their_pieces_is_a_stub(drawn: MadeUpMap) -> None:
    town = overbeke(1)
    assert len(town.streets) == 24
    for street in town.streets:
        length = GLOBE.line_length([point[0] for point in street.line], [point[1] for point in street.line])
        assert 150 < length < 2_500, street.name
    straight = [street.name for street in town.streets if len(street.line) < 4]
    assert straight == []
    assert set(neighbours(town, "Schoolstraat", 4)) & {"Brugstraat", "Stationsstraat", "Zuidring", "Beekpad"}
    lines = streets_of(drawn)
    assert {street.name for street in town.streets} <= set(lines)
    assert all(len(set(pair)) == 2 for parts in lines.values() for part in parts for pair in pairwise(part))


def test_the_ring_carries_most_cars_and_the_path_none(week: dict[str, StreetDemand]) -> None:
    cars = {name: int(demand.passed[:, CAR].sum()) for name, demand in week.items()}
    busiest = sorted(cars, key=lambda name: -cars[name])
    assert set(busiest[:4]) == {"Noordring", "Oostring", "Westring", "Zuidring"}
    assert cars["Beekpad"] == 0
    everybody = {name: int(demand.passed.sum()) for name, demand in week.items()}
    assert max((name for name in everybody if "ring" not in name), key=lambda name: everybody[name]) == "Brugstraat"


def test_the_school_street_has_its_runs_on_school_days_only(week: dict[str, StreetDemand]) -> None:
    walkers = week["Schoolstraat"].expected_without[:, PEDESTRIAN].sum(axis=1).reshape(7, 96)
    run, forenoon = slice(28, 31), slice(36, 44)  # 8:00 to 8:45 and 10 to 12 in Brussels, counted in quarters of UTC
    for day in range(5):
        assert walkers[day, run].mean() > 2.5 * walkers[day, forenoon].mean()
    assert walkers[6, run].mean() < walkers[6, forenoon].mean()


def test_the_same_seed_gives_the_same_town_and_another_seed_other_side_streets() -> None:
    assert map_of_overbeke(3) == map_of_overbeke(3)
    assert overbeke(3) == overbeke(3)
    assert set(streets_of(map_of_overbeke(3))) != set(streets_of(map_of_overbeke(4)))
    assert [street.line for street in overbeke(3).streets] == [street.line for street in overbeke(4).streets]


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.pbf"])
def test_an_extract_holds_what_was_drawn(ending: str, drawn: MadeUpMap, tmp_path: Path) -> None:
    path = tmp_path / f"overbeke{ending}"
    write_extract(drawn, path)
    things = Counter(type(thing).__name__ for thing in osmium.FileProcessor(str(path)))
    rings = sum(1 + len(area.holes) for area in drawn.areas)
    assert things == {"Node": len(drawn.points), "Way": len(drawn.ways) + rings, "Relation": 1}
    areas = [thing for thing in osmium.FileProcessor(str(path)).with_areas() if isinstance(thing, osmium.osm.Area)]
    assert len(areas) >= len(drawn.areas)
    with pytest.raises(TownFileError, match="exists already"):
        write_extract(drawn, path)


def test_every_class_of_every_street_is_finite(week: dict[str, StreetDemand]) -> None:
    assert all(np.isfinite(demand.expected_with).all() and (demand.passed >= 0).all() for demand in week.values())
