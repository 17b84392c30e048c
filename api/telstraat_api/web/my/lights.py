"""The four lights of a sensor: camera, clock, server, last receipt; each with its state, since when, a sentence, one thing to try.

A light says what the device has said of itself within the last minutes, or what the server has seen itself. What is older, or was
never heard, is not known: grey, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telstraat_api.web.languages import PageLanguage
from telstraat_contract.messages import Flag
from telstraat_contract.quarters import QUARTER, QUARTER_S
from telstraat_store.connection import Row
from telstraat_store.counts.windows import zone

FRESH = timedelta(minutes=5)
"""A device says once a minute how it is: what is older is not known any more."""

DUE = 2 * QUARTER + timedelta(minutes=10)
"""A connected sensor's next report is there by then, counted from the one before."""

KEPT = timedelta(days=30)
"""So long a device keeps what it counted and could not send."""

DEAF = timedelta(minutes=15)
CLOCK_OFF_S = 120.0
NEW = timedelta(minutes=35)
"""A sensor that has just connected has no quarter to send yet."""


@dataclass(frozen=True)
class SensorLight:
    """One light; `state` is good, warning, bad or unknown, all texts are in the reader's language."""

    name: str
    state: str
    word: str
    sentence: str
    advice: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class SensorLights:
    """The lights of a sensor, and its state in one line."""

    camera: SensorLight
    clock: SensorLight
    server: SensorLight
    receipt: SensorLight
    line: str
    state: str  # on, silent or off, as pills show it

    @property
    def all(self) -> tuple[SensorLight, ...]:
        """Return the four, in the order in which a count passes them."""
        return (self.camera, self.clock, self.server, self.receipt)


class _Sensor:
    """What is known of a sensor at a moment, and how to say it."""

    def __init__(self, row: Row, now: datetime, _: PageLanguage) -> None:
        self.row, self.now, self.language = row, now, _
        self.tz: ZoneInfo = zone(row["timezone"] or "UTC")
        self.health: Mapping[str, Any] = row["health"] or {}
        # A stream is known from the first word on: before the first report nothing has arrived.
        self.last_at: datetime | None = row["last_at"] if row["period_start"] is not None else None
        self.is_deaf = row["server_at"] is None or now - row["server_at"] > DEAF
        self.is_live = bool(row["online"]) and row["health_at"] is not None and now - row["health_at"] <= FRESH

    def at(self, moment: datetime) -> str:
        return self.language.moment(moment, self.tz)

    def ago(self, moment: datetime) -> str:
        hours = round((self.now - moment).total_seconds() / 3600)
        if hours < 48:
            return self.language.ngettext("{n} hour ago", "{n} hours ago", max(hours, 1))
        return self.language.ngettext("{n} day ago", "{n} days ago", (self.now - moment).days)

    def number(self, value: float, digits: int = 0) -> str:
        return self.language.number(value, digits)


def lights_of(row: Row, now: datetime, _: PageLanguage) -> SensorLights:
    """Return the lights of a sensor, as `own_sensors` has read it, at a moment."""
    sensor = _Sensor(row, now, _)
    server, receipt = server_light(sensor), receipt_light(sensor)
    line, state = line_of(sensor)
    return SensorLights(camera_light(sensor), clock_light(sensor), server, receipt, line, state)


def line_of(sensor: _Sensor) -> tuple[str, str]:
    """Return a sensor's state in one line, and how its pill looks."""
    _, row = sensor.language, sensor.row
    last = sensor.last_at
    if row["retired_at"] is not None:
        return _(
            "Retired on {day}: it counts no more.", day=_.day(row["retired_at"].astimezone(sensor.tz).date())
        ), "off"
    if row["installation_id"] is None:
        return _("It stands nowhere yet: choose its street."), "off"
    if row["from_at"] > sensor.now:
        return _("It is being moved: it counts from {when} on.", when=sensor.at(row["from_at"])), "off"
    if sensor.is_deaf and (last is None or sensor.now - last > DUE):
        return _("Not known: the server itself does not listen now. This is not your sensor."), "off"
    if last is None:
        return _("It has not sent any counts yet."), "silent"
    if sensor.now - last <= DUE:
        return _("It counts; the last counts came at {clock}.", clock=_.clock(last, sensor.tz)), "on"
    return _("Silent since {when}, {days}.", when=sensor.at(last), days=sensor.ago(last)), "silent"


