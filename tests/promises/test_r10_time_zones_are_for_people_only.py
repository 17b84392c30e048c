"""R10: what is stored is UTC; a local day has 23, 24 or 25 hours, and nothing is lost or doubled where the clock jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.sending import a_report

from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.reports import copy_rows, statements

ZONES = [
    "Europe/Brussels",
    "America/Toronto",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "UTC",
]
TABLES = "report, stream, rollup_dirty, rollup_hour, rollup_day, installation, segment cascade"


def count_from(connection: psycopg.Connection, zone: str, first: datetime, days: int) -> int:
    """Install a sensor and store a report for every quarter of so many UTC days; return how many there are."""
    connection.execute(f"truncate {TABLES}")
    segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)], timezone=zone)
    places.move_sensor(connection, "zone-1", segment, from_at=first)
    quarters = days * 96
    connection.execute(
        "select make_report_partition(%s::timestamptz + day * interval '1 day') from generate_series(0, %s) day",
        (first, days),
    )
    connection.execute(copy_rows.STAGE)
    with connection.transaction(), connection.cursor() as cursor:
        sensor = cursor.execute("select sensor_id from sensor where name = 'zone-1'").fetchone()
        assert sensor is not None
        with cursor.copy(copy_rows.COPY) as copy:
            copy.write(copy_rows.HEADER)
            for number in range(quarters):
                start = first + number * QUARTER
                copy.write(
                    copy_rows.head(number, sensor[0], 1) + copy_rows.measured(a_report("zone-1", number + 1, start))
                )
            copy.write(copy_rows.TRAILER)
        cursor.execute(statements.INSERT)
        cursor.execute(statements.DIRTY)
    rollup.refresh_all(connection)
    return quarters


@pytest.fixture(scope="module")
def registered(module_database: str) -> str:
    with psycopg.connect(module_database) as connection:
        places.add_sensor(connection, "zone-1")
    return module_database


@given(zone=st.sampled_from(ZONES), quarter=st.integers(0, 700 * 96))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_add_up_to_all_quarters_in_every_zone(registered: str, zone: str, quarter: int) -> None:
    first = datetime(2024, 1, 1, tzinfo=UTC) + quarter * QUARTER
    with psycopg.connect(registered, autocommit=True) as connection:
        quarters = count_from(connection, zone, first, 3)
        for table in ("rollup_hour", "rollup_day"):
            row = connection.execute(f"select sum(quarters), sum(car_lft_seen) from {table}").fetchone()
            assert row == (quarters, 3 * quarters), table
        for day_start, name in connection.execute("select day_start, day from rollup_day").fetchall():
            assert day_start.astimezone(ZoneInfo(zone)).date() == name


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Brussels", "2025-03-30", 23),
        ("Europe/Brussels", "2025-10-26", 25),
        ("Europe/Brussels", "2025-06-15", 24),
        ("America/Toronto", "2025-11-02", 25),
        ("Asia/Kolkata", "2025-06-15", 24),
    ],
)
def test_a_day_has_the_hours_that_people_lived_through(registered: str, zone: str, day: str, hours: int) -> None:
    first = quarter_start(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(days=1))
    with psycopg.connect(registered, autocommit=True) as connection:
        count_from(connection, zone, first.astimezone(UTC), 3)
        rows = connection.execute(
            "select hours, period_s, uptime, car_lft from segment_day where day = %s",
            (day,),
        ).fetchall()
        assert rows == [(hours, hours * 3600, 1.0, 3.0 * 4 * hours)]


def test_another_time_zone_of_a_street_adds_its_days_up_again(registered: str) -> None:
    with psycopg.connect(registered, autocommit=True) as connection:
        count_from(connection, "UTC", datetime(2025, 6, 1, tzinfo=UTC), 2)
        assert connection.execute("select count(*) from rollup_day").fetchone() == (2,)
        connection.execute("update segment set timezone = 'Asia/Kolkata'")
        rollup.refresh_all(connection)
        assert connection.execute("select count(*), sum(quarters) from rollup_day").fetchone() == (3, 192)


def test_every_time_in_the_tables_carries_its_zone(registered: str) -> None:
    with psycopg.connect(registered) as connection:
        rows = connection.execute(
            "select table_name, column_name from information_schema.columns where table_schema = current_schema()"
            " and data_type = 'timestamp without time zone'"
        ).fetchall()
        assert rows == []
