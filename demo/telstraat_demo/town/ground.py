"""Where the town lies: its streets in the database, and the number that each has there."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from telstraat_firmware_sim.demand.demand import Town
from telstraat_firmware_sim.fleet.towns import made_up_town
from telstraat_store.places import draw_segment
from telstraat_store.places.segments import number_of_segment

SLOW_KMH, USUAL_KMH = 30, 50
FAST_KINDS = ("through",)


def town_of(seed: int, streets: int) -> Town:
    """Return the town of a plan."""
    return made_up_town(streets, seed=seed)


def lay_out(connection: Connection[Any], town: Town) -> dict[str, int]:
    """Put the town's streets into the database unless they are there, and return their numbers by name."""
    numbers = {}
    for street in town.streets:
        number = number_of_segment(connection, street.name)
        if number is None:
            limit = USUAL_KMH if street.kind in FAST_KINDS else SLOW_KMH
            number = draw_segment(connection, street.name, street.line, speed_limit_kmh=limit)
        numbers[street.name] = number
    return numbers
