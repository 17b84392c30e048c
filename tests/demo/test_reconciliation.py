from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from telstraat_contract.messages import Confidence, Counts, Directed, Report, encode
from telstraat_contract.road_users import SPEED_BINS
from telstraat_demo.run.reconciliation import closed_reports, differences, stored_reports, waiting_reports

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def report(seq: int, **changes: object) -> Report:
    values: dict[str, object] = {
        "sensor": "birch",
        "epoch": 7,
        "seq": seq,
        "period_start": START + seq * timedelta(minutes=15),
        "observed_s": 900,
        "counts": Counts(pedestrian=Directed(1, 2), bike=Directed(3, 4), motorcycle=Directed(1, 0), car=Directed(5, 6)),
        "car_speed": tuple(range(SPEED_BINS)),
        "confidence": Confidence(pedestrian=90, car=80),
        "light": "dusk",
        "flags": 2048,
        **changes,
    }
    return Report(**values)  # type: ignore[arg-type]


def store(dsn: str, stored: Report) -> None:
    counts = stored.counts
    ways = [(each.lft, each.rgt) for each in (counts.pedestrian, counts.bike, counts.motorcycle, counts.car)]
    with psycopg.connect(dsn) as connection:
        connection.execute("insert into sensor (name) values ('birch') on conflict do nothing")
        connection.execute(
            "insert into stream (sensor_id, epoch_no, epoch) values (1, 1, %s) on conflict do nothing", (stored.epoch,)
        )
        connection.execute(
            "insert into report (period_start, sensor_id, seq, flags, epoch_no, observed_s, pedestrian_lft, pedestrian_rgt,"
            " bike_lft, bike_rgt, motorcycle_lft, motorcycle_rgt, car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft,"
            " night_rgt, pedestrian_conf, car_conf, light, car_speed)"
            " values (%s, 1, %s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0, 0, %s, %s, 'k', %s)",
            (
                *(stored.period_start, stored.seq, stored.flags, stored.observed_s),
                *(count for way in ways for count in way),
                *(stored.confidence.pedestrian, stored.confidence.car, list(stored.car_speed or ())),
            ),
        )


def test_a_stored_report_reads_as_the_message_that_it_came_as(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("select make_report_partition(%s)", (START,))
    store(database, report(1))
    assert stored_reports(database, "birch") == [report(1)]


def test_equal_sides_have_no_differences() -> None:
    assert differences([report(1), report(2)], [report(2), report(1)]) == []


@pytest.mark.parametrize(
    ("closed", "stored", "problem"),
    [
        ([report(1)], [], "missing"),
        ([], [report(1)], "unknown"),
        ([report(1)], [report(1), report(1)], "doubled"),
        ([report(1)], [report(1, observed_s=899)], "different"),
        ([report(1)], [report(1, counts=Counts(car=Directed(5, 7)))], "different"),
        ([report(1)], [report(1, flags=0)], "different"),
    ],
)
def test_every_kind_of_difference_is_found(closed: list[Report], stored: list[Report], problem: str) -> None:
    assert [each.problem for each in differences(closed, stored)] == [problem]


def test_the_outbox_is_read_whole_with_and_without_receipt(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(sqlite3.connect(path)) as outbox:
        outbox.execute("create table report (epoch integer, seq integer, receipted_s real, payload text)")
        outbox.execute("insert into report values (7, 1, 12.5, ?)", (encode(report(1)).decode(),))
        outbox.execute("insert into report values (7, 2, null, ?)", (encode(report(2)).decode(),))
        outbox.commit()
    assert closed_reports(path) == [report(1), report(2)]
    assert waiting_reports(path) == 1