def unknown(name: str, sensor: _Sensor) -> SensorLight:
    """Return the light of something that only the device could say, while it says nothing."""
    _, row = sensor.language, sensor.row
    heard = row["health_at"]
    sentence = (
        _("The sensor has not said how it is.")
        if heard is None
        else _("The sensor said so last on {when}; what has been since, nobody knows.", when=sensor.at(heard))
    )
    advice = "" if row["retired_at"] is not None else _("See the light of the server first.")
    return SensorLight(name, "unknown", _("not known"), sentence, advice)


def camera_light(sensor: _Sensor) -> SensorLight:
    """Return what the device says of its camera, and what the last quarter says of the view."""
    _, row = sensor.language, sensor.row
    name = _("Camera")
    if not sensor.is_live:
        return unknown(name, sensor)
    since, fps = row["camera_since"], sensor.health.get("fps") or 0
    if fps <= 0:
        return SensorLight(
            name, "bad", _("no picture"), _("The camera gives no pictures."),
            _("Unplug the sensor, wait ten seconds, plug it in again. If that does not help, look at the camera's cable."), since,
        )  # fmt: skip
    is_recent = row["period_start"] is not None and sensor.now - row["period_start"] <= DUE + QUARTER
    flags = Flag(row["flags"] or 0) if is_recent else Flag(0)
    if Flag.CAMERA_MOVED in flags:
        return SensorLight(
            name, "bad", _("moved"), _("The camera does not look where it did when its line was drawn."),
            _("Put it back as it was, or draw the line again on the sensor's own page at home."), row["period_start"],
        )  # fmt: skip
    if Flag.CAMERA_COVERED in flags:
        return SensorLight(
            name, "warning", _("covered"), _("Something stood before the camera for a part of the last quarter of an hour."),
            _("Look for a curtain, a shutter, a plant, or dirt on the glass."), row["period_start"],
        )  # fmt: skip
    if Flag.TOO_DARK in flags:
        return SensorLight(
            name, "warning", _("too dark"), _("It was too dark to count for a part of the last quarter of an hour."),
            _("At night this is as it should be. By day, look for a lamp that blinds the camera, or a dark window."),
            row["period_start"],
        )  # fmt: skip
    if is_recent and row["observed_s"] < QUARTER_S / 2:
        share = _.percent(row["observed_s"] / QUARTER_S)
        return SensorLight(
            name, "warning", _("sees little"), _("It watched for {share} of the last quarter of an hour.", share=share),
            _("If it has just started, wait a quarter of an hour. Otherwise unplug it and plug it in again."), row["period_start"],
        )  # fmt: skip
    return SensorLight(
        name, "good", _("sees"), _("It gives {n} pictures a second; each is counted in memory and forgotten.", n=sensor.number(fps, 1)),
        since=since,
    )  # fmt: skip


def clock_light(sensor: _Sensor) -> SensorLight:
    """Return whether the device's clock is set, and agrees with the server's."""
    _, row = sensor.language, sensor.row
    name = _("Clock")
    if not sensor.is_live:
        return unknown(name, sensor)
    advice = _(
        "The clock is set over the internet: see whether the router lets the sensor ask for the time (NTP), then restart it."
    )
    if not sensor.health.get("clock_trusted", True):
        return SensorLight(
            name, "bad", _("not set"), _("The clock is not set: counts wait on the sensor until it is. None is lost."), advice,
            row["clock_since"],
        )  # fmt: skip
    off_s = abs((datetime.fromisoformat(sensor.health["at"]) - row["health_at"]).total_seconds())
    if off_s > CLOCK_OFF_S:
        minutes = sensor.number(off_s / 60)
        return SensorLight(
            name,
            "bad",
            _("wrong"),
            _("Its clock and the server's differ by {n} minutes.", n=minutes),
            advice,
            row["health_at"],
        )
    return SensorLight(name, "good", _("right"), _("It agrees with the server's."), since=row["clock_since"])


