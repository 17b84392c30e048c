"""What can be set on a device: read once, from one TOML file and the command line; a mistake is told where it stands.

Each setting's sentence is its documentation, its help and the end of its error message. Secrets are never here, only
the name of the file that holds them.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from telstraat_contract.errors import SensorNameError
from telstraat_contract.topics import check_sensor_name
from telstraat_device.errors import SettingsError

PRIVATE = stat.S_IRWXG | stat.S_IRWXO
SECRET_BYTES_MAX = 1024


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class SensorSettings(Section, frozen=True, kw_only=True):
    """Who the device is."""

    name: Annotated[
        str, Meta(description="Name of the sensor: its user name at the broker and its part of every topic.")
    ]
    password_file: Annotated[
        str, Meta(description="File with the broker's password, readable by its owner only; empty sends none.")
    ] = ""


class CameraSettings(Section, frozen=True, kw_only=True):
    """What it looks at."""

    source: Annotated[
        str, Meta(description="Camera number, `/dev/video0`, `picamera`, an `rtsp://` address or a video file.")
    ] = "picamera"
    width: Annotated[int, Meta(ge=64, le=1920, description="Width asked of a camera, in pixels.")] = 640
    height: Annotated[int, Meta(ge=48, le=1080, description="Height asked of a camera, in pixels.")] = 480
    line: Annotated[
        tuple[float, float, float, float] | None,
        Meta(
            description="Counting line x1, y1, x2, y2 in pixels of the picture; the server's line, once there is one, wins."
        ),
    ] = None
    flip: Annotated[
        bool, Meta(description="Whether left to right across the line is travel from the segment's end to its start.")
    ] = False


class BrokerSettings(Section, frozen=True, kw_only=True):
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


class SendSettings(Section, frozen=True, kw_only=True):
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


class StorageSettings(Section, frozen=True, kw_only=True):
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
    ] = 5.0
    on_stop: Annotated[
        Literal["close", "keep"],
        Meta(description="On a stop, `close` the open quarter and send it, or `keep` it open for a start soon after."),
    ] = "close"


class CountingSettings(Section, frozen=True, kw_only=True):
    """How it counts."""

    night_confidence: Annotated[
        float, Meta(ge=0, le=1, description="In the dark, a class less sure than this is booked as `night` instead.")
    ] = 0.5
    pixels_per_metre: Annotated[
        float | None,
        Meta(description="Scale of the picture where the line is; not given, it is learnt from the traffic."),
    ] = None


class ClockSettings(Section, frozen=True, kw_only=True):
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


class Settings(Section, frozen=True, kw_only=True):
    """Everything that can be set on a device."""

    sensor: SensorSettings
    camera: CameraSettings = CameraSettings()
    broker: BrokerSettings = BrokerSettings()
    send: SendSettings = SendSettings()
    storage: StorageSettings = StorageSettings()
    counting: CountingSettings = CountingSettings()
    clock: ClockSettings = ClockSettings()


def settings_of(values: Mapping[str, Any], file: Path | None = None) -> Settings:
    """Return the settings that tables of values say, or raise `SettingsError` with the place of the mistake."""
    text = file.read_text(encoding="utf-8") if file else ""
    where = str(file) if file else "settings"
    for section, key in unknown_keys(values):
        raise SettingsError(f"{place(where, text, section, key)}: {unknown(section, key)}")
    try:
        settings = msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(invalid(where, text, values, str(error))) from error
    check(settings, where)
    return settings


def read_settings(file: Path, changes: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Read a settings file; `changes` from the command line win."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{file}: cannot be read: {error.strerror}; give a settings file with --settings"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: is not TOML: {error}") from error
    for section, keys in (changes or {}).items():
        table = values.setdefault(section, {})
        if isinstance(table, dict):
            table.update(keys)
    return settings_of(values, file)


def fields() -> Iterator[tuple[str, str, str, Any]]:
    """Give section, key, sentence and default of every setting; a required one has msgspec's NODEFAULT."""
    for section in msgspec.structs.fields(Settings):
        for found in msgspec.structs.fields(section.type):
            meta = next(part for part in found.type.__metadata__ if isinstance(part, Meta))
            yield section.name, found.name, str(meta.description), found.default


def sections() -> dict[str, list[str]]:
    """Return the keys of every section."""
    return {
        section.name: [found.name for found in msgspec.structs.fields(section.type)]
        for section in msgspec.structs.fields(Settings)
    }


