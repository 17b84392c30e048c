"""Retention, late marks after it, installations that are moved, exports, and the registry's refusals."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.harness.moments import yesterday
from tests.ingest.sending import a_report, arrivals_of, write_arrivals

from telstraat_contract.messages import Report
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.counts.rollup import DirtyRange, merge
from telstraat_store.errors import RegistryError
from telstraat_store.export.view_dump import DumpRequest, export
from telstraat_store.schema import retention


def a_year(sensor: str) -> list[Report]:
    """One report a week, for a year back."""
    return [a_report(sensor, 60 - week, yesterday() - timedelta(days=7 * week)) for week in range(52)]


@pytest.fixture
def filled(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        places.add_sensor(connection, "elm-1", segment, from_at=yesterday() - timedelta(days=500))
        write_arrivals(Writer(connection), arrivals_of(a_year("elm-1")))
        rollup.refresh_all(connection)
    return database


def test_retention_drops_whole_months_and_keeps_hours_and_days(filled: str) -> None:
    with psycopg.connect(filled, autocommit=True) as connection:
        assert retention.drop_old(connection, 100) != []
        oldest = connection.execute("select min(period_start) from report").fetchone()
        assert oldest is not None
        limit = datetime.now(UTC) - timedelta(days=100)
        assert limit - timedelta(days=32) < oldest[0] < limit + timedelta(days=32)
        days = connection.execute("select count(*) from rollup_day").fetchone()
        assert days == (52,)
        # Marks over everything, as after a corrected time zone, do not empty what can no longer be added up.
        connection.execute("update segment set timezone = 'Europe/Paris'")
        rollup.refresh_all(connection)
        assert connection.execute("select count(*) from rollup_hour").fetchone() == (52,)
        assert retention.drop_old(connection, 100) == []


def test_two_sessions_that_miss_the_same_partition_make_it_once(database: str) -> None:
    make = "select make_report_partition('2001-02-03Z')"
    with psycopg.connect(database) as first, psycopg.connect(database) as second, ThreadPoolExecutor(1) as pool:
        first.execute(make)
        late = pool.submit(second.execute, make)
        waits = "select from pg_locks where pid = %s and not granted"
        with psycopg.connect(database, autocommit=True) as watcher:
            while not late.done() and watcher.execute(waits, (second.info.backend_pid,)).fetchone() is None:
                time.sleep(0.01)
        first.commit()
        late.result(30)
        second.commit()


def test_old_quarantine_goes(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        write_arrivals(Writer(connection), arrivals_of([a_report("nobody", 1)]))
        assert retention.drop_old_quarantine(connection, 1) == 0
        connection.execute("update quarantine set last_at = now() - interval '2 days'")
        assert retention.drop_old_quarantine(connection, 1) == 1


def test_a_moved_sensor_keeps_its_histories_apart(filled: str) -> None:
    moved_at = yesterday() - timedelta(days=100)
    with psycopg.connect(filled, autocommit=True) as connection:
        other = places.draw_segment(connection, "Oak", [(4.0, 50.0), (4.1, 50.0)])
        before = connection.execute("select sum(car_lft) from segment_day").fetchone()
        places.move_sensor(connection, "elm-1", other, from_at=moved_at)
        rollup.refresh_all(connection)
        rows = connection.execute(
            "select s.name, count(*), min(d.period_start) >= %s, max(d.period_start) < %s"
            " from segment_day d join segment s using (segment_id) group by 1 order by 1",
            (moved_at, moved_at),
        ).fetchall()
        assert rows == [("Elm", 37, False, True), ("Oak", 15, True, False)]
        assert connection.execute("select sum(car_lft) from segment_day").fetchone() == before
        for view in ("quarter", "hour"):
            assert connection.execute(
                f"select count(distinct segment_id), count(*) from segment_{view}"
            ).fetchone() == (2, 52)


def test_two_installations_of_one_sensor_never_overlap(filled: str) -> None:
    with psycopg.connect(filled, autocommit=True) as connection:
        places.move_sensor(connection, "elm-1", 1001, from_at=yesterday())
        with pytest.raises(RegistryError, match="history is not overwritten"):
            places.move_sensor(connection, "elm-1", 1001, from_at=yesterday() - timedelta(days=600))


def test_several_sensors_at_a_street_are_averaged_by_what_each_observed(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        for name in ("elm-1", "elm-2"):
            places.add_sensor(connection, name, segment, from_at=yesterday())
        reports = [a_report("elm-1", 1, observed_s=900), a_report("elm-2", 1, observed_s=300)]
        write_arrivals(Writer(connection), arrivals_of(reports))
        rollup.refresh_all(connection)
        # 3 cars in 900 s and 3 in 300 s: 6 cars in 1200 s are 4.5 in a quarter.
        assert connection.execute("select car_lft, installations, uptime from segment_quarter").fetchone() == (
            4.5,
            2,
            1.0,
        )
        hour = connection.execute("select car_lft, installations from segment_hour").fetchone()
        assert hour == ((12.0 * 900 + 36.0 * 300) / 1200, 2)


def test_the_export_has_utc_and_local_time(filled: str, tmp_path: Path) -> None:
    with psycopg.connect(filled) as connection:
        for step, rows in (("quarter", 52), ("hour", 52), ("day", 52)):
            path = tmp_path / f"{step}.csv"
            assert export(connection, DumpRequest(step), path) >= rows  # type: ignore[arg-type]
            assert path.read_text().count(",counted\n") == rows
            assert export(connection, DumpRequest(step, has_gaps=False), path) == rows  # type: ignore[arg-type]
            head, first = path.read_text().splitlines()[:2]
            assert {"period_start_utc", "period_start_local", "car_lft", "uptime", "source"} <= set(head.split(","))
            assert first.startswith("1001,Elm,")
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        assert export(connection, DumpRequest("hour", (1001,), None, long_ago), tmp_path / "none.csv") == 0
        assert export(connection, DumpRequest("hour", (1001,), yesterday(), has_gaps=False), tmp_path / "one.csv") == 1


def test_marks_that_touch_are_one() -> None:
    at = [datetime(2025, 1, 1, hour, tzinfo=UTC) for hour in range(6)]
    marks = [DirtyRange(1, at[2], at[3]), DirtyRange(1, at[0], at[1]), DirtyRange(1, at[1], at[2]), DirtyRange(2, at[0], at[1]), DirtyRange(1, at[4], at[5]),
             DirtyRange(1, at[5], at[5])]  # fmt: skip
    assert sorted(merge(marks)) == [
        DirtyRange(1, at[0], at[3]),
        DirtyRange(1, at[4], at[5]),
        DirtyRange(2, at[0], at[1]),
    ]


@pytest.mark.parametrize(
    ("points", "zone", "message"),
    [
        ([(4.0, 50.0)], "UTC", "two points or more"),
        ([(4.0, 50.0), (50.0, 95.0)], "UTC", "is not a place"),
        ([(0.0, 0.0), (4.0, 50.0)], "UTC", "is not a place"),
        ([(4.0, 50.0), (4.1, 50.0)], "Brussels", "is not one of IANA's"),
    ],
)
def test_a_segment_that_cannot_be_is_refused(
    database: str, points: list[tuple[float, float]], zone: str, message: str
) -> None:
    with psycopg.connect(database) as connection, pytest.raises(RegistryError, match=message):
        places.draw_segment(connection, "Elm", points, timezone=zone)


def test_names_that_are_taken_wrong_or_misspelt_are_told_so(database: str) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "elm-1")
        for name, message in (("elm-1", "exists already"), ("Elm_1", "use 1 to 63 of a-z")):
            with pytest.raises(RegistryError, match=message):
                places.add_sensor(connection, name)
        with pytest.raises(RegistryError, match="did you mean 'elm-1'"):
            places.retire_sensor(connection, "elm-2")
        with pytest.raises(RegistryError, match="there is no segment 7"):
            places.move_sensor(connection, "elm-1", 7)


def test_size_tells_what_there_is(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        size = retention.size(connection)
    assert (size.reports, size.segments, size.sensors, size.missing) == (52, 1, 1, 8)
    assert size.reports_bytes > 0
