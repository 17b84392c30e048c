"""The API's usual questions, asked by the API's own functions of its own pool: from the question to rows in Python."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import shapely

from telstraat_api.http.access import EVERYBODY
from telstraat_api.settings import ApiSettings, database_of
from telstraat_api.telraam.places import Area, segments_with_data
from telstraat_api.telraam.snapshots import LATEST_WITHIN, SEEN_WITHIN, intervals_at
from telstraat_api.web.street.street_reading import read_street
from telstraat_api.web.street.street_view import read_view
from telstraat_api.web.town.street_values import last_full_hour, last_hours
from telstraat_store.connection import Database
from telstraat_store.counts.reading import read_periods
from telstraat_store.counts.windows import Bucket, Window, start_of, zone
from telstraat_store.places.fleet import newest_report
from telstraat_store.places.segments import Segment, find_segment, find_segments, list_watched_segments
from telstraat_store.summaries.summary_table import SummaryQuery, read_summaries
from telstraat_store.summaries.town_totals import town_totals

UTC_ZONE = zone("UTC")
ROWS_MAX = 200_000
MAP_STREETS = 200
Question = Callable[[Database, int, datetime], Awaitable[object]]


async def segment(database: Database, number: int) -> Segment:
    """One street, which is there."""
    async with database.connection() as connection:
        street = await find_segment(connection, number)
    assert street is not None
    return street


async def street_page(database: Database, place: int, now: datetime) -> object:
    """A street's page: today by quarter, what is usual, speeds, a year of days."""
    street = await segment(database, place)
    view = read_view({}, zone(street.timezone), now, street.first_report, is_public=False)
    return await read_street(database, database.full, street, view, now, EVERYBODY, 0)


def back(bucket: Bucket, days: int) -> Question:
    """A street, so many days back, in periods of a length."""

    async def ask(database: Database, place: int, now: datetime) -> object:
        end = start_of(now, bucket, UTC_ZONE)
        return await read_periods(database.full, [place], Window(end - timedelta(days=days), end), bucket, ROWS_MAX)

    return ask


async def map_page(database: Database, _: int, now: datetime) -> object:
    """The town: its first streets with their figures and their last full hour, and the town as a whole."""
    async with database.connection() as connection:
        rows, _streets = await read_summaries(connection, SummaryQuery(sort="day", descending=True, limit=MAP_STREETS))
        totals = await town_totals(connection)
    return totals, await last_hours(database.full, [row.segment_id for row in rows], last_full_hour(now))


async def live_all(database: Database, _: int, now: datetime) -> object:
    """The latest hour of every street, with speeds."""
    async with database.connection() as connection:
        rows = await list_watched_segments(connection, now - SEEN_WITHIN)
    end = start_of(now, Bucket.HOUR, UTC_ZONE)
    return await intervals_at(database.full, rows, Window(end - LATEST_WITHIN, end), Bucket.HOUR)


async def box(database: Database, place: int, now: datetime) -> object:
    """The streets in a box of some hundred, with their last whole hour."""
    centre = (await segment(database, place)).geometry["coordinates"][0]
    area = Area(shapely.box(centre[0] - 0.0075, centre[1] - 0.005, centre[0] + 0.0075, centre[1] + 0.005))
    rows = await segments_with_data(database, area)
    end = start_of(now, Bucket.HOUR, UTC_ZONE)
    return await intervals_at(database.full, rows, Window(end - timedelta(hours=1), end), Bucket.HOUR)


async def thousand(database: Database, place: int, _: datetime) -> object:
    """A thousand streets with their first and last report."""
    async with database.connection() as connection:
        return await find_segments(connection, after=max(0, place - 1000), limit=1000)


async def newest(database: Database, _: int, __: datetime) -> object:
    """The newest report of all, as `/healthz` asks for it."""
    async with database.connection() as connection:
        return await newest_report(connection)


QUESTIONS: dict[str, tuple[Question, int]] = {
    "a street's page": (street_page, 60),
    "a street, a week of hours": (back(Bucket.HOUR, 7), 60),
    "a street, a year of days": (back(Bucket.DAY, 365), 40),
    "a street, a year of hours": (back(Bucket.HOUR, 365), 30),
    "the map, 200 streets, their last day": (map_page, 12),
    "streets in a box, their last hour": (box, 12),
    "all streets, the latest hour": (live_all, 8),
    "1,000 streets, first and last report": (thousand, 8),
    "the newest report of all": (newest, 20),
}
"""Each with how often it is asked."""
WARM = 6
"""Before that so often without counting: the sixth time, psycopg has the query prepared."""


@dataclass(frozen=True)
class Asked:
    """What a question took."""

    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of this process and of the database's, the mean


def cpu_s(pid: int) -> float:
    """Return the processor time that a process of this machine has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _ask(dsn: str, sensors: int, timeout_s: float) -> dict[str, Asked]:
    database = database_of(ApiSettings(dsn=dsn, statement_timeout_s=timeout_s, pool_max=1))
    await database.open()
    chosen = random.Random(11)
    answers = {}
    try:
        backend = await database.row("select pg_backend_pid() as pid")
        assert backend is not None
        for name, (question, times) in QUESTIONS.items():
            took_ms = []
            used_s = 0.0
            for turn in range(times + WARM):
                if turn == WARM:
                    used_s = -time.process_time() - cpu_s(backend["pid"])
                began_s = time.perf_counter()
                await question(database, 1001 + chosen.randrange(sensors), datetime.now(UTC))
                took_ms.append((time.perf_counter() - began_s) * 1000)
            used_s += time.process_time() + cpu_s(backend["pid"])
            p50, p99 = (float(value) for value in np.percentile(took_ms[WARM:], [50, 99]))
            answers[name] = Asked(p50, p99, used_s * 1000 / times)
    finally:
        await database.close()
    return answers


def ask(dsn: str, sensors: int, timeout_s: float = 300) -> dict[str, Asked]:
    """Return what each question takes over random streets, on one connection."""
    return asyncio.run(_ask(dsn, sensors, timeout_s))
