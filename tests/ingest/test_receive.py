"""The session at the broker: real brokers of both versions, half-open connections, names that collide, backpressure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.harness.brokers import TestBroker, client_of, password_of
from tests.ingest.sending import Ingest, a_report, receipt_of, settings_of, wait_until

from telstraat_contract.messages import encode
from telstraat_contract.topics import Channel, topic
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy
from telstraat_ingest.errors import SecondIngesterError
from telstraat_ingest.receiving.receive import Receiver
from telstraat_store import places


def turned(receiver: Receiver) -> Receiver:
    """Let a receiver do one turn."""
    receiver.turn(0.02)
    return receiver


@contextmanager
def connected(receiver: Receiver) -> Iterator[Receiver]:
    """Give a receiver that is connected."""
    try:
        assert wait_until(lambda: turned(receiver).is_connected)
        yield receiver
    finally:
        receiver.close()


def test_what_is_not_acknowledged_comes_again(fresh_mosquitto: TestBroker) -> None:
    fresh_mosquitto.let_in("again-1")
    report = encode(a_report("again-1", 1))
    with (
        connected(Receiver(settings_of("x", fresh_mosquitto, name="again"))) as first,
        client_of(fresh_mosquitto, "again-1") as sensor,
    ):
        sensor.publish(topic("again-1", Channel.REPORT), report)
        assert wait_until(lambda: len(turned(first).pending) == 1)
        old = first.take(1)
    with connected(Receiver(settings_of("x", fresh_mosquitto, name="again"))) as second:
        assert wait_until(lambda: len(turned(second).pending) == 1)
        assert [item.payload for item in second.pending] == [item.payload for item in old] == [report]
        second.acknowledge(second.take(1))
    with connected(Receiver(settings_of("x", fresh_mosquitto, name="again"))) as third:
        for _ in range(10):
            third.turn(0.02)
        assert third.pending == []


def test_long_properties_are_charged_to_their_sensor(fresh_mosquitto: TestBroker) -> None:
    fresh_mosquitto.let_in("long-1")
    block = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    block.UserProperty = [("a" * 100, "b" * 100)] * 90  # as much as the broker lets through
    sensor = paho.Client(CallbackAPIVersion.VERSION2, client_id="long-1", protocol=paho.MQTTv5)
    sensor.username_pw_set("long-1", password_of("long-1"))
    with connected(
        Receiver(settings_of("x", fresh_mosquitto, name="long", sensor_burst=60, sensor_per_minute=60))
    ) as receiver:
        sensor.connect(fresh_mosquitto.host, fresh_mosquitto.port)
        sensor.loop_start()
        assert wait_until(sensor.is_connected)
        for seq in range(1, 6):
            report = encode(a_report("long-1", seq))
            sensor.publish(topic("long-1", Channel.REPORT), report, 1, properties=block).wait_for_publish(10)
        sensor.disconnect()
        sensor.loop_stop()
        assert wait_until(lambda: len(turned(receiver).pending) + receiver.fairness.left_out == 5)
        assert (len(receiver.pending), receiver.fairness.left_out) == (3, 2)


def test_the_broker_sends_no_more_than_receive_max(fresh_mosquitto: TestBroker) -> None:
    fresh_mosquitto.let_in("flat-1")
    with (
        connected(Receiver(settings_of("x", fresh_mosquitto, name="flat", receive_max=25))) as receiver,
        client_of(fresh_mosquitto, "flat-1") as sensor,
    ):
        for seq in range(1, 101):
            sensor.publish(topic("flat-1", Channel.REPORT), encode(a_report("flat-1", seq)))
        for _ in range(20):
            receiver.turn(0.02)
        assert len(receiver.pending) == 25
        got = 0
        for _ in range(100):
            taken = receiver.take(10)
            got += len(taken)
            receiver.acknowledge(taken)
            receiver.turn(0.02)
            if got == 100:
                break
        assert got == 100


def test_what_could_not_be_written_waits_in_its_place_unless_it_comes_again_by_itself(
    fresh_mosquitto: TestBroker,
) -> None:
    fresh_mosquitto.let_in("kept-1")
    with (
        connected(Receiver(settings_of("x", fresh_mosquitto, name="kept"))) as receiver,
        client_of(fresh_mosquitto, "kept-1") as sensor,
    ):
        for seq in range(1, 7):
            sensor.publish(topic("kept-1", Channel.REPORT), encode(a_report("kept-1", seq)))
        assert wait_until(lambda: len(turned(receiver).pending) == 6)
        came = list(receiver.pending)
        first, second = receiver.take(2), receiver.take(2)
        assert (receiver.held, len(receiver.pending)) == (6, 2)
        receiver.give_back(second)
        receiver.give_back(first)
        assert receiver.pending == came
        taken = receiver.take(6)
        fresh_mosquitto.kill()
        assert wait_until(lambda: not turned(receiver).is_connected)
        fresh_mosquitto.start()
        assert wait_until(lambda: turned(receiver).is_connected, 20)
        assert receiver.held >= 6
        receiver.give_back(taken)
        assert all(item.connection > taken[0].connection for item in receiver.pending)


def test_a_half_open_connection_is_noticed_within_one_and_a_half_keep_alives(
    fresh_mosquitto: TestBroker, fault_proxy: Callable[[int], FaultProxy]
) -> None:
    proxy = fault_proxy(fresh_mosquitto.port)
    with connected(Receiver(settings_of("x", fresh_mosquitto, proxy.port, name="half", keepalive_s=5))) as receiver:
        proxy.blackhole()
        silent_from_s = time.monotonic()
        assert wait_until(lambda: not turned(receiver).is_connected, 9)
        assert time.monotonic() - silent_from_s < 5 * 1.5 + 1
        proxy.heal()
        assert wait_until(lambda: turned(receiver).is_connected)


def test_a_broker_that_comes_back_is_entered_again(database: str, fresh_mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "back-1")
    fresh_mosquitto.let_in("back-1")
    with Ingest(database, fresh_mosquitto) as ingest:
        fresh_mosquitto.kill()
        assert wait_until(lambda: ingest.service.metrics.value("broker_up") == 0)
        fresh_mosquitto.start()
        assert wait_until(lambda: ingest.service.metrics.value("broker_connects_total") == 2, 20)
        with client_of(fresh_mosquitto, "back-1") as sensor:
            assert sensor.subscribe(topic("back-1", Channel.RECEIPT))
            sensor.publish(topic("back-1", Channel.REPORT), encode(a_report("back-1", 1)))
            assert receipt_of(sensor).through == 1


def test_a_broker_of_the_old_version_only_is_understood(database: str, fresh_amqtt: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "old-1")
    fresh_amqtt.let_in("old-1")
    with Ingest(database, fresh_amqtt, name="one"), client_of(fresh_amqtt, "old-1") as sensor:
        assert sensor.subscribe(topic("old-1", Channel.RECEIPT))
        sensor.publish(topic("old-1", Channel.REPORT), encode(a_report("old-1", 1)))
        assert receipt_of(sensor).through == 1
        second = Ingest(database, fresh_amqtt, name="two")
        with pytest.raises(SecondIngesterError, match="no shared subscriptions"), second:
            second.thread.join(15)


def test_two_ingesters_share_the_messages_and_one_may_die(database: str, fresh_mosquitto: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "two-1")
    fresh_mosquitto.let_in("two-1")
    with Ingest(database, fresh_mosquitto, name="one") as ingest, client_of(fresh_mosquitto, "two-1") as sensor:
        assert sensor.subscribe(topic("two-1", Channel.RECEIPT))
        with Ingest(database, fresh_mosquitto, name="two") as two:
            for seq in range(1, 61):
                sensor.publish(topic("two-1", Channel.REPORT), encode(a_report("two-1", seq)))
            receipt = receipt_of(sensor)
            while receipt.through < 60:
                receipt = receipt_of(sensor)

            def shares() -> list[float]:
                return [each.service.metrics.value("inserted_total") for each in (ingest, two)]

            # Either may answer for what the other has just committed and not yet added to its own figures.
            assert wait_until(lambda: sum(shares()) == 60)
            assert min(shares()) > 0
        # The broker keeps every other one for the ingester that left; sent again, as sensors do, they arrive.
        again = random.Random(2)
        with psycopg.connect(database, autocommit=True) as connection:
            for _ in range(12):
                for seq in again.sample(range(61, 71), 7):
                    sensor.publish(topic("two-1", Channel.REPORT), encode(a_report("two-1", seq)))
            assert wait_until(lambda: connection.execute("select count(*) from report").fetchone() == (70,))


def test_two_ingesters_of_one_name_are_told_so(database: str, fresh_mosquitto: TestBroker) -> None:
    first = Ingest(database, fresh_mosquitto, name="same")
    with (
        pytest.raises(SecondIngesterError, match="Give each its own name"),
        first,
        Ingest(database, fresh_mosquitto, name="same"),
    ):
        first.thread.join(10)
