"""The service behind the window: count what crosses the line, keep the quarters of an hour, send them.

    telstraat device --settings /etc/telstraat/device.toml
    telstraat device --settings device.toml --source street.mp4 --start 2026-11-21T12:00Z
    telstraat device --print-settings            every setting, with its default and what it decides

SIGTERM or Ctrl-C closes the open quarter, sends it and waits a while for the receipts; a second one ends the waiting.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from telstraat_cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the device service."""
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="settings file (TOML); the options below win over it"
    )
    parser.add_argument("--sensor", metavar="NAME", help="name of the sensor")
    parser.add_argument("--source", metavar="SOURCE", help="camera number, picamera, rtsp:// address or video file")
    parser.add_argument("--line", metavar="X1,Y1,X2,Y2", help="counting line in pixels of the picture")
    parser.add_argument("--start", metavar="TIME", help="UTC of a recording's first frame, e.g. 2026-11-21T12:00Z")
    parser.add_argument("--state", metavar="FOLDER", help="state folder")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="broker")
    parser.add_argument("--print-settings", action="store_true", help="print every setting and end")
    parser.add_argument(
        "--forget", action="store_true", help="remove counts, secrets and settings; stop the service first"
    )


def changes_of(args: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Return what the command line changes in the settings."""
    from telstraat_device.counting.crossings.line import parse_line

    changes: dict[str, dict[str, object]] = {}

    def change(section: str, key: str, value: object) -> None:
        changes.setdefault(section, {})[key] = value

    for section, key, value in (
        ("sensor", "name", args.sensor),
        ("camera", "source", args.source),
        ("clock", "start", args.start),
        ("storage", "folder", args.state),
    ):
        if value:
            change(section, key, value)
    if args.line:
        (x1, y1), (x2, y2) = parse_line(args.line)
        change("camera", "line", [x1, y1, x2, y2])
    if args.broker:
        host, port = host_and_port(args.broker)
        change("broker", "host", host)
        if port is not None:
            change("broker", "port", port)
    return changes


def host_and_port(text: str) -> tuple[str, int | None]:
    """Read `host`, `host:port` or `[address]:port`."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        return text.strip("[]"), None
    if not (port.isascii() and port.isdigit() and len(port) < 6):
        raise CliError(f"--broker {text!r}: {port!r} is not a port; write HOST or HOST:PORT")
    return host.strip("[]"), int(port)


def run(args: argparse.Namespace) -> int:
    """Run the service until its source ends or it is told to stop."""
    from telstraat_device.errors import DeviceError
    from telstraat_device.forgetting import forget
    from telstraat_device.settings import READER, read_settings

    if args.print_settings:
        print(READER.as_toml())
        return 0
    try:
        settings = read_settings(args.settings, changes_of(args))
        if args.forget:
            print(f"forgotten: {forget(settings, args.settings)} files removed")
            return 0
        return count(settings)
    except DeviceError as error:
        raise CliError(str(error)) from error


def count(settings: object) -> int:
    """Open the source and count it."""
    import logging

    from telstraat_device import service
    from telstraat_device.cameras.frames import FrameSource
    from telstraat_device.cameras.turned import TurnedSource
    from telstraat_device.cameras.video import is_live, open_source
    from telstraat_device.settings import Settings

    assert isinstance(settings, Settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    camera = settings.camera
    if not is_live(camera.source) and not settings.clock.start:
        raise CliError(f"{camera.source} is a recording: say when it begins, with --start or [clock] start")

    def opened() -> FrameSource:
        source = open_source(camera.source, width=camera.width, height=camera.height)
        return TurnedSource(source, camera.rotation, camera.masks) if camera.rotation or camera.masks else source

    return service.run(opened, settings, service.clock_of(settings))
