"""What Home Assistant finds, over a real broker, and what the counts there add up to."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.device.test_service import alone, reports_in, service_of, total
from tests.device.toys import NOON_S, ToyClock, ToyStreet
from tests.harness.brokers import TestBroker, TestClient, password_of

from telstraat_contract.speeds import v85_kmh
from telstraat_demo.stack.broker import mosquitto_program
from telstraat_device.delivery.home_assistant import HomeAssistant, HomeStatus, v85_of
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_device.settings import HomeAssistantSettings

# What Home Assistant's documentation of MQTT sensors and binary sensors names, of what is used here.
KEYS = {
    "name", "icon", "state_class", "unit_of_measurement", "value_template", "device_class", "entity_category", "unique_id",
    "state_topic", "availability_topic", "json_attributes_topic", "json_attributes_template", "device", "origin", "~",
}  # fmt: skip
USER = "house"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    """A broker as it stands in a home: who has an account there may read and write everything."""
    if not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: no test of a broker runs (apt install mosquitto)")
    broker = TestBroker(tmp_path_factory.mktemp("home"), kind="mosquitto", sensors=[USER])
    with (broker.access / "acl").open("a") as file:
        file.write(f"\nuser {USER}\ntopic readwrite #\n")
    broker.start()
    yield broker
    broker.stop()


def settings_of(broker: TestBroker, folder: Path, **more: Any) -> dict[str, Any]:
    file = folder / "house.password"
    file.write_text(password_of(USER))
    file.chmod(0o600)
    address = {"host": "127.0.0.1", "port": broker.port, "user": USER, "password_file": str(file)}
    return {**address, "every_s": 0.1, **more}


def heard(client: TestClient, until: Any, wait_s: float = 20.0) -> dict[str, bytes]:
    """Return the last payload of every topic once that is enough."""
    last: dict[str, bytes] = {}
    end_s = time.monotonic() + wait_s
    while not until(last):
        assert time.monotonic() < end_s, sorted(last)
        try:
            message = client.received.get(timeout=0.2)
        except queue.Empty:
            continue
        last[message.topic] = bytes(message.payload)
    return last


def test_home_assistant_finds_the_counts_which_are_those_of_the_reports(home: TestBroker, tmp_path: Path) -> None:
    settings = alone(tmp_path, home_assistant=settings_of(home, tmp_path))
    service = service_of(settings, ToyClock())
    client = TestClient(home, USER)
    assert client.connected()
    assert client.subscribe("homeassistant/#", "telstraat/home/#")
    thread = threading.Thread(target=lambda: service.run(lambda: ToyStreet(frames=1500, pause_s=0.001)))
    thread.start()

    def all_counted(last: dict[str, bytes]) -> bool:
        state = json.loads(last.get("telstraat/home/elm-1/state", b"{}"))
        return bool(sum(value for key, value in state.items() if key.endswith(("_lft", "_rgt"))) >= 120)

    last = heard(client, all_counted)
    thread.join(20)
    configs = {topic: json.loads(payload) for topic, payload in last.items() if topic.startswith("homeassistant/")}
    assert len(configs) == len({config["unique_id"] for config in configs.values()}) == 15
    for topic, config in configs.items():
        assert set(config) <= KEYS, topic
        assert config["state_topic"].replace("~", config["~"]) == "telstraat/home/elm-1/state"
        assert set(config["device"]) == {"identifiers", "name", "manufacturer", "model", "sw_version"}
    state = json.loads(last["telstraat/home/elm-1/state"])
    for config in configs.values():
        assert config["value_template"].split(".")[1].split(" ")[0] in state
    gone = heard(client, lambda seen: seen.get("telstraat/home/elm-1/availability") == b"offline")
    assert gone
    assert sum(total(report) for report in reports_in(settings)) == 150
    client.close()


def test_what_was_found_is_taken_away_when_the_owner_says_so(home: TestBroker, tmp_path: Path) -> None:
    def speak(**more: Any) -> HomeAssistant:
        speaker = HomeAssistant(
            HomeAssistantSettings(**settings_of(home, tmp_path, **more)), "oak-1", lambda: HomeStatus(None, None)
        )
        speaker.start()
        return speaker

    client = TestClient(home, USER)
    assert client.connected()
    assert client.subscribe("homeassistant/+/telstraat_oak-1/#")
    speaker = speak()
    entities_seen = heard(client, lambda last: len(last) == 15)
    assert all(entities_seen.values())
    speaker.close()
    speaker = speak(remove=True)
    heard(client, lambda last: len(last) == 15 and not any(last.values()))
    speaker.close()
    client.close()
    later = TestClient(home, USER)  # who comes now hears what is retained
    assert later.connected()
    assert later.subscribe("homeassistant/+/telstraat_oak-1/#", "telstraat/home/oak-1/#")
    with pytest.raises(queue.Empty):
        later.received.get(timeout=0.5)
    later.close()


def test_a_home_that_is_not_there_costs_no_report(tmp_path: Path) -> None:
    settings = alone(tmp_path, home_assistant={"host": "127.0.0.1", "port": 9})
    service_of(settings).run(lambda: ToyStreet(frames=1000))
    assert sum(total(report) for report in reports_in(settings)) == 100
    missing = alone(tmp_path / "b", home_assistant={"host": "127.0.0.1", "user": "x", "password_file": "/no/such"})
    service_of(missing).run(lambda: ToyStreet(frames=100))
    assert total(reports_in(missing)[0]) == 10


def test_totals_never_fall_while_a_quarter_closes() -> None:
    tally = Tally({"car": (7, 1)})
    open_quarters: list[Tally | None] = [tally, None, Tally({"car": (1, 0)})]
    speaker = HomeAssistant(HomeAssistantSettings(), "elm-1", lambda: HomeStatus(open_quarters.pop(0), None))
    assert speaker.state()["car_lft"] == 7
    assert speaker.state()["car_lft"] == 7, "it has closed and is not handed over yet"
    speaker.add([Quarter(NOON_S, tally)])
    assert speaker.state()["car_lft"] == 8


def test_the_speed_that_most_stay_below_is_that_of_the_pages_and_needs_cars() -> None:
    assert v85_of([0] * 6 + [9] + [0] * 18) is None
    assert v85_of([0] * 6 + [100] + [0] * 18) == v85_kmh([0] * 6 + [100] + [0] * 18)
    assert v85_of([]) is None
