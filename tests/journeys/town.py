"""A small town for the journeys: five counted streets with half a year of hours, one of them with a sensor that is silent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import psycopg
from tests.api.streets import BRUSSELS, COUNTED, add_reports, add_segment, add_sensor, plausible_days

from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_contract.road_users import SPEED_BINS
from telstraat_store.counts.rollup import refresh_all as add_up
from telstraat_store.summaries.refreshing import refresh_all

DAYS = 190
QUARTERS_OF = timedelta(days=3)
MEASURE_AGO = 42
"""So many days ago a filter came to the School street: a third of its cars are gone."""


class Street(NamedTuple):
    """A street, and how much and how fast is driven in it."""

    name: str
    limit_kmh: int
    cars_a_day: int
    mean_kmh: float
    line: list[list[float]]


STREETS = (
    Street("Lindenstraat", 30, 1900, 27, [[4.70050, 50.87790], [4.70190, 50.87815], [4.70320, 50.87860]]),
    Street("Schoolstraat", 30, 2400, 39, [[4.70320, 50.87860], [4.70390, 50.87930]]),
    Street("Stationslaan", 50, 5200, 44, [[4.69860, 50.88020], [4.70120, 50.87990], [4.70390, 50.87930]]),
    Street("Molenweg", 30, 1500, 30, [[4.70190, 50.87815], [4.70260, 50.87690], [4.70400, 50.87600]]),
    Street("Dorpsplein", 30, 2100, 28, [[4.69860, 50.88020], [4.69800, 50.87900], [4.70050, 50.87790]]),
)
SILENT = "Molenweg"
PROFILE = 0.05 + np.exp(-(((np.arange(24) - 14) / 5.5) ** 2)) + 0.6 * np.exp(-(((np.arange(24) - 8) / 1.2) ** 2))


def settle(connection: psycopg.Connection, now: datetime) -> None:
    """Fill an empty database with the town, as it stands at a whole hour."""
    first, until = now - timedelta(days=DAYS), now - QUARTERS_OF
    for number, street in enumerate(STREETS, 1):
        segment = add_segment(connection, street.name, street.line, limit_kmh=street.limit_kmh)
        add_sensor(connection, f"sensor-{number:02}", segment, first, online=street.name != SILENT)
    add_up(connection)  # before there are hours that no report stands behind
    for number, street in enumerate(STREETS, 1):
        add_past(connection, number, street, first, until)
        last = until + timedelta(hours=14) if street.name == SILENT else now
        add_reports(connection, plausible_days(number, until, last, seed=number, scale=street.cars_a_day / 2000))
        connection.execute("update stream set last_at = %s where sensor_id = %s", (last, number))
    add_up(connection)
    refresh_all(connection, kinds_of_days, now)


def add_past(connection: psycopg.Connection, sensor: int, street: Street, first: datetime, until: datetime) -> None:
    """Store the hours and days of a street, plausible ones that go with those of the other streets."""
    rng = np.random.default_rng(sensor)
    row = connection.execute("select installation_id from installation where sensor_id = %s", (sensor,)).fetchone()
    assert row
    everywhere = np.random.default_rng(71).normal(0, 0.10, DAYS + 2)  # good and bad days are those of the whole town
    bins = np.clip(np.random.default_rng(5).normal(street.mean_kmh, 7, 4000) // 5, 0, SPEED_BINS - 1).astype(int)
    speeds = np.bincount(bins, minlength=SPEED_BINS) / len(bins)
    levels = {"pedestrian": 0.3, "bike": 0.6, "motorcycle": 0.02, "car": 1.0, "heavy": 0.06, "night": 0.0}
    changed = until + QUARTERS_OF - timedelta(days=MEASURE_AGO)
    hours: list[tuple[Any, ...]] = []
    days: dict[date, list[Any]] = {}
    at = first.replace(minute=0)
    while at < until:
        local = at.astimezone(BRUSSELS)
        place = (at - first).days
        level = PROFILE[local.hour] / PROFILE.sum() * street.cars_a_day / 2
        level *= np.exp(everywhere[place] + rng.normal(0, 0.06)) * (0.8 if local.weekday() >= 5 else 1.0)
        counts = []
        for name in COUNTED:
            kind = name.rpartition("_")[0]
            gone = 0.33 if (kind, street.name) == ("car", "Schoolstraat") and at >= changed else 0.0
            counts.append(int(rng.poisson(level * levels[kind] * (1 - gone))))
        cars = counts[COUNTED.index("car_lft")] + counts[COUNTED.index("car_rgt")]
        driven = np.rint(speeds * cars).astype(int)
        hours.append((row[0], at, 4, 3600, 0, 0, *counts, *counts, driven.tolist()))
        day = days.setdefault(local.date(), [0, np.zeros(len(counts), dtype=int), np.zeros(SPEED_BINS, dtype=int)])
        day[0] += 1
        day[1] += counts
        day[2] += driven
        at += timedelta(hours=1)
    sums = [f"{name}_seen" for name in COUNTED] + list(COUNTED)
    columns = ["quarters", "observed_s", "dark_s", "flags", *sums, "car_speed"]
    with connection.cursor() as cursor:
        with cursor.copy(f"copy rollup_hour (installation_id, hour_start, {', '.join(columns)}) from stdin") as copy:
            for hour in hours:
                copy.write_row(hour)
        head = "installation_id, day, day_start, hours"
        with cursor.copy(f"copy rollup_day ({head}, {', '.join(columns)}) from stdin") as copy:
            for day_of, (n, counts, driven) in days.items():
                begin = datetime.combine(day_of, datetime.min.time(), BRUSSELS).astimezone(UTC)
                counted = counts.tolist()
                copy.write_row((row[0], day_of, begin, n, 4 * n, 3600 * n, 0, 0, *counted, *counted, driven.tolist()))
