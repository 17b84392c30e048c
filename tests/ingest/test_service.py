"""The ingest service on a real broker and a real database: commit, then acknowledge, then receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
from tests.harness.brokers import TestBroker, client_of
from tests.ingest.sending import Ingest, a_report, receipt_of, wait_until

from telstraat_contract.messages import Live, Status, Watch, encode
from telstraat_contract.quarters import quarter_start
from telstraat_contract.topics import Channel, topic
from telstraat_store import places


def test_a_report_is_stored_and_its_receipt_comes_back(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "kerk-1")
    mosquitto.let_in("kerk-1")
    with Ingest(database, mosquitto), client_of(mosquitto, "kerk-1") as sensor:
        assert sensor.subscribe(topic("kerk-1", Channel.RECEIPT))
        sensor.publish(topic("kerk-1", Channel.REPORT), encode(a_report("kerk-1", 1)))
        receipt = receipt_of(sensor)
        assert (receipt.epoch, receipt.through, receipt.want) == (7, 1, ())
        with psycopg.connect(database) as connection:
            assert connection.execute("select seq, car_lft, observed_s from report").fetchall() == [(1, 3, 900)]


def test_a_sensor_that_comes_online_is_told_what_is_missing(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "kerk-2")
    mosquitto.let_in("kerk-2")
    with Ingest(database, mosquitto), client_of(mosquitto, "kerk-2") as sensor:
        assert sensor.subscribe(topic("kerk-2", Channel.RECEIPT))
        sensor.publish(topic("kerk-2", Channel.REPORT), encode(a_report("kerk-2", 2)))
        assert receipt_of(sensor).want == ((1, 1),)
        sensor.publish(
            topic("kerk-2", Channel.STATUS), encode(Status(sensor="kerk-2", state="online", epoch=7, last_seq=4))
        )
        receipt = receipt_of(sensor)
        assert (receipt.through, receipt.seen, receipt.want) == (0, 4, ((1, 1), (3, 4)))


def test_who_looks_at_a_street_is_shown_the_open_quarter(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "kerk-3")
    mosquitto.let_in("kerk-3")
    now = datetime.now(UTC)
    live = Live(sensor="kerk-3", at=now, period_start=quarter_start(now), observed_s=10)
    with (
        Ingest(database, mosquitto),
        client_of(mosquitto, "kerk-3") as sensor,
        psycopg.connect(database, autocommit=True) as page,
    ):
        assert sensor.subscribe(topic("kerk-3", Channel.WATCH))
        page.execute("listen telstraat_live")
        page.execute("notify telstraat_watch, 'kerk-3'")
        assert sensor.received.get(timeout=5).payload == encode(Watch())
        sensor.publish(topic("kerk-3", Channel.LIVE), encode(live))
        notices = [notice.payload for notice in page.notifies(timeout=5, stop_after=1)]
        assert notices == [encode(live).decode()]
        assert page.execute("select count(*) from report").fetchone() == (0,)


def test_dates_that_cannot_be_are_refused_in_the_receipt(database: str, mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "kerk-4")
    mosquitto.let_in("kerk-4")
    soon = quarter_start(datetime.now(UTC) + timedelta(hours=3))
    with Ingest(database, mosquitto), client_of(mosquitto, "kerk-4") as sensor:
        assert sensor.subscribe(topic("kerk-4", Channel.RECEIPT))
        sensor.publish(topic("kerk-4", Channel.REPORT), encode(a_report("kerk-4", 1, soon)))
        receipt = receipt_of(sensor)
        assert (receipt.through, receipt.refused) == (1, ((1, 1),))
        with psycopg.connect(database) as connection:
            assert connection.execute("select reason from quarantine").fetchall() == [("in_the_future",)]


def test_an_ingester_says_when_it_is_ready_and_leaves_no_thread(database: str, mosquitto: TestBroker) -> None:
    with Ingest(database, mosquitto) as ingest:
        assert wait_until(lambda: ingest.service.metrics.value("database_up") == 1)
    assert not ingest.thread.is_alive()


def test_nothing_is_acknowledged_or_answered_before_its_commit_and_the_broker_stays_connected(
    database: str, fresh_mosquitto: TestBroker
) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "kerk-5")
    fresh_mosquitto.let_in("kerk-5")
    with (
        Ingest(database, fresh_mosquitto, batch_size=10, receive_max=35) as ingest,
        client_of(fresh_mosquitto, "kerk-5") as sensor,
        psycopg.connect(database) as other,
    ):
        assert sensor.subscribe(topic("kerk-5", Channel.RECEIPT))
        value = ingest.service.metrics.value
        other.execute("lock table stream")
        for seq in range(1, 61):
            sensor.publish(topic("kerk-5", Channel.REPORT), encode(a_report("kerk-5", seq)))
        assert wait_until(lambda: value("pending") == 35)
        ingest.service.metrics.pending.set(0)
        assert wait_until(lambda: value("pending") == 35), "the loop goes on while the database does not"
        assert (value("acknowledged_total"), value("receipts_total"), value("broker_up")) == (0, 0, 1)
        assert sensor.received.empty()
        other.rollback()
        receipt = receipt_of(sensor)
        while receipt.through < 60:
            receipt = receipt_of(sensor)
        assert wait_until(lambda: value("acknowledged_total") == 60)
        assert (value("inserted_total"), value("duplicates_total"), value("pending")) == (60, 0, 0)
        assert value("batches_total") < 20
