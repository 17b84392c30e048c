"""The accounts of a real Mosquitto follow the database: who was set up comes in, who was retired goes out, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestClient

from telstraat_contract.topics import Channel, topic
from telstraat_demo.stack.broker import Broker, mosquitto_program
from telstraat_ingest.broker_access import INGEST_USER, read_passwords, write_access
from telstraat_ingest.broker_following import BrokerFollower
from telstraat_ingest.errors import AccessFilesError
from telstraat_store import places

PATIENCE_S = 20.0


def wait_until(is_so: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def following(database: str, access: Path, pid_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command as an operator does."""
    words = ["sensor", "--dsn", database, "access", str(access), "--follow", "--pid-file", str(pid_file)]
    process = subprocess.Popen([sys.executable, "-m", "telstraat_cli", *words])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def access(database: str, tmp_path: Path) -> Path:
    with psycopg.connect(database) as connection:
        write_access(connection, tmp_path / "access")
    return tmp_path / "access"


@pytest.fixture
def broker(tmp_path: Path, access: Path) -> Iterator[Broker]:
    if not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: no test of a broker runs (apt install mosquitto)")
    broker = Broker(tmp_path / "mosquitto", access=access, kind="mosquitto")
    broker.start()
    yield broker
    broker.stop()


def lets_in(broker: Broker, user: str, password: str) -> bool:
    client = TestClient(broker, user, password)
    try:
        return client.connected()
    finally:
        client.close()


def test_a_sensor_comes_in_when_it_is_added_and_is_thrown_out_when_it_is_retired(
    database: str, broker: Broker, access: Path
) -> None:
    own = (access / "ingest.password").read_text().strip()
    with following(database, access, broker.pid_file), psycopg.connect(database, autocommit=True) as connection:
        added = places.add_sensor(connection, "oak-1")
        assert wait_until(lambda: lets_in(broker, "oak-1", added.password))
        assert not lets_in(broker, "oak-1", "another")
        sensor, server = TestClient(broker, "oak-1", added.password), TestClient(broker, INGEST_USER, own)
        try:
            assert sensor.connected()
            assert server.connected()
            assert server.subscribe("telstraat/v1/+/status")
            sensor.publish(topic("oak-1", Channel.STATUS), b"mine")
            assert server.received.get(timeout=5).payload == b"mine"
            places.retire_sensor(connection, "oak-1")
            assert wait_until(lambda: not sensor.client.is_connected())
            assert not lets_in(broker, "oak-1", added.password)
            assert server.client.is_connected()
        finally:
            sensor.close()
            server.close()


def test_a_renewed_password_ends_the_old_one(database: str, broker: Broker, access: Path) -> None:
    with following(database, access, broker.pid_file), psycopg.connect(database, autocommit=True) as connection:
        old = places.add_sensor(connection, "oak-1").password
        assert wait_until(lambda: lets_in(broker, "oak-1", old))
        new = places.renew_password(connection, "oak-1")
        assert wait_until(lambda: lets_in(broker, "oak-1", new))
        assert not lets_in(broker, "oak-1", old)


def test_a_kill_between_writing_and_telling_the_broker_is_made_good_by_the_next_start(
    database: str, broker: Broker, access: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        added = places.add_sensor(connection, "oak-1")
        assert BrokerFollower(database, access).write(connection)  # and killed here
    assert not lets_in(broker, "oak-1", added.password)
    with following(database, access, broker.pid_file) as process:
        assert wait_until(lambda: lets_in(broker, "oak-1", added.password))
        process.kill()
        process.wait()
    assert lets_in(broker, "oak-1", added.password)
    assert sorted(read_passwords(access / "passwords")) == ["oak-1", INGEST_USER]


def test_what_changes_nothing_for_the_broker_writes_nothing(database: str, access: Path) -> None:
    follower = BrokerFollower(database, access)
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "oak-1")
        assert follower.write(connection)
        before = (access / "passwords").stat()
        connection.execute("update sensor set muted_until = now()")
        assert not follower.write(connection)
    assert (access / "passwords").stat().st_ino == before.st_ino


def test_a_folder_without_a_line_for_ingest_is_refused(database: str, tmp_path: Path) -> None:
    with pytest.raises(AccessFilesError, match="run telstraat sensor access"):
        BrokerFollower(database, tmp_path).run()


def test_a_pid_file_that_names_another_program_signals_nobody(database: str, access: Path, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "pid").write_text(f"{other.pid}\n")
        BrokerFollower(database, access, tmp_path / "pid").reload()
        (tmp_path / "pid").write_text("nobody")
        BrokerFollower(database, access, tmp_path / "pid").reload()
        assert other.poll() is None
        os.kill(other.pid, signal.SIGKILL)
