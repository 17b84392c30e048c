"""R3: permutations, duplicates, splits and interleavings of a day's messages give the same table."""

from __future__ import annotations

import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.sending import a_report, arrivals_of, write_arrivals

from telstraat_contract.messages import Health, Report, Status, encode
from telstraat_ingest.writing.quarantine import Arrival
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup

SENSORS = ("elm-1", "elm-2")
DAY = [a_report(sensor, seq, epoch=epoch) for sensor in SENSORS for epoch in (7, 8) for seq in range(1, 25)]


@pytest.fixture(scope="module")
def stored_once(module_database: str) -> tuple[str, str]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        for sensor in SENSORS:
            places.add_sensor(connection, sensor)
        write_arrivals(Writer(connection), arrivals_of(DAY))
        return module_database, fingerprint(connection)


def fingerprint(connection: psycopg.Connection) -> str:
    """A checksum of all that was counted and of all that the receipts say."""
    columns = "sensor_id, epoch, period_start, seq, observed_s, car_lft, car_rgt, bike_lft, light, flags"
    rows = connection.execute(
        f"select {columns} from report join stream using (sensor_id, epoch_no) order by 1, 2, 3"
    ).fetchall()
    streams = connection.execute(
        "select sensor_id, epoch, through, seen, missing::text from stream order by 1, 2"
    ).fetchall()
    return hashlib.sha256(repr((rows, streams)).encode()).hexdigest()


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Arrival]]:
    """Any order, any number of times, cut into batches anywhere."""
    messages = arrivals_of(DAY) + arrivals_of(draw(st.lists(st.sampled_from(DAY), max_size=40)))
    random.Random(draw(st.integers(0, 2**32))).shuffle(messages)
    cuts = sorted(draw(st.sets(st.integers(1, len(messages) - 1), max_size=6)))
    return [messages[low:high] for low, high in zip([0, *cuts], [*cuts, len(messages)], strict=True)]


@given(batches=deliveries())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_repetition_give_the_same_table(
    stored_once: tuple[str, str], batches: list[list[Arrival]]
) -> None:
    dsn, expected = stored_once
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("truncate report, stream, rollup_dirty, quarantine")
        writer = Writer(connection)
        inserted = sum(write_arrivals(writer, batch).inserted for batch in batches)
        assert inserted == len(DAY)
        assert fingerprint(connection) == expected
        assert connection.execute("select count(*) from quarantine").fetchone() == (0,)


def test_a_replay_of_everything_changes_nothing(stored_once: tuple[str, str]) -> None:
    dsn, expected = stored_once
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("truncate report, stream, rollup_dirty, quarantine")
        writer = Writer(connection)
        for _ in range(3):
            write_arrivals(writer, arrivals_of(DAY))
        assert fingerprint(connection) == expected


def test_a_report_that_contradicts_its_twin_goes_to_quarantine_with_both_versions(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "elm-1")
        first, second = a_report("elm-1", 1, observed_s=900), a_report("elm-1", 1, observed_s=450)
        written = write_arrivals(Writer(connection), arrivals_of([first, second]))
        assert (written.inserted, [item.reason for item in written.rejected]) == (1, ["contradicts"])
        rows = connection.execute("select reason, payload, stored ->> 'observed_s' from quarantine").fetchall()
        assert rows == [("contradicts", encode(second), "900")]
        (receipt,) = written.receipts["elm-1"]
        assert (receipt.through, receipt.refused) == (1, ((1, 1),))


def test_two_epochs_of_a_quarter_are_two_part_observations(database: str) -> None:
    before: Report = a_report("elm-1", 1, observed_s=300)
    after: Report = a_report("elm-1", 1, observed_s=500, epoch=99)
    with psycopg.connect(database, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        places.add_sensor(connection, "elm-1", segment, from_at=before.period_start)
        write_arrivals(Writer(connection), arrivals_of([before, after]))
        rows = connection.execute("select observed_s, car_lft from installation_quarter").fetchall()
        assert rows == [(800, 6)]
        assert connection.execute("select round(car_lft::numeric, 6) from segment_quarter").fetchone() == (6.75,)


def test_a_health_message_repeated_loses_nothing_twice(database: str) -> None:
    health = Health(sensor="elm-1", at=DAY[0].period_start, epoch=7, last_seq=9, lost=((2, 3),))
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "elm-1")
        writer = Writer(connection)
        for _ in range(2):
            write_arrivals(writer, arrivals_of([health]))
        row = connection.execute("select seen, lost::text, missing::text, through from stream").fetchone()
        assert row == (9, "{[2,4)}", "{[1,2),[4,10)}", 0)


def test_ingesters_that_write_the_same_sensors_at_once_wait_for_each_other_and_never_deadlock(database: str) -> None:
    """Epochs that nobody has seen, reports, health and status in any order, in three ingesters, and rollups beside them."""
    sensors, epochs = [f"elm-{n}" for n in range(8)], range(1, 7)
    reports = [a_report(name, seq, epoch=epoch) for name in sensors for epoch in epochs for seq in range(1, 7)]
    at = DAY[0].period_start
    words = [Health(sensor=name, at=at, epoch=epoch, last_seq=6) for name in sensors for epoch in epochs]
    words_of_state = [
        Status(sensor=name, state="online", epoch=epoch, last_seq=5) for name in sensors for epoch in epochs
    ]
    with psycopg.connect(database, autocommit=True) as connection:
        for name in sensors:
            places.add_sensor(connection, name)

    def write(number: int) -> int:
        mine = arrivals_of([*reports, *words, *words_of_state])
        random.Random(number).shuffle(mine)
        with psycopg.connect(database, autocommit=True) as connection:
            writer = Writer(connection)
            return sum(write_arrivals(writer, mine[at : at + 16]).inserted for at in range(0, len(mine), 16))

    def add_up() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not written.is_set():
                rollup.refresh(connection)

    written = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        beside = pool.submit(add_up)
        try:
            inserted = [item.result(60) for item in [pool.submit(write, number) for number in range(3)]]
        finally:
            written.set()
        beside.result(60)
    assert sum(inserted) == len(reports)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from stream where through = 6").fetchone() == (
            len(sensors) * len(epochs),
        )
        assert connection.execute("select count(*) from quarantine").fetchone() == (0,)