def server_light(sensor: _Sensor) -> SensorLight:
    """Return whether the sensor is connected, as the server sees it."""
    _, row = sensor.language, sensor.row
    name = _("Server")
    if sensor.is_deaf:
        at = row["server_at"]
        sentence = (
            _("Nobody has listened to sensors yet.")
            if at is None
            else _("The server itself has not listened since {when}: this is not your sensor.", when=sensor.at(at))
        )
        return SensorLight(
            name, "unknown", _("not known"), sentence, _("Wait: your sensor keeps its counts and sends them later."), at
        )
    if row["retired_at"] is not None:
        return SensorLight(name, "unknown", _("not expected"), _("A retired sensor is not let in."))
    if row["online_since"] is None and row["health_at"] is None and sensor.last_at is None:
        return SensorLight(
            name, "bad", _("never heard"), _("The sensor has never reached the server."),
            _("Is it plugged in, and in the Wi-Fi? Give it five minutes after the first start."),
        )  # fmt: skip
    if not row["online"]:
        # A server that was moved knows the counts and not the connection: the last counts were the last word.
        since = row["online_since"] or sensor.last_at
        keeps = (
            _("The sensor is not connected. It keeps what it counts, for 30 days, and sends it later.")
            if since is None or sensor.now - since <= KEPT
            else _("The sensor is not connected. It keeps what it counts for 30 days: what is older is lost by now.")
        )
        return SensorLight(
            name, "bad", _("not connected"), keeps, _("Is its lamp on? Then restart the router; otherwise look at the plug."), since,
        )  # fmt: skip
    if not sensor.is_live:
        return SensorLight(
            name, "warning", _("connected, says nothing"), _("The connection stands, but the sensor has not said for minutes how it is."),
            _("Wait five minutes, then unplug it and plug it in again."), row["health_at"],
        )  # fmt: skip
    return SensorLight(name, "good", _("connected"), _("The sensor is connected."), since=row["online_since"])


def receipt_light(sensor: _Sensor) -> SensorLight:
    """Return when counts last arrived and were stored for good."""
    _, row, last = sensor.language, sensor.row, sensor.last_at
    name = _("Last receipt")
    if row["retired_at"] is not None:
        return SensorLight(name, "unknown", _("not expected"), _("A retired sensor sends nothing any more."))
    if last is None:
        is_new = sensor.is_live and row["online_since"] is not None and sensor.now - row["online_since"] < NEW
        if is_new:
            return SensorLight(
                name,
                "unknown",
                _("not yet"),
                _("The first counts come when a whole quarter of an hour is over."),
                _("Wait, and come back."),
            )
        return SensorLight(
            name,
            "bad",
            _("never"),
            _("No counts of this sensor have ever arrived."),
            _("See the other lights, from the left."),
        )
    if sensor.now - last <= DUE:
        return arrived_light(sensor, name)
    if sensor.is_deaf:
        return SensorLight(
            name,
            "unknown",
            _("not known"),
            _("The server itself does not listen now; what the sensor has counted comes later."),
            since=last,
        )
    waiting = int(sensor.health.get("waiting") or 0) if sensor.is_live else 0
    if waiting:
        return SensorLight(
            name, "warning", _("waiting"),
            _.ngettext("{n} quarter of an hour waits on the sensor.", "{n} quarters of an hour wait on the sensor.", waiting),
            _("If it stays so for an hour, tell the people of this site: their server gives no receipts."), last,
        )  # fmt: skip
    return SensorLight(
        name,
        "bad",
        _("nothing new"),
        _("The last counts came on {when}, {days}; none since then.", when=sensor.at(last), days=sensor.ago(last)),
        _("See the other lights, from the left."),
        last,
    )


def arrived_light(sensor: _Sensor, name: str) -> SensorLight:
    """Return the light of counts that have just arrived: some may be missing in between."""
    _, row, last = sensor.language, sensor.row, sensor.last_at
    period = row["period_start"]
    start, end = _.clock(period, sensor.tz), _.clock(period + QUARTER, sensor.tz)
    if row["missing"]:
        return SensorLight(
            name, "warning", _("catching up"),
            _.ngettext(
                "{n} quarter of an hour is missing, and was asked for again.",
                "{n} quarters of an hour are missing, and were asked for again.", int(row["missing"]),
            ),
            _("Nothing to do: the sensor sends them by itself."), last,
        )  # fmt: skip
    return SensorLight(
        name,
        "good",
        _("arrived"),
        _("The counts from {start} to {end} are stored for good.", start=start, end=end),
        since=last,
    )
