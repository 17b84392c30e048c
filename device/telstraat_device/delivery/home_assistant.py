"""The counts at home: a sensor that Home Assistant finds by itself, over MQTT discovery.

A wire of its own to a broker that the owner names, on a thread of its own: reports neither wait for it nor go through it, and
what is lost on it is only not on the owner's screen. What it says is in documented words of Home Assistant alone
(https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery); no picture, no track, no single passer-by's moment.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from telstraat_contract.errors import SettingsError
from telstraat_contract.messages import Health
from telstraat_contract.secret_files import read_secret
from telstraat_contract.settings import is_loopback
from telstraat_contract.speeds import v85_kmh
from telstraat_device.delivery.connection import tls_context
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_device.settings import HomeAssistantSettings

log = logging.getLogger(__name__)

KINDS = {
    "pedestrian": ("Pedestrians", "mdi:walk"),
    "bike": ("Bicycles", "mdi:bike"),
    "car": ("Cars", "mdi:car"),
    "heavy": ("Heavy vehicles", "mdi:truck"),
    "night": ("In the dark", "mdi:weather-night"),
}
WAYS = {"lft": "from A to B", "rgt": "from B to A"}
CARS_MIN = 10  # fewer have no speed that 85 % of them stay below
QUARTERS_OF_SPEED = 4
GOODBYE_S = 2.0

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HomeStatus:
    """What is told at home.

    Attributes
    ----------
    open_quarter : Tally or None
        What the running quarter has so far.
    health : Health or None
        How the sensor is.
    """

    open_quarter: Tally | None
    health: Health | None


class HomeAssistant:
    """Tells a broker at home what the sensor counts and how it is.

    Totals rise from 0 with every start of the service: Home Assistant takes a fall of a `total_increasing` for a new
    beginning, and adds on.
    """

    def __init__(self, settings: HomeAssistantSettings, sensor: str, status: Callable[[], HomeStatus]) -> None:
        self._settings = settings
        self._sensor = sensor
        self._status = status
        self._total = Tally()
        self._hour: list[list[int]] = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._highest: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="home", daemon=True)

    def start(self) -> None:
        """Begin to tell, where a broker is named."""
        if self._settings.host:
            self._thread.start()

    def add(self, closed: Iterable[Quarter]) -> None:
        """Take quarters that have closed."""
        with self._lock:
            for quarter in closed:
                self._total.merge(quarter.tally)
                self._hour = [*self._hour, quarter.tally.car_speed or []][-QUARTERS_OF_SPEED:]

    def close(self) -> None:
        """Say goodbye, within a moment."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(GOODBYE_S)

    @property
    def base(self) -> str:
        """Begin of the topics that the sensor's states stand in."""
        return f"telstraat/home/{self._sensor}"

    def discovery(self) -> dict[str, Entity]:
        """Return what is found, as topic and configuration of every entity."""
        return {
            f"{self._settings.prefix}/{component}/telstraat_{self._sensor}/{key}/config": entity | self._common(key)
            for component, key, entity in entities()
        }

    def _common(self, key: str) -> Entity:
        return {
            "unique_id": f"telstraat_{self._sensor}_{key}",
            "~": self.base,  # what a ~ in topics stands for
            "state_topic": "~/state",
            "availability_topic": "~/availability",
            "device": {
                "identifiers": [f"telstraat_{self._sensor}"],
                "name": f"Telstraat {self._sensor}",
                "manufacturer": "Telstraat",
                "model": "street counter",
                "sw_version": version("telstraat"),
            },
            "origin": {"name": "Telstraat", "sw_version": version("telstraat")},
        }

    def state(self) -> dict[str, Any]:
        """Return what is counted and how the sensor is, now."""
        with self._lock:
            # Before the open quarter is looked at: one that closes meanwhile is missing for once, never there twice.
            total = Tally()
            total.merge(self._total)
            speeds = [bins for bins in self._hour if bins]
        status = self._status()
        if status.open_quarter is not None:
            total.merge(status.open_quarter)
            speeds += [status.open_quarter.car_speed] if status.open_quarter.car_speed else []
        with self._lock:
            for kind in KINDS:
                for way, count in zip(WAYS, total.counts.get(kind, (0, 0)), strict=True):
                    key = f"{kind}_{way}"
                    self._highest[key] = max(count, self._highest.get(key, 0))
            state: dict[str, Any] = dict(self._highest)
        state["v85"] = v85_of([sum(cars) for cars in zip(*speeds, strict=True)])
        health = status.health
        state |= {
            "problem": "ON" if health and health.alarms else "OFF",
            "alarms": list(health.alarms) if health else [],
            "waiting": health.waiting if health else None,
            "fps": health.fps if health else None,
            "temperature": health.temperature_c if health else None,
        }
        return state

    def _run(self) -> None:
        try:
            client = self._client()
        except (OSError, ValueError, SettingsError) as error:
            log.warning("[home_assistant] %s: nothing is told at home", error)
            return
        client.connect_async(self._settings.host, self._settings.port or (8883 if self._tls else 1883))
        client.loop_start()
        while not self._ending.wait(self._settings.every_s):
            if client.is_connected():
                self._tell(client)
        if client.is_connected() and not self._settings.remove:
            client.publish(f"{self.base}/availability", "offline", qos=1, retain=True).wait_for_publish(GOODBYE_S / 2)
        client.disconnect()
        client.loop_stop()

    @property
    def _tls(self) -> bool:
        tls = self._settings.tls
        return not is_loopback(self._settings.host) if tls is None else tls

    def _client(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"telstraat-home-{self._sensor}")
        if self._settings.user:
            file = self._settings.password_file
            client.username_pw_set(self._settings.user, read_secret(Path(file)) if file else None)
        if self._tls:
            client.tls_set_context(tls_context(self._settings.ca_file))
        if not self._settings.remove:
            client.will_set(f"{self.base}/availability", "offline", qos=1, retain=True)
        client.reconnect_delay_set(1, 120)
        client.on_connect = lambda client, _data, _flags, reason, _properties: self._begin(
            client, bool(reason.is_failure)
        )
        return client

    def _begin(self, client: mqtt.Client, refused: bool) -> None:
        """Say what there is, or take it away where that is the setting."""
        if refused:
            log.warning("[home_assistant] %s refuses the connection", self._settings.host)
            return
        for topic, entity in self.discovery().items():
            client.publish(topic, "" if self._settings.remove else json.dumps(entity), qos=1, retain=True)
        if self._settings.remove:
            client.publish(f"{self.base}/availability", "", qos=1, retain=True)
            return
        client.publish(f"{self.base}/availability", "online", qos=1, retain=True)
        self._tell(client)

    def _tell(self, client: mqtt.Client) -> None:
        if not self._settings.remove:
            client.publish(f"{self.base}/state", json.dumps(self.state()))


