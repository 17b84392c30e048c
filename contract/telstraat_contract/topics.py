"""Topics: `telstraat/v1/{sensor}/{channel}`, who may write them and what a sensor may be called."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from telstraat_contract.errors import SensorNameError, TopicError

PREFIX = "telstraat/v1"
SENSOR_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Channel(StrEnum):
    """The last part of a topic, and with it the type of the payload."""

    REPORT = "report"
    HEALTH = "health"
    STATUS = "status"
    LIVE = "live"
    RECEIPT = "receipt"
    CONFIG = "config"
    WATCH = "watch"


UP = (Channel.REPORT, Channel.HEALTH, Channel.STATUS, Channel.LIVE)
"""Written by the sensor, read by the server."""

DOWN = (Channel.RECEIPT, Channel.CONFIG, Channel.WATCH)
"""Written by the server, read by the sensor."""


class Topic(NamedTuple):
    """A topic taken apart."""

    sensor: str
    channel: Channel

    def __str__(self) -> str:
        return f"{PREFIX}/{self.sensor}/{self.channel}"


def check_sensor_name(name: str) -> str:
    """Return `name` when it may be a sensor's, else raise `SensorNameError`."""
    if not SENSOR_NAME.fullmatch(name):
        raise SensorNameError(
            f"sensor name {name!r}: use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
        )
    return name


def topic(sensor: str, channel: Channel) -> str:
    """Return the topic of one sensor's channel."""
    return str(Topic(check_sensor_name(sensor), channel))


def parse_topic(text: str) -> Topic:
    """Take a topic apart, or raise `TopicError` that says what is wrong with it."""
    parts = text.split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != PREFIX:
        raise TopicError(f"topic {text!r}: expected {PREFIX}/SENSOR/CHANNEL")
    if parts[3] not in frozenset(Channel):
        raise TopicError(f"topic {text!r}: channel {parts[3]!r} is none of {', '.join(Channel)}")
    try:
        return Topic(check_sensor_name(parts[2]), Channel(parts[3]))
    except SensorNameError as error:
        raise TopicError(f"topic {text!r}: {error}") from error
