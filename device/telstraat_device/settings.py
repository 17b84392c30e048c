"""What can be set on a device. Each setting's sentence is its documentation, its help and the end of its error message.

Secrets are never here, only the name of the file that holds them. How a file, the environment (`TELSTRAAT_DEVICE_BROKER_HOST`
for `host` of `[broker]`) and the command line are read is the same for every service: `telstraat_contract.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from telstraat_contract.errors import SensorNameError, SettingsError
from telstraat_contract.settings import SettingsReader, is_loopback
from telstraat_contract.topics import check_sensor_name


class SettingsTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class SensorSettings(SettingsTable, frozen=True, kw_only=True):
    """Who the device is."""

    name: Annotated[
        str, Meta(description="Name of the sensor: its user name at the broker and its part of every topic.")
    ]
    password_file: Annotated[
        str, Meta(description="File with the broker's password, readable by its owner only; empty sends none.")
    ] = ""


class CameraSettings(SettingsTable, frozen=True, kw_only=True):
    """What it looks at."""

    source: Annotated[
        str, Meta(description="Camera number, `/dev/video0`, `picamera`, an `rtsp://` address or a video file.")
    ] = "picamera"
    width: Annotated[int, Meta(ge=64, le=1920, description="Width asked of a camera, in pixels.")] = 640
    height: Annotated[int, Meta(ge=48, le=1080, description="Height asked of a camera, in pixels.")] = 480
    rotation: Annotated[
        Literal[0, 90, 180, 270],
        Meta(
            description="Degrees clockwise by which the picture is turned before all else; a camera on its side needs 90 or 270."
        ),
    ] = 0
    line: Annotated[
        tuple[float, float, float, float] | None,
        Meta(
            description="Counting line x1, y1, x2, y2 in shares of the turned picture, 0 to 1, or in its pixels; the server's line, once there is one, wins."
        ),
    ] = None
    masks: Annotated[
        tuple[tuple[tuple[float, float], ...], ...],
        Meta(
            description="Polygons that nobody is to look at, corners x, y in shares of the turned picture; blanked before all else."
        ),
    ] = ()
    flip: Annotated[
        bool, Meta(description="Whether left to right across the line is travel from the segment's end to its start.")
    ] = False


class BrokerSettings(SettingsTable, frozen=True, kw_only=True):
    """Where reports go."""

    host: Annotated[str, Meta(min_length=1, description="Name or address of the broker.")] = "localhost"
    port: Annotated[
        int | None, Meta(description="Port of the broker; 8883 with TLS and 1883 without when not given.")
    ] = None
    tls: Annotated[
        bool | None, Meta(description="Whether to use TLS; always on, and cannot be off, when the broker is elsewhere.")
    ] = None
    ca_file: Annotated[
        str, Meta(description="Certificate of the authority that signed the broker's; empty trusts the system's list.")
    ] = ""
    keepalive_s: Annotated[
        int, Meta(ge=2, le=1200, description="A connection that died in silence is noticed within 1.5 times this.")
    ] = 60
    connect_s: Annotated[
        float, Meta(gt=0, le=120, description="How long one attempt to connect may take, in seconds.")
    ] = 10.0
    reconnect_max_s: Annotated[
        float, Meta(ge=1, le=3600, description="Longest wait between two attempts to connect, in seconds.")
    ] = 60.0


class SendSettings(SettingsTable, frozen=True, kw_only=True):
    """How reports go."""

    spread_s: Annotated[
        float,
        Meta(ge=0, le=600, description="Reports leave spread over so many seconds after the quarter, by sensor name."),
    ] = 60.0
    resend_s: Annotated[
        float,
        Meta(gt=0, le=3600, description="First wait for a receipt before a report is sent again; doubles each time."),
    ] = 30.0
    resend_max_s: Annotated[
        float, Meta(gt=0, description="Longest wait for a receipt before a report is sent again.")
    ] = 3600.0
    window: Annotated[
        int, Meta(ge=1, le=10_000, description="How many backlog reports may be on their way without a receipt.")
    ] = 100
    per_second: Annotated[float, Meta(gt=0, le=10_000, description="How many backlog reports leave in a second.")] = (
        50.0
    )
    health_s: Annotated[float, Meta(gt=0, description="Seconds between two health messages.")] = 60.0
    live_s: Annotated[float, Meta(gt=0, description="Seconds between two live messages while somebody looks.")] = 2.0
    flush_s: Annotated[
        float, Meta(ge=0, description="How long a stop or the end of a recording waits for receipts, in seconds.")
    ] = 15.0
    silent_s: Annotated[
        float, Meta(gt=0, description="A report that stays without a receipt for so many seconds is an alarm.")
    ] = 300.0


class StorageSettings(SettingsTable, frozen=True, kw_only=True):
    """What it keeps."""

    folder: Annotated[
        str, Meta(min_length=1, description="State folder: the only place that the device writes to.")
    ] = "/var/lib/telstraat"
    days: Annotated[
        float, Meta(ge=1, le=400, description="Reports that wait longer than this are given up, and announced as lost.")
    ] = 30.0
    megabytes: Annotated[
        float, Meta(ge=0.1, description="Most that the outbox may take; the oldest reports are given up first.")
    ] = 64.0
    receipted_days: Annotated[
        float, Meta(ge=0, description="Committed reports stay so long, for a server that was restored from a backup.")
    ] = 7.0
    save_s: Annotated[
        float, Meta(gt=0, le=60, description="The open quarter is saved so often: the most that a power cut can take.")
    ] = 60.0
    health_file: Annotated[
        str, Meta(description="Where the last health message is left for the local status page; empty leaves none.")
    ] = ""
    on_stop: Annotated[
        Literal["close", "keep"],
        Meta(description="On a stop, `close` the open quarter and send it, or `keep` it open for a start soon after."),
    ] = "close"


class CountingSettings(SettingsTable, frozen=True, kw_only=True):
    """How it counts."""

    night_confidence: Annotated[
        float, Meta(ge=0, le=1, description="In the dark, a class less sure than this is booked as `night` instead.")
    ] = 0.5
    pixels_per_metre: Annotated[
        float | None,
        Meta(description="Scale of the picture where the line is; not given, it is learnt from the traffic."),
    ] = None


class ClockSettings(SettingsTable, frozen=True, kw_only=True):
    """What time it is."""

    trust: Annotated[
        Literal["kernel", "system"],
        Meta(
            description="Believe the clock once the `kernel` says it is synchronised, or the `system`'s clock as it is."
        ),
    ] = "kernel"
    start: Annotated[
        str, Meta(description="UTC of a recording's first frame, for instance 2026-11-21T12:00Z; empty for a camera.")
    ] = ""


class HomeAssistantSettings(SettingsTable, frozen=True, kw_only=True):
    """What is told at home."""

    host: Annotated[str, Meta(description="Broker that Home Assistant listens to; empty tells nobody.")] = ""
    port: Annotated[int | None, Meta(description="Its port; 8883 with TLS and 1883 without.")] = None
    tls: Annotated[
        bool | None, Meta(description="Whether to use TLS: on unless it runs on this machine, or this says `false`.")
    ] = None
    ca_file: Annotated[str, Meta(description="Certificate of the authority that signed the broker's.")] = ""
    user: Annotated[str, Meta(description="User name at that broker; empty for none.")] = ""
    password_file: Annotated[str, Meta(description="File with the password, readable by its owner only.")] = ""
    prefix: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]+$", description="Discovery prefix that Home Assistant is set to.")
    ] = "homeassistant"
    every_s: Annotated[float, Meta(ge=0.1, le=3600, description="Seconds between two states.")] = 30.0
    remove: Annotated[
        bool, Meta(description="Take everything away from Home Assistant again; say so before you empty `host`.")
    ] = False


class Settings(SettingsTable, frozen=True, kw_only=True):
    """Everything that can be set on a device."""

    sensor: SensorSettings
    camera: CameraSettings = CameraSettings()
    broker: BrokerSettings = BrokerSettings()
    send: SendSettings = SendSettings()
    storage: StorageSettings = StorageSettings()
    counting: CountingSettings = CountingSettings()
    clock: ClockSettings = ClockSettings()
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()


def check(settings: Settings) -> None:
    """Refuse what is possible to write but wrong to run."""
    broker = settings.broker
    try:
        check_sensor_name(settings.sensor.name)
    except SensorNameError as error:
        raise SettingsError(f"[sensor] name = {settings.sensor.name!r}: {error}") from error
    if broker.tls is False and not is_loopback(broker.host):
        raise SettingsError(
            f"[broker] tls = false: {broker.host} is another machine, and without TLS everyone on the way "
            "could read the password and change the counts; remove the line"
        )
    for table, port in (("broker", broker.port), ("home_assistant", settings.home_assistant.port)):
        if port is not None and not 1 <= port <= 65_535:
            raise SettingsError(f"[{table}] port = {port}: a port is a number from 1 to 65535")
    if settings.send.resend_max_s < settings.send.resend_s:
        raise SettingsError(
            f"[send] resend_max_s = {settings.send.resend_max_s:g}: less than resend_s = "
            f"{settings.send.resend_s:g}, the first wait; reports would be sent again faster and faster"
        )


def uses_tls(broker: BrokerSettings) -> bool:
    """Return whether the connection is encrypted."""
    return not is_loopback(broker.host) if broker.tls is None else broker.tls


def port_of(broker: BrokerSettings) -> int:
    """Return the broker's port."""
    return broker.port or (8883 if uses_tls(broker) else 1883)


READER = SettingsReader(Settings, "device", check)


def read_settings(
    file: Path | None = None,
    arguments: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of a file, the environment and the command line's `arguments`, the later over the earlier."""
    return READER.read(file, environment, arguments)


def settings_of(values: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Return the settings that tables of values say, whatever the environment says."""
    return READER.read(environment={}, arguments=values)
