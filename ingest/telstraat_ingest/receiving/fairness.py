"""What one sensor may send in a minute, and how much of a batch it may fill, so that no other waits for it.

A sensor's allowance is a token bucket: a message costs one token and another for each kilobyte of payload and properties. Within it
a sensor's messages wait in a queue of their own, behind nobody else's. What comes beyond is left out: acknowledged to the broker,
since over one connection everybody else's would wait behind it, and answered by no receipt, so the sensor keeps its reports and
sends them again (R2).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from telstraat_ingest.receiving.log_limit import LogLimit
from telstraat_ingest.writing.quarantine import Arrival

_REMEMBERED = 100_000
_RECENT_S = 300.0

logger = logging.getLogger(__name__)


class Fairness:
    """The allowances of all sensors at one ingester."""

    def __init__(self, per_minute: int, burst: int, batch: int) -> None:
        self._per_s = per_minute / 60
        self._burst = float(burst)
        self._batch = batch
        self._sensors: dict[str, str] = {}
        self._allowances: dict[str, tuple[float, float]] = {}
        self._left_out: dict[str, int] = {}
        self._log_limit = LogLimit()
        self._last_at_s: dict[str, float] = {}
        self.left_out = 0

    def admits(self, topic: str, message_bytes: int, now_s: float) -> bool:
        """Charge a message to its sensor, and tell whether its allowance covers it."""
        sensor = self._sensor_of(topic)
        left, at_s = self._allowances.get(sensor, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        cost = 1.0 + message_bytes / 1024
        if left < cost:
            self._allowances[sensor] = left, now_s
            self._left_out[sensor] = self._left_out.get(sensor, 0) + 1
            self._last_at_s[sensor] = now_s
            self.left_out += 1
            return False
        if len(self._allowances) >= _REMEMBERED:
            self._allowances.clear()
        self._allowances[sensor] = left - cost, now_s
        return True

    def share(self, pending: Sequence[Arrival], count: int) -> tuple[list[Arrival], list[Arrival]]:
        """Return up to `count` of what is pending, of each sensor so much as a batch may have, and the rest; both in order."""
        taken: list[Arrival] = []
        rest: list[Arrival] = []
        of_sensor: dict[str, int] = {}
        for at, message in enumerate(pending):
            if len(taken) >= count:
                rest += pending[at:]
                break
            sensor = self._sensor_of(message.topic)
            number = of_sensor.get(sensor, 0)
            if number < self._batch:
                of_sensor[sensor] = number + 1
                taken.append(message)
            else:
                rest.append(message)
        return taken, rest

    def log_throttled(self) -> None:
        """Log whose messages were left out, each sensor once a minute at most."""
        for sensor, number in self._left_out.items():
            if times := self._log_limit.due(sensor, number):
                logger.warning(
                    "sensor %s sends more than one may (sensor_per_minute, sensor_burst): %d messages left out, without a receipt",
                    sensor, times, extra={"event": "throttled", "sensor": sensor, "messages": times},
                )  # fmt: skip
        self._left_out.clear()

    def throttled(self) -> int:
        """Return of how many sensors something was left out in the last five minutes."""
        since_s = time.monotonic() - _RECENT_S
        for sensor in [sensor for sensor, at_s in self._last_at_s.items() if at_s < since_s]:
            del self._last_at_s[sensor]
        return len(self._last_at_s)

    def _sensor_of(self, topic: str) -> str:
        sensor = self._sensors.get(topic)
        if sensor is None:
            if len(self._sensors) >= _REMEMBERED:
                self._sensors.clear()
            parts = topic.split("/", 3)
            sensor = self._sensors[topic] = parts[2][:64] if len(parts) > 2 else ""
        return sensor
