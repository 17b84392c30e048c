"""The connection: TLS as it is on the way to another machine, with an authority of one's own and a name that is checked."""

from __future__ import annotations

import gc
import queue
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from tests.device.wires import device_settings, wire
from tests.harness.brokers import TestBroker
from tests.harness.processes import wait_until

from telstraat_demo.stack.ports import answers, free_port
from telstraat_device.delivery.connection import Connected, Connection, Refused

CERTIFICATE_DAYS = 300


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, another one that signed nothing here, and a broker's certificate for `localhost` only."""
    if not shutil.which("openssl"):
        pytest.skip("OPENSSL IS NOT INSTALLED: no test of TLS runs")
    folder = tmp_path_factory.mktemp("certificates")
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    for name in ("ours", "other"):
        openssl(
            folder,
            *new,
            "-x509",
            "-days",
            "400",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.crt",
        )
    openssl(folder, *new, "-subj", "/CN=localhost", "-keyout", "broker.key", "-out", "broker.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    signing = (
        "-CA",
        "ours.crt",
        "-CAkey",
        "ours.key",
        "-CAcreateserial",
        "-days",
        str(CERTIFICATE_DAYS),
        "-extfile",
        "names",
    )
    openssl(folder, "x509", "-req", "-in", "broker.csr", *signing, "-out", "broker.crt")
    return folder


@pytest.fixture(scope="module")
def tls_port(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Mosquitto that speaks TLS only and knows the sensor `tls-1`."""
    broker = TestBroker(tmp_path_factory.mktemp("tls-broker"), kind="mosquitto", sensors=["tls-1"])
    port = free_port()
    config = certificates / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {broker.password_file}\n"
        f"certfile {certificates / 'broker.crt'}\nkeyfile {certificates / 'broker.key'}\ntls_version tlsv1.2\n"
    )
    with subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: answers(port))
        yield port
        process.terminate()


@pytest.mark.parametrize(("days_left", "is_told"), [(13, True), (40, False)])
def test_a_certificate_that_ends_soon_is_an_alarm_until_a_later_connection_shows_another(
    tls_port: int, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days_left: int, is_told: bool
) -> None:
    monkeypatch.setattr("telstraat_device.delivery.publisher.LOOK_AGAIN_S", 0.2)
    over_tls = {"host": "localhost", "tls": True, "ca_file": str(certificates / "ours.crt")}
    before_end_s = time.time() + (CERTIFICATE_DAYS - days_left) * 86_400
    with wire(device_settings(tmp_path, "tls-1", tls_port, broker=over_tls), now_s=before_end_s) as w:
        wait_until(lambda: w.publisher.counters.connects == 1)
        assert is_told == any("certificate ends on 2" in text for text in w.publisher.alarms())
        if is_told:
            wait_until(lambda: w.publisher.counters.connects == 2)  # it has looked whether there is another one
            w.now_s -= 40 * 86_400
            wait_until(lambda: not w.publisher.alarms())


def test_a_device_enters_by_tls_when_it_knows_the_authority(tls_port: int, certificates: Path, tmp_path: Path) -> None:
    over_tls = {"host": "localhost", "tls": True, "ca_file": str(certificates / "ours.crt")}
    with wire(device_settings(tmp_path, "tls-1", tls_port, broker=over_tls), closed=1) as w:
        wait_until(lambda: w.publisher.counters.sent == 1 and not w.publisher._of_mid)


@pytest.mark.parametrize(
    ("host", "authority"), [("localhost", "other"), ("127.0.0.1", "ours")], ids=["authority", "name"]
)
def test_a_broker_that_cannot_prove_who_it_is_gets_no_password(
    tls_port: int, certificates: Path, tmp_path: Path, host: str, authority: str
) -> None:
    over_tls = {"host": host, "tls": True, "ca_file": str(certificates / f"{authority}.crt")}
    with wire(device_settings(tmp_path, "tls-1", tls_port, broker=over_tls), closed=1) as w:
        wait_until(lambda: any("certificate verify failed" in text for text in w.publisher.alarms()))
        assert w.publisher.counters.connects == 0
        assert w.outbox.waiting_count() == 1


def test_an_authority_that_is_not_there_is_an_alarm(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over_tls = {"tls": True, "ca_file": str(tmp_path / "none.crt")}
        with wire(device_settings(tmp_path, "tls-1", listening.getsockname()[1], broker=over_tls)) as w:
            wait_until(lambda: any("No such file" in text for text in w.publisher.alarms()))


@pytest.mark.parametrize("answers_there", [True, False], ids=["let in", "nobody answers"])
def test_connections_that_have_ended_hold_no_file_descriptor(
    mosquitto: TestBroker, tmp_path: Path, answers_there: bool
) -> None:
    mosquitto.let_in("ended-1")
    settings = device_settings(tmp_path, "ended-1", mosquitto.port if answers_there else free_port())
    descriptors = []
    gc.collect()
    gc.disable()  # which may look after hundreds of connections
    try:
        for _ in range(5):
            events: queue.SimpleQueue[Any] = queue.SimpleQueue()
            connection = Connection(settings, MQTTProtocolVersion.MQTTv5, events)
            connection.open()
            assert isinstance(events.get(timeout=10)[1], Connected if answers_there else Refused)
            connection.close()
            while not events.empty():
                events.get()
            del connection
            descriptors.append(len(list(Path("/proc/self/fd").iterdir())))
    finally:
        gc.enable()
    assert max(descriptors) <= descriptors[0], descriptors
