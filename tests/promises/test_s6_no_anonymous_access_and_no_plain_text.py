"""S6: nobody enters without a name and a password; outside loopback only TLS 1.2 or newer, with the own CA checked."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestBroker, TestClient, client_of, password_of
from tests.ingest.sending import Ingest, wait_until

from telstraat_contract.errors import SettingsError
from telstraat_demo.stack.broker import mosquitto_program
from telstraat_demo.stack.ports import answers, free_port
from telstraat_ingest.broker_access import INGEST_USER
from telstraat_ingest.receiving.receive import Receiver
from telstraat_ingest.settings import IngestSettings, read_settings


@pytest.mark.parametrize(("user", "secret"), [("", ""), ("elm-1", "wrong"), ("nobody", "wrong"), (INGEST_USER, "")])
def test_who_has_no_name_or_the_wrong_password_stays_outside(mosquitto: TestBroker, user: str, secret: str) -> None:
    mosquitto.let_in("elm-1")
    client = TestClient(mosquitto, user, secret)
    try:
        assert not client.connected()
    finally:
        client.close()


def test_plain_text_is_refused_outside_loopback() -> None:
    with pytest.raises(SettingsError, match="plain text over the network"):
        read_settings(arguments={"dsn": "x", "broker": "mqtt://broker.example:1883"}, environment={})
    for broker in ("mqtt://127.0.0.1", "mqtt://localhost:1883", "mqtt://[::1]:1883", "mqtts://broker.example"):
        assert read_settings(arguments={"dsn": "x", "broker": broker}, environment={}).broker == broker


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority, another one, and a certificate for localhost."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed: no test of TLS runs")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign", "-keyout", f"{name}.key", "-out", f"{name}.crt")  # fmt: skip
    openssl(
        folder,
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "broker.key",
        "-out",
        "broker.csr",
    )
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(folder, "x509", "-req", "-in", "broker.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "broker.crt")  # fmt: skip
    return folder


@pytest.fixture
def tls_port(mosquitto: TestBroker, certificates: Path, tmp_path: Path) -> Iterator[int]:
    """A broker that speaks TLS only."""
    port = free_port()
    config = tmp_path / "tls.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {mosquitto.password_file}\n"
        f"acl_file {mosquitto.acl_file}\nuser root\ncertfile {certificates}/broker.crt\nkeyfile {certificates}/broker.key\n"
        "tls_version tlsv1.2\n"
    )
    process = subprocess.Popen([mosquitto_program() or "", "-c", str(config)], stderr=subprocess.DEVNULL)
    assert wait_until(lambda: answers(port))
    yield port
    process.terminate()
    process.wait()


def receiver(tmp_path: Path, broker: str, ca: Path) -> Receiver:
    path = tmp_path / "ingest.secret"
    path.write_text(password_of(INGEST_USER))
    return Receiver(IngestSettings(dsn="x", broker=broker, broker_password_file=path, broker_ca_file=ca, name="tls"))


def connects(client: Receiver) -> bool:
    for _ in range(40):
        client.turn(0.05)
        if client.is_connected:
            client.close()
            return True
    client.close()
    return False


def test_ingest_enters_by_tls_when_it_knows_the_authority(tls_port: int, certificates: Path, tmp_path: Path) -> None:
    assert connects(receiver(tmp_path, f"mqtts://localhost:{tls_port}", certificates / "ca.crt"))


def test_ingest_does_not_enter_by_another_authority_or_host_name(
    tls_port: int, certificates: Path, tmp_path: Path
) -> None:
    assert not connects(receiver(tmp_path, f"mqtts://localhost:{tls_port}", certificates / "other.crt"))
    assert not connects(receiver(tmp_path, f"mqtts://127.0.0.1:{tls_port}", certificates / "ca.crt"))


def test_old_tls_is_refused(tls_port: int, certificates: Path) -> None:
    context = ssl.create_default_context(cafile=certificates / "ca.crt")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", tls_port)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="localhost")


def test_no_secret_is_in_the_logs_or_the_representation(
    database: str, mosquitto: TestBroker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), Ingest(database, mosquitto) as ingest, client_of(mosquitto, INGEST_USER):
        assert ingest.service.settings.broker_password_file is not None
    words = caplog.text + repr(ingest.service.settings) + str([vars(record) for record in caplog.records])
    assert password_of(INGEST_USER) not in words
    with psycopg.connect(database) as connection:
        row = connection.execute("select string_agg(query, ' ') from pg_stat_activity").fetchone()
        assert password_of(INGEST_USER) not in str(row)
