"""On a server with TimescaleDB: the tests really use it, chunks fit the number of sensors, late rows of many sensors are taken."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import psycopg
import pytest
from tests.harness.brokers import TestBroker
from tests.harness.moments import yesterday
from tests.ingest.sending import a_report, arrivals_of, settings_of, wait_until, write_arrivals

from telstraat_contract.messages import Report
from telstraat_demo.stack.postgres import Postgres
from telstraat_ingest.metrics import Metrics
from telstraat_ingest.upkeep import Upkeep
from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.schema import migrate, retention

WEEKS_AGO = yesterday() - timedelta(days=60)
SENSORS = 40


@pytest.fixture
def hypertable(database: str, postgres: Postgres) -> str:
    if not postgres.has_extension("timescaledb"):
        pytest.skip("this server has no TimescaleDB")
    return database


def a_day_of(sensors: range) -> list[Report]:
    return [
        a_report(f"late-{number}", seq, WEEKS_AGO + (seq - 1) * timedelta(minutes=15))
        for seq in range(1, 97)
        for number in sensors
    ]


def test_a_server_that_has_timescaledb_uses_it(database: str, postgres: Postgres) -> None:
    offered = postgres.has_extension("timescaledb")
    assert (migrate.status(database).timescaledb is not None) == offered
    with psycopg.connect(database) as connection:
        assert connection.execute("select relkind from pg_class where oid = 'report'::regclass").fetchone() == (
            "r" if offered else "p",
        )
        if offered:
            row = connection.execute(
                "select h.compression_enabled, s.segmentby, s.orderby from timescaledb_information.hypertables h"
                " join timescaledb_information.hypertable_compression_settings s on s.hypertable = 'report'::regclass"
                " where h.hypertable_name = 'report'"
            ).fetchone()
            assert row == (True, "sensor_id,epoch_no", "period_start")


def test_chunks_are_long_for_few_sensors_and_short_for_many(hypertable: str) -> None:
    with psycopg.connect(hypertable, autocommit=True) as connection:
        assert retention.fit_chunks(connection) == retention.CHUNK_DAYS_OF_FEW
        assert retention.fit_chunks(connection) is None
        connection.execute("insert into sensor (name) select 'many-' || n from generate_series(0, %s) n", (1000,))
        assert retention.fit_chunks(connection) == retention.CHUNK_DAYS_OF_MANY
        connection.execute("update sensor set retired_at = now()")
        assert retention.fit_chunks(connection) == retention.CHUNK_DAYS_OF_FEW


def test_late_rows_of_many_sensors_go_into_compressed_chunks_and_are_compressed_with_them(hypertable: str) -> None:
    with psycopg.connect(hypertable, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        for number in range(SENSORS):
            places.add_sensor(connection, f"late-{number}", segment, from_at=WEEKS_AGO)
        reports = a_day_of(range(SENSORS))
        writer = Writer(connection)
        late, early = reports[SENSORS:][::7], set(reports) - set(reports[SENSORS:][::7])
        first: list[Report] = sorted(early, key=lambda item: (item.sensor, item.seq))
        write_arrivals(writer, arrivals_of(first))
        rollup.refresh_all(connection)
        assert len(retention.compress_old(connection, 14)) == 1
        # What one statement may unpack is limited by default; ours unpacks nothing, however many sensors are late.
        connection.execute("set timescaledb.max_tuples_decompressed_per_dml_transaction = 1")
        written = write_arrivals(writer, arrivals_of(reports))
        assert (written.inserted, written.duplicates) == (len(late), len(early))
        rollup.refresh_all(connection)
        assert connection.execute("select sum(quarters), sum(car_lft_seen) from rollup_day").fetchone() == (
            len(reports), 3 * len(reports),
        )  # fmt: skip
        assert len(retention.compress_old(connection, 14)) == 1
        assert retention.compress_old(connection, 14) == []
        assert connection.execute("select count(*), sum(seq) from report").fetchone() == (
            len(reports), sum(report.seq for report in reports),
        )  # fmt: skip


def test_a_schema_with_compressed_chunks_is_upgraded_and_both_ways_of_packing_are_read(
    empty_database: str, postgres: Postgres
) -> None:
    if not postgres.has_extension("timescaledb"):
        pytest.skip("this server has no TimescaleDB")
    known = migrate.migrations()
    migrate.migrate(empty_database, known=known[:6])
    with psycopg.connect(empty_database, autocommit=True) as connection:
        places.add_sensor(connection, "late-0")
        writer = Writer(connection)
        write_arrivals(writer, arrivals_of(a_day_of(range(1))[:90]))
        assert len(retention.compress_old(connection, 14)) == 1
        migrate.migrate(empty_database)
        assert write_arrivals(writer, arrivals_of(a_day_of(range(1)))).inserted == 6
        assert len(retention.compress_old(connection, 14)) == 1
        newer = [a_report("late-0", 100 + n, WEEKS_AGO + timedelta(days=30, hours=n)) for n in range(5)]
        write_arrivals(writer, arrivals_of(newer))
        assert len(retention.compress_old(connection, 14)) == 1
        assert connection.execute("select count(*), sum(seq) from report").fetchone() == (101, 97 * 48 + 510)


def test_a_policy_of_somebody_else_is_told(
    hypertable: str, mosquitto: TestBroker, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(hypertable, autocommit=True) as connection:
        assert retention.foreign_policies(connection) == []
        connection.execute("select add_retention_policy('report', interval '30 days')")
        assert retention.foreign_policies(connection) == ["policy_retention"]
    stop = threading.Event()
    settings = settings_of(hypertable, mosquitto, upkeep_every_s=0.1)
    upkeep = threading.Thread(target=Upkeep(settings, Metrics(), stop).run)
    with caplog.at_level(logging.INFO):
        upkeep.start()
        assert wait_until(lambda: "foreign_policies" in {getattr(record, "event", "") for record in caplog.records})
        stop.set()
        upkeep.join()
    assert "chunk_days" in {getattr(record, "event", "") for record in caplog.records}
