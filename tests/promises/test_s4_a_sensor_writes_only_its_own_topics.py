"""S4: the broker lets a sensor write under its own name and nowhere else, whatever the version of MQTT."""

from __future__ import annotations

import queue

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from tests.harness.brokers import TestBroker, client_of, password_of
from tests.ingest.sending import Ingest, a_report, receipt_of

from telstraat_contract.messages import Receipt, encode
from telstraat_contract.topics import DOWN, UP, Channel, topic
from telstraat_ingest.broker_access import INGEST_USER, may
from telstraat_store import places

REFUSED = "Not authorized"


@pytest.fixture
def broker(fresh_mosquitto: TestBroker) -> TestBroker:
    fresh_mosquitto.let_in("oak-1", "oak-2")
    return fresh_mosquitto


def answer_of(broker: TestBroker, user: str, to: str, version: MQTTProtocolVersion) -> str:
    """Publish with QoS 1 and return the broker's answer."""
    answers: queue.Queue[ReasonCode] = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"s4-{user}", protocol=version)
    client.username_pw_set(user, password_of(user))
    client.on_publish = lambda _client, _data, _mid, code, _properties: answers.put(code)
    client.on_connect = lambda item, *_: item.publish(to, b"{}", 1)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        return str(answers.get(timeout=5))
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("channel", UP)
def test_a_sensor_may_write_its_own_topics(broker: TestBroker, channel: Channel) -> None:
    assert answer_of(broker, "oak-1", topic("oak-1", channel), paho.MQTTv5) != REFUSED


@pytest.mark.parametrize("channel", [*UP, *DOWN])
def test_a_sensor_may_not_write_its_neighbours_topics_nor_the_servers(broker: TestBroker, channel: Channel) -> None:
    assert answer_of(broker, "oak-1", topic("oak-2", channel), paho.MQTTv5) == REFUSED
    if channel in DOWN:
        assert answer_of(broker, "oak-1", topic("oak-1", channel), paho.MQTTv5) == REFUSED


def test_in_mqtt_3_the_refusal_looks_like_success_and_still_nothing_arrives(database: str, broker: TestBroker) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "oak-1")
        places.add_sensor(connection, "oak-2")
    with Ingest(database, broker), client_of(broker, "oak-2") as sensor:
        assert sensor.subscribe(topic("oak-2", Channel.RECEIPT))
        assert answer_of(broker, "oak-1", topic("oak-2", Channel.REPORT), paho.MQTTv311) == "Success"
        sensor.publish(topic("oak-2", Channel.REPORT), encode(a_report("oak-2", 1)))
        assert receipt_of(sensor).through == 1
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*) from quarantine").fetchone() == (0,)


def test_a_sensor_hears_nothing_of_its_neighbours(broker: TestBroker) -> None:
    with client_of(broker, "oak-1") as curious, client_of(broker, INGEST_USER) as ingest:
        curious.subscribe("telstraat/v1/+/receipt", "telstraat/v1/oak-2/report", "#")
        ingest.publish(topic("oak-2", Channel.RECEIPT), encode(Receipt(epoch=1, through=1)))
        ingest.publish(topic("oak-1", Channel.RECEIPT), encode(Receipt(epoch=1, through=2)))
        assert receipt_of(curious).through == 2
        assert curious.received.empty()


@pytest.mark.parametrize("user", ["oak-1", INGEST_USER])
@pytest.mark.parametrize("channel", [*UP, *DOWN])
def test_the_rules_for_brokers_without_acl_files_are_the_same(user: str, channel: Channel) -> None:
    is_own = user == "oak-1"
    assert may(user, "write", topic("oak-1", channel)) == (channel in (UP if is_own else DOWN))
    assert may(user, "read", topic("oak-1", channel)) == (channel in (DOWN if is_own else UP))
    assert may(user, "write", topic("oak-2", channel)) == (not is_own and channel in DOWN)
    assert not may(user, "write", "$SYS/broker")
