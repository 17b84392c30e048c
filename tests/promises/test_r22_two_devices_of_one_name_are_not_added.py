"""R22: two devices under one name count a street once: quarters divided by all their seconds, flagged, alarms on both sides."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import psycopg
import pytest
from tests.device.wires import device_settings, wire
from tests.harness.brokers import TestBroker
from tests.harness.moments import running, yesterday
from tests.harness.processes import wait_until as until
from tests.ingest.sending import a_report, arrivals_of, settings_of, wait_until, write_arrivals

from telstraat_contract.messages import Counts, Directed, Flag, Report
from telstraat_contract.quarters import QUARTER
from telstraat_device.delivery.connection import Connection, Disconnected
from telstraat_ingest.metrics import Metrics
from telstraat_ingest.upkeep import Upkeep
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup

NAME = "twin-1"
CARS = "select car_lft, flags & %s <> 0 from {} where car_lft is not null"
READERS = ("segment_quarter", "segment_hour", "segment_day")


def part(epoch: int, cars: int, observed_s: int = 900, seq: int = 1) -> Report:
    counts = Counts(car=Directed(cars, 0))
    start = yesterday() + (seq - 1) * QUARTER
    return a_report(NAME, seq, start, epoch=epoch, observed_s=observed_s, counts=counts)


def add_twin(connection: psycopg.Connection) -> int:
    segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)], timezone="UTC")
    places.add_sensor(connection, NAME, segment, from_at=yesterday())
    return segment


@pytest.mark.parametrize(
    ("parts", "cars", "shared"),
    [
        (((900, 10), (900, 10)), 10.0, True),  # each sees all ten
        (((900, 10), (900, 10), (900, 10)), 10.0, True),
        (((600, 10), (700, 12)), 22 * 900 / 1300, True),
        (((450, 5), (450, 5)), 10.0, False),  # one device that was started again: its parts are added
        (((300, 2), (150, 1)), 6.0, False),
        (((451, 5), (450, 5)), 10 * 900 / 901, False),  # each rounded up
    ],
)
def test_every_reader_divides_by_all_the_seconds_that_were_observed(
    database: str, parts: tuple[tuple[int, int], ...], cars: float, shared: bool
) -> None:
    reports = [part(epoch, count, seconds) for epoch, (seconds, count) in enumerate(parts, 1)]
    for order in (reports, reports[::-1]):
        with psycopg.connect(database, autocommit=True) as connection:
            if order is reports:
                add_twin(connection)
            writer = Writer(connection)
            for report in order:
                write_arrivals(writer, arrivals_of([report]))
            rollup.refresh_all(connection)
            for view, times in zip(READERS, (1, 4, 4), strict=True):
                rows = connection.execute(CARS.format(view), (int(Flag.SHARED_NAME),)).fetchall()
                assert rows == [(pytest.approx(times * cars), shared)], view
            seen = connection.execute("select observed_s, car_lft, parts_s from installation_quarter").fetchone()
            seconds = sum(seconds for seconds, _ in parts)
            assert seen == (min(900, seconds), sum(count for _, count in parts), seconds)


def test_sums_that_are_too_large_for_their_column_stop_no_other_streets_hours(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        add_twin(connection)
        other = places.draw_segment(connection, "Oak", [(4.0, 50.0), (4.1, 50.0)], timezone="UTC")
        places.add_sensor(connection, "calm-1", other, from_at=yesterday())
        writer = Writer(connection)
        write_arrivals(writer, arrivals_of([part(1, 1)]))
        for name in ("stream", "report"):
            columns = [row[0] for row in connection.execute(
                "select column_name from information_schema.columns where table_schema = 'public' and table_name = %s and is_generated = 'NEVER'", (name,)
            )]  # fmt: skip
            given = {
                "epoch_no": "n",
                "epoch": "n",
                "car_lft": "32767",
                "observed_s": "1",
                "period_start": "period_start + q * interval '15 minutes'",
            }
            drawn = ", ".join(given.get(column, column) for column in columns)
            quarters = "generate_series(0, 3)" if name == "report" else "generate_series(0, 0)"
            connection.execute(
                f"insert into {name} ({', '.join(columns)}) select {drawn} from {name} cross join generate_series(2, 20000) n"
                f" cross join {quarters} q",
            )
        connection.execute("insert into rollup_dirty (sensor_id, from_at, until_at) select sensor_id, %s, %s from sensor",
                           (yesterday(), yesterday() + 4 * QUARTER))  # fmt: skip
        write_arrivals(writer, arrivals_of([a_report("calm-1", 1)]))
        assert rollup.refresh_all(connection) > 0
        assert connection.execute("select max(car_lft_seen) from rollup_hour").fetchone() == (2**31 - 1,)
        assert connection.execute(
            "select car_lft_seen from installation_hour where segment_id = %s", (other,)
        ).fetchone() == (3,)


def test_the_server_names_the_sensor_that_another_device_uses(
    database: str, mosquitto: TestBroker, caplog: pytest.LogCaptureFixture
) -> None:
    metrics, stop = Metrics(), threading.Event()
    settings = settings_of(database, mosquitto, upkeep_every_s=0.2, rollup_every_s=0.05)
    with psycopg.connect(database, autocommit=True) as connection:
        add_twin(connection)
        writer = Writer(connection)
        late = running(QUARTER, 0) - QUARTER  # the last whole one: within a day of now, also before midnight
        for epoch in (1, 2):
            write_arrivals(writer, arrivals_of([a_report(NAME, 1, late, epoch=epoch)]))
    upkeep = threading.Thread(target=Upkeep(settings, metrics, stop).run)
    with caplog.at_level(logging.WARNING):
        upkeep.start()
        assert wait_until(lambda: metrics.value("shared_names") == 1)
        stop.set()
        upkeep.join()
    records = [record for record in caplog.records if getattr(record, "event", "") == "shared_name"]
    assert [record.sensors for record in records] == [[NAME]]  # type: ignore[attr-defined]


def test_a_device_whose_connection_is_taken_again_and_again_says_so(mosquitto: TestBroker, tmp_path: Path) -> None:
    mosquitto.let_in(NAME)
    for which in (1, 2):
        (tmp_path / str(which)).mkdir()
    both = [device_settings(tmp_path / str(which), NAME, mosquitto.port) for which in (1, 2)]
    with wire(both[0]) as first, wire(both[1]) as other:
        until(lambda: all("another device uses the name" in " ".join(w.publisher.alarms()) for w in (first, other)), 60)


def test_where_the_broker_does_not_say_why_it_hangs_up_the_device_says_perhaps(tmp_path: Path) -> None:
    with wire(device_settings(tmp_path, NAME, 1)) as w:
        publisher = w.publisher
        for _ in range(6):
            publisher._connection = Connection(publisher.settings, publisher._protocol, publisher._events)
            publisher._came_online()
            assert not any("perhaps" in alarm for alarm in publisher.alarms())
            publisher._handle(publisher._connection, Disconnected("Unspecified error"))
        assert any("perhaps another device uses the name" in alarm for alarm in publisher.alarms())
