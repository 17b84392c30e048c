"""Which line is counted on, and which way across it is forward: the server's settings, else what was given at the start.

A new line begins with a quarter, never inside one: no report mixes two lines.
"""

from __future__ import annotations

import logging

import msgspec

from telstraat_contract.errors import MessageError
from telstraat_contract.messages import Config, decode
from telstraat_contract.topics import Channel
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.errors import CountingLineError
from telstraat_device.settings import CameraSettings

log = logging.getLogger(__name__)


class Installation:
    """How the sensor is installed, as far as it matters for counting."""

    def __init__(self, camera: CameraSettings, line: Segment | None, stored: bytes | None) -> None:
        self._camera = camera
        self._line = line
        self.config = stored_config(stored)
        self.pending: Config | None = None

    @property
    def has_line(self) -> bool:
        """Whether there is a line to count on."""
        return (self.config.line or self._line or self._camera.line) is not None

    @property
    def flip(self) -> bool:
        """Whether left to right across the line is `rgt`."""
        return self._camera.flip if self.config.flip is None else self.config.flip

    def propose(self, config: Config) -> Config | None:
        """Take settings from the server; return what is to be stored, None when they are not new."""
        newest = self.pending or self.config
        if config.version <= newest.version:
            return None
        self.pending = merged_config(newest, config)
        return self.pending

    def begin_pending(self) -> None:
        """Apply the server's newest settings."""
        if self.pending is not None:
            self.config, self.pending = self.pending, None
            log.info("settings of version %d begin", self.config.version)

    def line_for(self, width: int, height: int) -> Segment:
        """Return the line in pixels of a picture."""
        shares = self.config.line
        if shares is not None:
            x1, y1, x2, y2 = shares
            return (x1 * width, y1 * height), (x2 * width, y2 * height)
        if self._line is not None:
            return self._line
        given = self._camera.line
        if given is None:
            raise CountingLineError("there is no counting line; give one with --line x1,y1,x2,y2")
        return (given[0], given[1]), (given[2], given[3])


def stored_config(payload: bytes | None) -> Config:
    """Return the settings that the server has sent before; version 0 when there are none."""
    if payload is None:
        return Config(version=0)
    try:
        config: Config = decode(Channel.CONFIG, payload)
    except MessageError as error:
        log.warning("the settings kept from the server cannot be read: %s", error)
        return Config(version=0)
    return config


def merged_config(config: Config, change: Config) -> Config:
    """Return settings with those that a newer message sets; what it leaves null stays."""
    changes = {
        name: value for name in ("line", "flip", "speed_limit_kmh") if (value := getattr(change, name)) is not None
    }
    return msgspec.structs.replace(config, version=change.version, **changes)
