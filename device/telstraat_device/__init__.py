"""On the Pi: frames -> foreground -> blobs -> tracks -> crossings -> periods -> outbox -> publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telstraat_contract.exports import exporter

if TYPE_CHECKING:
    from telstraat_device.cameras.frames import Frame, FrameSource
    from telstraat_device.cameras.video import open_source
    from telstraat_device.counting.counter import Counter, CounterSettings
    from telstraat_device.counting.crossings.crossing import Crossing
    from telstraat_device.counting.crossings.line import parse_line
    from telstraat_device.delivery.outbox import Outbox
    from telstraat_device.errors import (
        CameraError,
        CountingLineError,
        DamagedError,
        DeviceError,
        FrameFormatError,
        KernelError,
        NoFileError,
        NotVideoError,
        SourceError,
        StorageError,
    )
    from telstraat_device.quarters.clock import AnchoredClock, Clock, SystemClock
    from telstraat_device.service import DeviceService
    from telstraat_device.settings import Settings, read_settings, settings_of
else:
    __getattr__ = exporter(
        __name__,
        {
            "cameras.frames": "Frame FrameSource",
            "cameras.video": "open_source",
            "counting.counter": "Counter CounterSettings",
            "counting.crossings.crossing": "Crossing",
            "counting.crossings.line": "parse_line",
            "delivery.outbox": "Outbox",
            "errors": "CameraError DamagedError DeviceError FrameFormatError KernelError CountingLineError NoFileError NotVideoError SourceError StorageError",
            "quarters.clock": "AnchoredClock Clock SystemClock",
            "service": "DeviceService",
            "settings": "Settings read_settings settings_of",
        },
    )

__all__ = [
    "AnchoredClock",
    "CameraError",
    "Clock",
    "Counter",
    "CounterSettings",
    "CountingLineError",
    "Crossing",
    "DamagedError",
    "DeviceError",
    "DeviceService",
    "Frame",
    "FrameFormatError",
    "FrameSource",
    "KernelError",
    "NoFileError",
    "NotVideoError",
    "Outbox",
    "Settings",
    "SourceError",
    "StorageError",
    "SystemClock",
    "open_source",
    "parse_line",
    "read_settings",
    "settings_of",
]
