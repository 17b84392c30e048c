"""R4: a report that comes weeks late is stored, also into a compressed chunk, and hours and days show it."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from tests.harness.brokers import TestBroker, client_of
from tests.harness.moments import yesterday
from tests.ingest.sending import Ingest, a_report, arrivals_of, receipt_of, wait_until, write_arrivals

from telstraat_contract.messages import encode
from telstraat_contract.topics import Channel, topic
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.schema import retention

WEEKS_AGO = yesterday() - timedelta(days=35)


def a_street(connection: psycopg.Connection, sensor: str) -> int:
    segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
    places.add_sensor(connection, sensor, segment, from_at=WEEKS_AGO - timedelta(days=5))
    return segment


def hours_of(connection: psycopg.Connection) -> list[tuple[int, int]]:
    return connection.execute("select quarters, car_lft_seen from rollup_hour order by hour_start").fetchall()


def test_a_late_report_is_stored_counted_as_late_and_added_up(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        a_street(connection, "late-1")
    mosquitto.let_in("late-1")
    with Ingest(database, mosquitto) as ingest, client_of(mosquitto, "late-1") as sensor:
        assert sensor.subscribe(topic("late-1", Channel.RECEIPT))
        sensor.publish(topic("late-1", Channel.REPORT), encode(a_report("late-1", 1, WEEKS_AGO)))
        assert receipt_of(sensor).through == 1
        assert wait_until(lambda: ingest.service.metrics.value("late_total") == 1)
        with psycopg.connect(database, autocommit=True) as connection:
            assert wait_until(lambda: hours_of(connection) == [(1, 3)])


def test_late_rows_go_into_hours_and_days_that_were_added_up_before(database: str) -> None:
    first, second = (a_report("late-2", seq, WEEKS_AGO + (seq - 1) * timedelta(minutes=15)) for seq in (1, 2))
    with psycopg.connect(database, autocommit=True) as connection:
        a_street(connection, "late-2")
        writer = Writer(connection)
        for report, seen in ((second, [(1, 3)]), (first, [(2, 6)])):
            write_arrivals(writer, arrivals_of([report]))
            rollup.refresh_all(connection)
            assert hours_of(connection) == seen
        assert connection.execute("select hours, quarters, car_lft from rollup_day").fetchall() == [(1, 2, 12.0)]


def test_late_rows_go_into_a_compressed_chunk(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        if not connection.execute("select from pg_extension where extname = 'timescaledb'").fetchall():
            pytest.skip("this server has no TimescaleDB")
        a_street(connection, "late-3")
        writer = Writer(connection)
        early = [a_report("late-3", seq, WEEKS_AGO + (seq - 1) * timedelta(minutes=15)) for seq in range(1, 41)]
        write_arrivals(writer, arrivals_of(early[::2]))
        assert len(retention.compress_old(connection, 14)) >= 1
        written = write_arrivals(writer, arrivals_of(early))
        assert (written.inserted, written.duplicates) == (20, 20)
        assert connection.execute("select count(*), sum(seq) from report").fetchone() == (40, 820)
        assert len(retention.compress_old(connection, 14)) >= 1, "a chunk with late rows is compressed again"
        assert retention.compress_old(connection, 14) == []
        contradiction = a_report("late-3", 1, WEEKS_AGO, observed_s=1)
        assert [item.reason for item in write_arrivals(writer, arrivals_of([contradiction])).rejected] == [
            "contradicts"
        ]


def test_a_partition_for_a_late_month_is_made_on_demand(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "late-4")
        old = a_report("late-4", 1, yesterday() - timedelta(days=390))
        assert write_arrivals(Writer(connection), arrivals_of([old])).inserted == 1
