"""R8: while PostgreSQL is away the broker and ingest hold what comes; when it is back, all is caught up, once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestBroker, client_of
from tests.harness.moments import yesterday
from tests.ingest.sending import Ingest, a_report, receipt_of, wait_until

from telstraat_contract.messages import encode
from telstraat_contract.quarters import QUARTER
from telstraat_contract.topics import Channel, topic
from telstraat_demo.stack.postgres import Postgres
from telstraat_store import places
from telstraat_store.schema.migrate import migrate

BEFORE, DURING = 40, 200


@pytest.fixture
def own_postgres(reachable_folder: Path) -> Iterator[Postgres]:
    server = Postgres(reachable_folder / "r08")
    server.start()
    yield server
    server.forget()


def rows(dsn: str) -> int:
    try:
        with psycopg.connect(dsn) as connection:
            row = connection.execute("select count(*) from report").fetchone()
            return row[0] if row else 0
    except psycopg.OperationalError:
        return 0


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_comes_while_the_database_is_away_is_there_afterwards(
    own_postgres: Postgres, fresh_mosquitto: TestBroker, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    dsn = own_postgres.dsn()
    migrate(dsn)
    with psycopg.connect(dsn) as connection:
        places.add_sensor(connection, "away-1")
    fresh_mosquitto.let_in("away-1")
    with (
        caplog.at_level(logging.INFO),
        Ingest(dsn, fresh_mosquitto, receive_max=50, batch_size=20) as ingest,
        client_of(fresh_mosquitto, "away-1") as sensor,
    ):
        assert sensor.subscribe(topic("away-1", Channel.RECEIPT))
        for seq in range(1, BEFORE + 1):
            sensor.publish(topic("away-1", Channel.REPORT), encode(a_report("away-1", seq, observed_s=seq)))
        assert wait_until(lambda: rows(dsn) == BEFORE)
        getattr(own_postgres, end)()
        away_at = time.monotonic()
        for seq in range(BEFORE + 1, BEFORE + DURING + 1):
            start = yesterday() - timedelta(days=20) + seq * QUARTER
            sensor.publish(topic("away-1", Channel.REPORT), encode(a_report("away-1", seq, start)))
        time.sleep(1.5)
        held = ingest.service.metrics.value("pending")
        assert held <= 50, "the broker may have receive_max on their way, and not one more"
        own_postgres.start()
        back_at = time.monotonic()
        assert wait_until(lambda: rows(dsn) == BEFORE + DURING, 30)
        receipt = receipt_of(sensor)
        while receipt.through < BEFORE + DURING:
            receipt = receipt_of(sensor)
        assert receipt.want == ()
        messages = [record.message for record in caplog.records if getattr(record, "event", "") == "database_away"]
        assert len(messages) == 1, f"said once, not {messages} in {back_at - away_at:.1f} s"
        assert ingest.service.metrics.value("duplicates_total") == 0


def test_an_ingester_that_starts_before_its_database_waits_for_it(
    own_postgres: Postgres, fresh_mosquitto: TestBroker
) -> None:
    dsn = own_postgres.dsn()
    migrate(dsn)
    with psycopg.connect(dsn) as connection:
        places.add_sensor(connection, "away-2")
    fresh_mosquitto.let_in("away-2")
    own_postgres.stop()
    ingest = Ingest(dsn, fresh_mosquitto)
    ingest.thread.start()
    try:
        with client_of(fresh_mosquitto, "away-2") as sensor:
            assert sensor.subscribe(topic("away-2", Channel.RECEIPT))
            assert wait_until(lambda: ingest.service.metrics.value("broker_up") == 1)
            sensor.publish(topic("away-2", Channel.REPORT), encode(a_report("away-2", 1)))
            own_postgres.start()
            assert receipt_of(sensor, 30).through == 1
    finally:
        ingest.service.stop()
        ingest.thread.join(15)
