"""Towns that do not exist: streets with names, kinds, loads and a place on a grid, from a seed."""

from __future__ import annotations

import itertools
import math
from typing import Final

import numpy as np

from telstraat_firmware_sim.demand.demand import Town, TownStreet, random_of
from telstraat_firmware_sim.demand.profiles import (
    CAR_SPEED_KMH,
    CLASSES,
    KIND_SHARES,
    LFT_SHARE_SD,
    PER_HOUR_SD,
    STREET_KINDS,
    TIDE_SD,
)
from telstraat_firmware_sim.errors import DemandError

FIRST_PARTS: Final = (
    "Kerk", "Molen", "School", "Station", "Linden", "Veld", "Haven", "Beek", "Brug", "Markt", "Kapel", "Water", "Tuin", "Berg",
    "Dorp", "Hof", "Park", "Vaart", "Zand", "Eiken", "Wilgen", "Smids", "Bakkers", "Noord", "Zuid",
)  # fmt: skip
LAST_PARTS: Final = ("straat", "laan", "weg", "dreef", "steeg", "kaai", "plein", "pad")
TOWN_NAMES: Final = (
    "Overbeke",
    "Zandvoorde-aan-Zee",
    "Lindekerke",
    "Molenrode",
    "Watervelde",
    "Kasteelbrugge",
    "Nieuwhaven",
    "Eikendorp",
)
BLOCK_M = 140.0
METRES_A_DEGREE = 111_320.0
ONE_WAY_SHARE = 0.15


def made_up_town(
    streets: int, *, seed: int = 0, number: int = 0, latitude: float = 50.88, longitude: float = 4.70
) -> Town:
    """Return a town of so many streets; the same seed and number give the same town."""
    if streets < 1:
        raise DemandError(f"a town of {streets} streets: give 1 or more")
    name = TOWN_NAMES[number % len(TOWN_NAMES)] + (
        "" if number < len(TOWN_NAMES) else f" {number // len(TOWN_NAMES) + 1}"
    )
    rng = random_of(seed, name, "streets")
    latitude += 0.09 * (number // 10)
    longitude += 0.14 * (number % 10)
    names = [first + last for last in LAST_PARTS for first in FIRST_PARTS]
    order = rng.permutation(len(names))
    side = math.ceil(math.sqrt(streets))
    drawn = []
    for at in range(streets):
        label = names[order[at % len(names)]] + ("" if at < len(names) else f" {at // len(names) + 1}")
        drawn.append(_street(label, at, side, latitude, longitude, rng))
    return Town(name, tuple(drawn), latitude=round(latitude, 4), longitude=round(longitude, 4))


def _street(name: str, at: int, side: int, latitude: float, longitude: float, rng: np.random.Generator) -> TownStreet:
    kind = str(rng.choice(list(KIND_SHARES), p=list(KIND_SHARES.values())))
    usual = STREET_KINDS[kind].per_hour
    noise = {name: rng.standard_normal(3) for name in CLASSES}
    # Heavy vehicles follow the cars: half of their spread is the cars' own.
    noise["heavy"][0] = 0.7 * noise["heavy"][0] + 0.7 * noise["car"][0]
    lft = {name: float(np.clip(0.5 + LFT_SHARE_SD[name] * noise[name][1], 0.2, 0.8)) for name in CLASSES}
    if kind != "through" and rng.random() < ONE_WAY_SHARE:
        lft |= {"car": 0.98, "heavy": 0.98}
    return TownStreet(
        name=name,
        kind=kind,
        per_hour={name: round(float(usual[name] * np.exp(PER_HOUR_SD[name] * noise[name][0])), 2) for name in CLASSES},
        lft_share={name: round(share, 3) for name, share in lft.items()},
        tide={name: round(float(TIDE_SD[name] * noise[name][2]), 3) for name in CLASSES},
        speed_kmh=round(float(STREET_KINDS[kind].speed_kmh * np.exp(0.1 * rng.standard_normal())), 1),
        line=_line(at, side, latitude, longitude),
    )


def _line(at: int, side: int, latitude: float, longitude: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of a street on the grid: rows run east, every third one north."""
    row, column = divmod(at, side)
    north = BLOCK_M / METRES_A_DEGREE
    east = north / math.cos(math.radians(latitude))
    start = (longitude + east * column, latitude + north * row)
    end = (start[0], start[1] + 0.8 * north) if at % 3 == 2 else (start[0] + 0.8 * east, start[1])
    return (round(start[0], 6), round(start[1], 6)), (round(end[0], 6), round(end[1], 6))


def neighbours(town: Town, name: str, how_many: int = 2) -> tuple[str, ...]:
    """Return the nearest streets of a street, nearest first: where its traffic would go."""
    own = _middle(town.street(name))
    others = [street for street in town.streets if street.name != name]
    others.sort(key=lambda street: (math.dist(_middle(street), own), street.name))
    return tuple(street.name for street in others[:how_many])


def _middle(street: TownStreet) -> tuple[float, float]:
    """Return where a street is: between its middle points."""
    half = len(street.line) // 2
    (ax, ay), (bx, by) = street.line[half - 1], street.line[half]
    return (ax + bx) / 2, (ay + by) / 2


def speed_shares(street: TownStreet, bins: int, bin_kmh: int) -> list[float]:
    """Return the share of cars in each bin of speed, the last one open: a normal spread around the street's own speed."""
    edges = [bin_kmh * at for at in range(1, bins)]
    below = [0.5 * (1 + math.erf((edge - street.speed_kmh) / (CAR_SPEED_KMH[1] * math.sqrt(2)))) for edge in edges]
    bounds = [0.0, *below, 1.0]
    return [high - low for low, high in itertools.pairwise(bounds)]
