from __future__ import annotations

import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests.harness.brokers import TestBroker, TestClient, client_of

from telstraat_contract.topics import Channel, topic
from telstraat_demo.errors import StackError
from telstraat_demo.stack.broker import Broker, Kind, kind_here, mosquitto_program
from telstraat_demo.stack.child import Child

OWNER = """
import sys, time
from pathlib import Path
from tests.harness.brokers import TestBroker
broker = TestBroker(Path(sys.argv[1]), kind=sys.argv[2])
broker.start()
print(broker.child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module", params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    kind: Kind = request.param
    if kind == "mosquitto" and not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: its half of these tests does not run (apt install mosquitto)")
    broker = TestBroker(tmp_path_factory.mktemp(kind), kind=kind, sensors=["birch", "alder"])
    broker.start()
    yield broker
    broker.stop()


def test_ingest_receives_what_a_sensor_says_and_answers_it(broker: TestBroker) -> None:
    with client_of(broker, broker.ingest_user) as ingest, client_of(broker, "birch") as birch:
        assert ingest.subscribe("telstraat/v1/+/report", "telstraat/v1/+/status")
        assert birch.subscribe(topic("birch", Channel.RECEIPT))
        birch.publish(topic("birch", Channel.REPORT), b"one")
        assert ingest.received.get(timeout=10).payload == b"one"
        ingest.publish(topic("birch", Channel.RECEIPT), b"committed")
        assert birch.received.get(timeout=10).payload == b"committed"


def test_nobody_enters_without_a_name_or_with_a_wrong_password(broker: TestBroker) -> None:
    for user, password in (("", ""), ("birch", "guessed"), ("nobody-we-know", "guessed")):
        client = TestClient(broker, user, password)
        assert not client.connected(), user
        client.close()


def test_a_broker_told_to_read_its_files_while_it_starts_lives_and_has_read_them(fresh_mosquitto: TestBroker) -> None:
    for number in range(3):
        fresh_mosquitto.kill()
        fresh_mosquitto.child = child = Child(fresh_mosquitto._program())
        fresh_mosquitto.let_in(f"early-{number}")
        assert fresh_mosquitto._answers(child)
        with client_of(fresh_mosquitto, f"early-{number}"):
            assert child.running


def test_a_sensor_cannot_speak_as_another_nor_listen_to_it(broker: TestBroker) -> None:
    with client_of(broker, broker.ingest_user) as ingest, client_of(broker, "alder") as alder:
        assert ingest.subscribe("telstraat/v1/+/report")
        # Mosquitto grants the subscription and delivers nothing; amqtt refuses it.
        assert alder.subscribe(topic("birch", Channel.RECEIPT)) == (broker.kind == "mosquitto")
        assert alder.subscribe(topic("alder", Channel.RECEIPT))
        ingest.publish(topic("birch", Channel.RECEIPT), b"for birch only")
        ingest.publish(topic("alder", Channel.RECEIPT), b"for alder")
        assert alder.received.get(timeout=10).payload == b"for alder"
        alder.publish(topic("birch", Channel.REPORT), b"forged")
        with client_of(broker, "birch") as birch:
            birch.publish(topic("birch", Channel.REPORT), b"true")
        assert ingest.received.get(timeout=10).payload == b"true"


def test_a_new_sensor_enters_without_a_restart(broker: TestBroker) -> None:
    assert broker.child is not None
    before = broker.child.pid
    broker.let_in("elm")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        elm = TestClient(broker, "elm")
        entered = elm.connected()
        elm.close()
        if entered:
            break
        time.sleep(0.1)
    assert entered
    assert broker.child.pid == before


def test_amqtt_refuses_mqtt_5_in_words_that_a_client_understands(fresh_amqtt: TestBroker) -> None:
    answers: queue.Queue[str] = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
    client.on_connect = lambda _client, _data, _flags, code, _properties: answers.put(str(code))
    client.will_set("telstraat/v1/birch/status", b"offline", qos=1)
    client.connect(fresh_amqtt.host, fresh_amqtt.port)
    client.loop_start()
    assert answers.get(timeout=10) == "Unsupported protocol version"
    client.loop_stop()


def test_a_killed_broker_comes_back_at_the_same_address(tmp_path: Path) -> None:
    broker = TestBroker(tmp_path, sensors=["birch"])
    broker.start()
    url = broker.url
    broker.kill()
    assert not broker.running
    broker.start()
    assert broker.url == url
    with client_of(broker, "birch") as birch:
        birch.publish(topic("birch", Channel.REPORT), b"one")
    broker.stop()


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_the_broker_dies_with_an_owner_that_was_killed(tmp_path: Path, kind: str) -> None:
    if kind == "mosquitto" and not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED (apt install mosquitto)")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), kind], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
        owner.wait()
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


def test_a_port_that_is_taken_is_said_so(broker: TestBroker, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=f"port {broker.port} of 127.0.0.1 is taken"):
        Broker(tmp_path, access=broker.access, kind=broker.kind, port=broker.port).start()


def test_without_mosquitto_it_is_amqtt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELSTRAAT_MOSQUITTO", "")
    assert kind_here() == "amqtt"


def test_a_broker_that_does_not_start_shows_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELSTRAAT_MOSQUITTO", "/bin/false")
    with pytest.raises(StackError, match=r"the broker \(mosquitto\) ended with exit code 1"):
        TestBroker(tmp_path, kind="mosquitto").start()


def test_the_server_and_the_demo_run_the_broker_with_the_same_limits() -> None:
    root = Path(__file__).resolve().parents[2]
    template = root / "demo" / "telstraat_demo" / "stack" / "mosquitto.conf"
    own = {"listener", "password_file", "acl_file", "persistence_location", "pid_file"}
    ours, servers = (settings_of(path.read_text()) for path in (template, root / "deploy" / "mosquitto.conf"))
    assert {line for line in ours if line.split()[0] not in own} <= servers


def settings_of(text: str) -> set[str]:
    return {line for line in text.splitlines() if line and not line.startswith(("#", "$"))}
