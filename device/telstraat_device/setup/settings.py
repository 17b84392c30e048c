"""What can be set for the set-up process; all of it has a default, the installer writes what it knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta

from telstraat_contract.errors import SettingsError
from telstraat_contract.settings import SettingsReader, is_loopback
from telstraat_device.settings import SettingsTable

HOST = re.compile(r"[a-z0-9._:-]+")
SETTINGS_FILE = Path("/etc/telstraat/setup.toml")


class PageSettings(SettingsTable, frozen=True, kw_only=True):
    """Where phones find the pages."""

    name: Annotated[
        str, Meta(description="Name in the local network, without `.local`; empty takes the machine's.")
    ] = ""
    host: Annotated[str, Meta(min_length=1, description="Address to listen on; 0.0.0.0 is every network.")] = "0.0.0.0"  # noqa: S104 - who may ask is looked at for each request
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 80


class TownSettings(SettingsTable, frozen=True, kw_only=True):
    """Whose streets these are."""

    address: Annotated[
        str, Meta(description="Address of the town's server, https://…; empty asks for it while setting up.")
    ] = ""
    ca_file: Annotated[
        str, Meta(description="Certificate of the authority that signed the server's; empty trusts the system's list.")
    ] = ""


class InstallationSettings(SettingsTable, frozen=True, kw_only=True):
    """Where the counting service is, and what set-up writes for it."""

    sensor: Annotated[str, Meta(description="Name of the sensor, where the installer knows it.")] = ""
    settings_file: Annotated[str, Meta(min_length=1, description="Settings of the counting service.")] = (
        "/etc/telstraat/device.toml"
    )
    password_file: Annotated[str, Meta(min_length=1, description="File for the broker's password.")] = (
        "/etc/telstraat/password"  # noqa: S105 - the name of its file
    )
    code_file: Annotated[str, Meta(min_length=1, description="File with the code that lets the owner in.")] = (
        "/etc/telstraat/setup-code"
    )
    state: Annotated[str, Meta(min_length=1, description="State folder of the counting service.")] = (
        "/var/lib/telstraat"
    )
    progress_file: Annotated[str, Meta(min_length=1, description="How far set-up is; it holds no picture.")] = (
        "/etc/telstraat/setup.json"
    )
    health_file: Annotated[str, Meta(description="Where the counting service leaves its health, in memory.")] = (
        "/run/telstraat/health.json"
    )
    service: Annotated[str, Meta(min_length=1, description="Unit of the counting service.")] = (
        "telstraat-device.service"
    )


class LookSettings(SettingsTable, frozen=True, kw_only=True):
    """What it looks through."""

    source: Annotated[
        str, Meta(min_length=1, description="Camera number, `/dev/video0`, `picamera` or an `rtsp://` address.")
    ] = "picamera"
    width: Annotated[int, Meta(ge=64, le=1920, description="Width asked of a camera, in pixels.")] = 640
    height: Annotated[int, Meta(ge=48, le=1080, description="Height asked of a camera, in pixels.")] = 480


class ButtonSettings(SettingsTable, frozen=True, kw_only=True):
    """A button on the board."""

    pin: Annotated[int | None, Meta(description="GPIO number of a button to ground; held for 10 seconds it wipes.")] = (
        None
    )


class SetupSettings(SettingsTable, frozen=True, kw_only=True):
    """Everything that can be set for the set-up process."""

    page: PageSettings = PageSettings()
    town: TownSettings = TownSettings()
    device: InstallationSettings = InstallationSettings()
    camera: LookSettings = LookSettings()
    button: ButtonSettings = ButtonSettings()


def check(settings: SetupSettings) -> None:
    """Refuse what is possible to write but wrong to run."""
    if settings.town.address:
        check_town(settings.town.address)


def check_town(address: str) -> None:
    """Refuse an address of a town's server to which a code would travel in plain text."""
    try:
        parts = urlsplit(address)
        scheme, name, _ = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        scheme, name = "", ""
    if scheme not in {"http", "https"} or not HOST.fullmatch(name) or "@" in address:
        raise SettingsError(f"[town] address = {address!r}: write it as https://count.example.org")
    if scheme == "http" and not is_loopback(name):
        raise SettingsError(
            f"[town] address = {address!r}: without https everyone on the way could read the claim code and the "
            "password; write https://"
        )


READER = SettingsReader(SetupSettings, "setup", check)


def read_setup_settings(
    file: Path | None = None, arguments: Mapping[str, Mapping[str, Any]] | None = None
) -> SetupSettings:
    """Return the settings of a file, the environment and the command line, the later over the earlier."""
    return READER.read(file, None, arguments)
