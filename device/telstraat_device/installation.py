"""Which line is counted on, and which way across it is forward: the server's settings, else what was given at the start.

A new line begins with a quarter, never inside one: no report mixes two lines. Settings from the server cannot brick a sensor: the
counter is built with them before they are taken, they are on trial until frames have been counted with them for a while, and
the last good ones come back when they do not stand it. What was refused stays refused, also when the broker sends it again.
"""

from __future__ import annotations

import logging

import msgspec
from msgspec import Struct

from telstraat_contract.errors import MessageError
from telstraat_contract.messages import Config, decode
from telstraat_contract.topics import Channel
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.errors import CountingLineError
from telstraat_device.settings import CameraSettings

TRIAL_STARTS_MAX = 3
"""A service that ended so often with settings on trial ended of them, as far as it can tell."""

WHY_LENGTH_MAX = 200
log = logging.getLogger(__name__)


class StoredTrial(Struct, frozen=True, omit_defaults=True):
    """What is stored beside the last good settings; earlier versions read past it."""

    trial: Config | None = None
    starts: int = 0
    refused: int = 0
    why: str = ""


class _Stored(Struct):
    beside: StoredTrial = StoredTrial()


class Installation:
    """How the sensor is installed, as far as it matters for counting."""

    def __init__(self, camera: CameraSettings, line: Segment | None, stored: bytes | None) -> None:
        self._camera = camera
        self._line = line
        self.good = stored_config(stored)
        beside = trial_stored_in(stored)
        self.refused, self.why = beside.refused, beside.why
        self.config = beside.trial or self.good
        self.starts = beside.starts + 1 if beside.trial else 0
        self.pending: Config | None = None
        if self.starts > TRIAL_STARTS_MAX:
            self.give_up(f"the service ended {TRIAL_STARTS_MAX} times while they were tried")

    @property
    def has_line(self) -> bool:
        """Whether there is a line to count on."""
        return (self.config.line or self._line or self._camera.line) is not None

    @property
    def flip(self) -> bool:
        """Whether left to right across the line is `rgt`."""
        return self._camera.flip if self.config.flip is None else self.config.flip

    @property
    def is_on_trial(self) -> bool:
        """Whether the settings in use have not stood it yet."""
        return self.config is not self.good

    def candidate(self, config: Config) -> Config | None:
        """Return what the server's message makes of the settings; None when it is not new, or was refused before."""
        newest = self.pending or self.config
        return None if config.version <= max(newest.version, self.refused) else merged_config(newest, config)

    def begin_pending(self) -> None:
        """Begin with the server's newest settings, on trial."""
        if self.pending is not None:
            self.config, self.pending, self.starts = self.pending, None, 0
            log.info("settings of version %d begin", self.config.version)

    def prove(self) -> None:
        """Take the settings in use for good: frames have been counted with them."""
        self.good, self.starts = self.config, 0
        log.info("settings of version %d are good", self.good.version)

    def refuse(self, version: int, why: str) -> None:
        """Note that settings are not taken, and why."""
        self.refused, self.why = version, why[:WHY_LENGTH_MAX]
        log.error("the server's settings of version %d are refused: %s", version, self.why)

    def give_up(self, why: str) -> None:
        """Go back to the last good settings; when those were in use, to what was given at the start."""
        if self.is_on_trial:
            self.refuse(self.config.version, why)
            self.config, self.starts = self.good, 0
        else:
            self.refuse(self.config.version, why)
            self.good = self.config = Config(version=0)

    def to_store(self) -> bytes:
        """Return what is to be stored: the last good settings, and beside them what is on trial."""
        trial = self.pending or (self.config if self.is_on_trial else None)
        beside = StoredTrial(trial, self.starts if trial is self.config else 0, self.refused, self.why)
        return msgspec.json.encode({**msgspec.to_builtins(self.good), "beside": beside})

    def line_for(self, width: int, height: int, config: Config | None = None) -> Segment:
        """Return the line in pixels of a picture, with the settings in use or with others."""
        shares = (config or self.config).line
        if shares is not None:
            x1, y1, x2, y2 = shares
            return (x1 * width, y1 * height), (x2 * width, y2 * height)
        if self._line is not None:
            return self._line
        given = self._camera.line
        if given is None:
            raise CountingLineError("there is no counting line; give one with --line x1,y1,x2,y2")
        across, down = (width, height) if max(given) <= 1 else (1, 1)  # shares of the picture, or its pixels
        return (given[0] * across, given[1] * down), (given[2] * across, given[3] * down)


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


def trial_stored_in(payload: bytes | None) -> StoredTrial:
    """Return what was stored beside the last good settings; nothing where there is none, or it cannot be read."""
    if payload is None:
        return StoredTrial()
    try:
        return msgspec.json.decode(payload, type=_Stored).beside
    except msgspec.MsgspecError as error:
        log.warning("what was kept of the server's settings on trial cannot be read: %s", error)
        return StoredTrial()


def merged_config(config: Config, change: Config) -> Config:
    """Return settings with those that a newer message sets; what it leaves null stays."""
    changes = {
        name: value for name in ("line", "flip", "speed_limit_kmh") if (value := getattr(change, name)) is not None
    }
    return msgspec.structs.replace(config, version=change.version, **changes)
