"""R13: a database of any earlier schema comes to the present with its data; twice is once; two runners wait for each other."""

from __future__ import annotations

import threading

import psycopg
import pytest
from tests.harness.moments import yesterday

from telstraat_store.errors import MigrationError
from telstraat_store.schema import migrate
from telstraat_store.schema.migrate import Migration

KNOWN = migrate.migrations()
FILLED = """
insert into segment (name, geometry) values ('Elm', '{}');
insert into sensor (name) values ('old-1');
insert into installation (sensor_id, segment_id, from_at) select sensor_id, segment_id, '2020-01-01Z' from sensor, segment;
insert into stream (sensor_id, epoch_no, epoch, seen, missing) select sensor_id, 1, 7, 9, '{[3,5)}' from sensor;
"""
REPORT = """
insert into report (period_start, sensor_id, seq, flags, epoch_no, observed_s, pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt,
    motorcycle_lft, motorcycle_rgt, car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt, light)
select %s, sensor_id, 1, 0, 1, 900, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 9, 10, 'd' from sensor
"""


def content(connection: psycopg.Connection) -> list[list[tuple[object, ...]]]:
    return [
        connection.execute(f"select * from {table} order by 1").fetchall()
        for table in ("segment", "sensor", "installation", "stream", "report")
    ]


@pytest.mark.parametrize("number", [migration.number for migration in KNOWN])
def test_what_an_earlier_schema_held_is_there_after_the_upgrade(empty_database: str, number: int) -> None:
    migrate.migrate(empty_database, known=KNOWN[:number])
    with psycopg.connect(empty_database) as connection:
        connection.execute(FILLED)
        connection.execute("select make_report_partition(%s)", (yesterday(),))  # on the first of a month it was another
        connection.execute(REPORT, (yesterday(),))
        connection.commit()
        before = content(connection)
        connection.rollback()
        migrate.migrate(empty_database)
        assert [row[: len(old[0])] for old, new in zip(before, content(connection), strict=True) for row in new] == [
            row for table in before for row in table
        ]


def test_a_second_run_changes_nothing(database: str) -> None:
    assert migrate.migrate(database) == ()
    assert migrate.status(database).is_present


def test_two_runners_at_once_wait_for_each_other(empty_database: str) -> None:
    done: list[int] = []
    runners = [threading.Thread(target=lambda: done.append(len(migrate.migrate(empty_database)))) for _ in range(3)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(done) == [0, 0, len(KNOWN)]


def test_an_applied_migration_that_changed_is_refused(database: str) -> None:
    changed = [*KNOWN[:-1], Migration(KNOWN[-1].number, KNOWN[-1].name, KNOWN[-1].text + "\n-- changed")]
    with pytest.raises(MigrationError, match="an applied migration never changes"):
        migrate.migrate(database, known=changed)


def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    with pytest.raises(MigrationError, match="which this version does not know"):
        migrate.migrate(database, known=KNOWN[:-1])


def test_a_migration_that_fails_leaves_the_schema_as_it_was(database: str) -> None:
    broken = Migration(KNOWN[-1].number + 1, "broken", "create table half (); select 1 / 0;")
    with pytest.raises(MigrationError, match="division by zero"):
        migrate.migrate(database, known=[*KNOWN, broken])
    with psycopg.connect(database) as connection:
        assert connection.execute("select to_regclass('half')").fetchone() == (None,)
    assert migrate.status(database).is_present


def test_the_files_are_numbered_without_a_gap() -> None:
    assert [migration.number for migration in KNOWN] == list(range(1, len(KNOWN) + 1))
