"""The local status: four lights, today's counts and the last receipt, read from what the counting service leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from telstraat_contract.errors import MessageError
from telstraat_contract.languages import gettext_noop
from telstraat_contract.messages import Health, decode
from telstraat_contract.topics import Channel
from telstraat_device.delivery.day_reading import DayReading, read_day
from telstraat_device.setup.network.wifi import Reach

STALE = timedelta(seconds=90)
RECEIPT_LATE = timedelta(minutes=40)
HEALTH_BYTES_MAX = 100_000
Colour = Literal["good", "waiting", "bad"]

CAMERA = gettext_noop("Camera")
COUNTING = gettext_noop("Counting")
NETWORK = gettext_noop("Network")
SERVER = gettext_noop("Town’s server")


@dataclass(frozen=True, slots=True)
class StatusLight:
    """A light, and the sentence beside it."""

    name: str
    colour: Colour
    sentence: str


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """What the page shows."""

    lights: tuple[StatusLight, ...]
    day: DayReading
    receipt_at: datetime | None
    version: str
    alarms: tuple[str, ...]


def read_health(file: Path, now: datetime) -> Health | None:
    """Return the health that the service has left; None when it is old, or cannot be read."""
    try:
        with file.open("rb") as stream:
            health = decode(Channel.HEALTH, stream.read(HEALTH_BYTES_MAX))
        written = datetime.fromtimestamp(file.stat().st_mtime, now.tzinfo)
    except (OSError, MessageError):
        return None
    return health if isinstance(health, Health) and abs(now - written) <= STALE else None


def read_status(state: Path, health_file: Path, now: datetime, *, is_running: bool, reach: Reach) -> LocalStatus:
    """Return how the sensor is; `now` is in the time zone whose day is meant."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = read_day(state, midnight.timestamp()) or DayReading()
    health = read_health(health_file, now)
    receipt_at = None if day.receipted_s is None else datetime.fromtimestamp(day.receipted_s, now.tzinfo)
    lights = (
        camera_light(health, is_running=is_running),
        counting_light(health, is_running=is_running),
        network_light(reach),
        server_light(receipt_at, day, now),
    )
    return LocalStatus(lights, day, receipt_at, version("telstraat"), () if health is None else health.alarms)


def camera_light(health: Health | None, *, is_running: bool) -> StatusLight:
    """Return whether pictures come."""
    if health is None:
        words = gettext_noop("starts") if is_running else gettext_noop("not in use")
        return StatusLight(CAMERA, "waiting" if is_running else "bad", words)
    if not health.fps:
        return StatusLight(CAMERA, "bad", gettext_noop("gives no pictures"))
    return StatusLight(CAMERA, "good", gettext_noop("gives pictures"))


def counting_light(health: Health | None, *, is_running: bool) -> StatusLight:
    """Return whether it counts."""
    if not is_running:
        return StatusLight(COUNTING, "bad", gettext_noop("stopped"))
    if health is None:
        return StatusLight(COUNTING, "waiting", gettext_noop("starts"))
    if not health.clock_trusted:
        return StatusLight(COUNTING, "waiting", gettext_noop("counts, and waits for the time of day"))
    if health.alarms:
        return StatusLight(COUNTING, "waiting", gettext_noop("counts, with a remark below"))
    return StatusLight(COUNTING, "good", gettext_noop("counts"))


def network_light(reach: Reach) -> StatusLight:
    """Return what it reaches."""
    words: dict[Reach, StatusLight] = {
        "internet": StatusLight(NETWORK, "good", gettext_noop("on the internet")),
        "local": StatusLight(NETWORK, "good", gettext_noop("connected")),
        "own": StatusLight(NETWORK, "waiting", gettext_noop("its own Wi-Fi, for setting up")),
        "none": StatusLight(NETWORK, "bad", gettext_noop("not connected; counts are kept")),
    }
    return words[reach]


def server_light(receipt_at: datetime | None, day: DayReading, now: datetime) -> StatusLight:
    """Return whether the town's server has what was counted."""
    if receipt_at is None:
        return StatusLight(SERVER, "waiting", gettext_noop("the first report leaves at the next quarter of an hour"))
    if day.waiting and now - receipt_at > RECEIPT_LATE:
        return StatusLight(SERVER, "bad", gettext_noop("has not answered for a while; counts are kept"))
    return StatusLight(SERVER, "good", gettext_noop("has confirmed what was counted"))
