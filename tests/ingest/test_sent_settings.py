"""Settings for a sensor go from the database through a real broker to the device, again until it says what became of them."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.device.toys import LINE, ToyClock, ToyCore, ToyStreet
from tests.device.wires import device_settings
from tests.harness.brokers import TestBroker, client_of
from tests.ingest.sending import Ingest, wait_until

from telstraat_cli.main import main
from telstraat_contract.errors import MessageError
from telstraat_contract.messages import Config, decode
from telstraat_contract.sent_config import config_of
from telstraat_contract.topics import Channel, topic
from telstraat_device.counting.counter import Counter, CounterSettings
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.service import DeviceService
from telstraat_store import places
from telstraat_store.devices.sent_settings import send_settings, settings_on_the_way


def test_settings_reach_a_sensor_that_comes_later_and_the_latest_win(
    database: str, fresh_mosquitto: TestBroker
) -> None:
    fresh_mosquitto.let_in("oak-1")
    with psycopg.connect(database, autocommit=True) as connection, Ingest(database, fresh_mosquitto):
        number = places.add_sensor(connection, "oak-1").sensor_id
        send_settings(connection, number, Config(version=0, line=(0.1, 0.5, 0.9, 0.5)))
        send_settings(connection, number, Config(version=0, flip=True))
        with client_of(fresh_mosquitto, "oak-1") as sensor:
            assert sensor.subscribe(topic("oak-1", Channel.CONFIG))
            configs: list[Config] = []

            def latest_came() -> bool:
                while not sensor.received.empty():
                    configs.append(decode(Channel.CONFIG, bytes(sensor.received.get().payload)))
                return bool(configs) and configs[-1].version == 2

            assert wait_until(latest_came)
    assert configs[-1] == Config(version=2, line=(0.1, 0.5, 0.9, 0.5), flip=True)


def test_they_are_on_the_way_until_health_names_them_and_no_version_comes_twice(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        number = places.add_sensor(connection, "oak-1").sensor_id

        def health(**fields: int) -> None:
            connection.execute("delete from sensor_health")
            connection.execute(
                "insert into sensor_health (sensor_id, health, received_at) values (%s, %s, now())",
                (number, Jsonb(fields)),
            )

        health(config=7)  # a database that was restored knows less than the sensor
        assert send_settings(connection, number, Config(version=0, flip=True)) == 8
        assert [config.version for _, config in settings_on_the_way(connection)] == [8]
        health(config=8)
        assert settings_on_the_way(connection) == []
        assert send_settings(connection, number, Config(version=0, flip=False)) == 9
        health(config=8, refused=9)
        assert settings_on_the_way(connection) == []
        assert send_settings(connection, number, Config(version=0, flip=True)) == 10


def test_a_sensor_refuses_what_it_cannot_count_with_and_the_server_hears_why(
    database: str, fresh_mosquitto: TestBroker, tmp_path: Path
) -> None:
    def core(width: int, height: int, line: Segment) -> ToyCore:
        Counter(640, 480, tuple((x * 20, y * 20) for x, y in line), CounterSettings())  # type: ignore[arg-type]
        return ToyCore(width, height, line)

    fresh_mosquitto.let_in("oak-1")
    with psycopg.connect(database, autocommit=True) as connection, Ingest(database, fresh_mosquitto):
        number = places.add_sensor(connection, "oak-1").sensor_id
        send_settings(connection, number, Config(version=0, line=(0.0, 0.0, 5.0, 5.0)))
        settings = device_settings(tmp_path, "oak-1", fresh_mosquitto.port, send={"flush_s": 0, "health_s": 0.2})
        device = DeviceService(settings, ToyClock(), line=LINE, make_counter=core)
        device.run(lambda: ToyStreet(frames=1500, pause_s=0.002))

        def refusal() -> tuple[int, str]:
            row = connection.execute("select health from sensor_health").fetchone()
            return (row[0].get("refused", 0), row[0].get("refused_why", "")) if row and row[0] else (0, "")

        assert wait_until(lambda: refusal()[0] == 1)
        assert "outside the picture" in refusal()[1]
        assert settings_on_the_way(connection) == []
    assert not device.installation.is_on_trial


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0,0,5,5", "5 is no share of the picture"),
        ("0.1,0.5,0.9", "has 3 numbers"),
        ("a,b,c,d", "write four numbers"),
        ("0.5,0.5,0.5,0.5", "draw it across the street"),
        ("nan,0.5,0.5,0.5", "nan is no share"),
    ],
)
def test_a_line_that_no_sensor_could_count_on_is_not_even_sent(
    database: str, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    with pytest.raises(MessageError, match=words):
        config_of(line)
    with psycopg.connect(database, autocommit=True) as connection:
        places.add_sensor(connection, "oak-1")
        assert main(["sensor", "--dsn", database, "configure", "oak-1", "--line", line]) == 2
        assert words in capsys.readouterr().err
        assert settings_on_the_way(connection) == []
    assert main(["sensor", "--dsn", database, "configure", "oak-1", "--line", "0.1,0.6,0.9,0.6"]) == 0