def unknown_keys(values: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Give the sections, and the keys in known sections, that do not exist."""
    known = sections()
    for section, table in values.items():
        if section not in known:
            yield section, None
        elif isinstance(table, Mapping):
            yield from ((section, key) for key in table if key not in known[section])


def unknown(section: str, key: str | None) -> str:
    """Say what was probably meant."""
    known = sections()
    if key is None:
        near = difflib.get_close_matches(section, known, 1)
        hint = f"did you mean [{near[0]}]?" if near else f"there are [{'], ['.join(known)}]"
        return f"there is no section [{section}]; {hint}"
    near = difflib.get_close_matches(key, known[section], 1)
    elsewhere = [name for name, keys in known.items() if key in keys]
    if near:
        return f"[{section}] has no setting {key!r}; did you mean {near[0]!r}?"
    if elsewhere:
        return f"[{section}] has no setting {key!r}; it belongs into [{elsewhere[0]}]"
    return f"[{section}] has no setting {key!r}; it has {', '.join(known[section])}"


def invalid(where: str, text: str, values: Mapping[str, Any], reason: str) -> str:
    """Say which setting has which wrong value, and what the setting is for."""
    found = re.search(r" - at `\$\.(\w+)(?:\.(\w+))?", reason)
    what = reason.split(" - at ", maxsplit=1)[0]
    if not found:
        return f'{where}: {what}; add it, for instance: [sensor] name = "elm-street-1"'
    section, key = found[1], found[2]
    if key is None:
        return f"{place(where, text, section, None)}: [{section}]: {what}"
    value = values[section][key]
    sentence = next((told for name, known, told, _ in fields() if (name, known) == (section, key)), "")
    return f"{place(where, text, section, key)}: [{section}] {key} = {value!r}: {what}. {sentence}"


def place(where: str, text: str, section: str, key: str | None) -> str:
    """Return file and line of a key, as far as a search finds it."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if header:
            inside = header[1] == section
            if inside and key is None:
                return f"{where}:{number}"
        elif key is not None and inside and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return f"{where}:{number}"
    return where


def check(settings: Settings, where: str) -> None:
    """Refuse what is possible to write but wrong to run."""
    broker = settings.broker
    try:
        check_sensor_name(settings.sensor.name)
    except SensorNameError as error:
        raise SettingsError(f"{where}: [sensor] name = {settings.sensor.name!r}: {error}") from error
    if broker.tls is False and not is_loopback(broker.host):
        raise SettingsError(
            f"{where}: [broker] tls = false: {broker.host} is another machine, and without TLS everyone on the way "
            "could read the password and change the counts; remove the line"
        )
    if broker.port is not None and not 1 <= broker.port <= 65_535:
        raise SettingsError(f"{where}: [broker] port = {broker.port}: a port is a number from 1 to 65535")
    if settings.send.resend_max_s < settings.send.resend_s:
        raise SettingsError(
            f"{where}: [send] resend_max_s = {settings.send.resend_max_s:g}: less than resend_s = "
            f"{settings.send.resend_s:g}, the first wait; reports would be sent again faster and faster"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def uses_tls(broker: BrokerSettings) -> bool:
    """Tell whether the connection is encrypted."""
    return not is_loopback(broker.host) if broker.tls is None else broker.tls


def port_of(broker: BrokerSettings) -> int:
    """Return the broker's port."""
    return broker.port or (8883 if uses_tls(broker) else 1883)


def read_secret(file: Path) -> str:
    """Return what a secret file holds; it must be the owner's alone."""
    try:
        status = file.stat()
        if status.st_mode & PRIVATE:
            raise SettingsError(
                f"{file}: mode {stat.S_IMODE(status.st_mode):04o}: others on this machine could read the password; "
                f"run: chmod 600 {file}"
            )
        if status.st_uid not in (os.geteuid(), 0):
            raise SettingsError(f"{file}: belongs to user {status.st_uid}, not to user {os.geteuid()} who runs this")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: the password cannot be read: {error}") from error
    secret = text.strip("\r\n")
    if not secret or len(secret) > SECRET_BYTES_MAX:
        raise SettingsError(f"{file}: holds no password of 1 to {SECRET_BYTES_MAX} characters on one line")
    return secret


def settings_text() -> str:
    """Return every setting as a settings file that could be filled in."""
    lines: list[str] = []
    last = ""
    for section, key, sentence, default in fields():
        if section != last:
            lines += ["", f"[{section}]"] if last else [f"[{section}]"]
            last = section
        lines.append(f"# {sentence}")
        unset = default is None or default is msgspec.NODEFAULT
        value = "" if unset else msgspec.json.encode(default).decode()
        lines.append(f"# {key} =" if unset else f"# {key} = {value}")
    return "\n".join(lines)