def entities() -> Iterable[tuple[str, str, Entity]]:
    """Yield component, key and what Home Assistant is to know of every entity."""
    for kind, (name, icon) in KINDS.items():
        for way, words in WAYS.items():
            yield (
                "sensor",
                f"{kind}_{way}",
                {
                    "name": f"{name} {words}",
                    "icon": icon,
                    "state_class": "total_increasing",
                    "unit_of_measurement": "crossings",
                    "value_template": f"{{{{ value_json.{kind}_{way} }}}}",
                },
            )
    yield (
        "sensor",
        "v85",
        {
            "name": "Speed that 85 % of cars stay below",
            "device_class": "speed",
            "state_class": "measurement",
            "unit_of_measurement": "km/h",
            "value_template": "{{ value_json.v85 }}",
        },
    )
    yield (
        "binary_sensor",
        "problem",
        {
            "name": "Problem",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.problem }}",
            "json_attributes_topic": "~/state",
            "json_attributes_template": "{{ {'alarms': value_json.alarms} | tojson }}",
        },
    )
    for key, name, more in (
        ("waiting", "Reports without a receipt", {"icon": "mdi:tray-full"}),
        ("fps", "Pictures a second", {"icon": "mdi:camera-timer"}),
        ("temperature", "Processor", {"device_class": "temperature", "unit_of_measurement": "°C"}),
    ):
        yield (
            "sensor",
            key,
            {
                "name": name,
                "state_class": "measurement",
                "entity_category": "diagnostic",
                "value_template": f"{{{{ value_json.{key} }}}}",
                **more,
            },
        )


def v85_of(bins: list[int]) -> float | None:
    """Return the speed that 85 % of the cars stay below, as the pages compute it; None of fewer than `CARS_MIN`."""
    return v85_kmh(bins) if sum(bins) >= CARS_MIN else None
