"""A stand-in for picamera2 with the sensors of the Raspberry Pi, after its manual: modes, crops, strides, order of calls.

What it holds its user to: a configuration before a start, a camera that was closed before it is opened again, requests
that are given back. Sizes are rounded as the processor of a Pi 4 does it, rows are padded to 64 bytes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

STRIDE = 64
ALIGNED = 32


def mode(size: tuple[int, int], crop: tuple[int, int, int, int], fps: float, bits: int = 10) -> dict[str, Any]:
    return {"size": size, "crop_limits": crop, "fps": fps, "bit_depth": bits, "format": f"SRGGB{bits}_CSI2P"}


SENSORS: dict[str, list[dict[str, Any]]] = {
    "module 1": [
        mode((640, 480), (16, 0, 2560, 1920), 58.92),
        mode((1296, 972), (0, 0, 2592, 1944), 43.25),
        mode((1920, 1080), (348, 434, 1928, 1080), 30.62),
        mode((2592, 1944), (0, 0, 2592, 1944), 15.63),
    ],
    "module 2": [
        mode((640, 480), (1000, 752, 1280, 960), 206.65),
        mode((1640, 1232), (0, 0, 3280, 2464), 41.85),
        mode((1920, 1080), (680, 692, 1920, 1080), 47.57),
        mode((3280, 2464), (0, 0, 3280, 2464), 21.19),
    ],
    "module 3": [
        mode((1536, 864), (768, 432, 3072, 1728), 120.13),
        mode((2304, 1296), (0, 0, 4608, 2592), 56.03),
        mode((4608, 2592), (0, 0, 4608, 2592), 14.35),
    ],
    "HQ": [
        mode((1332, 990), (696, 528, 2664, 1980), 120.05),
        mode((2028, 1080), (0, 440, 4056, 2160), 50.03, 12),
        mode((2028, 1520), (0, 0, 4056, 3040), 40.01, 12),
        mode((4056, 3040), (0, 0, 4056, 3040), 10.0, 12),
    ],
}


@dataclass
class StandInRequest:
    """A finished picture, lent until it is released."""

    array: NDArray[np.uint8]
    metadata: dict[str, Any]
    lent: list[StandInRequest]

    def make_array(self, name: str) -> NDArray[np.uint8]:
        assert name == "main"
        assert self in self.lent, "the request was given back already"
        return self.array

    def get_metadata(self) -> dict[str, Any]:
        return self.metadata

    def release(self) -> None:
        self.lent.remove(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


@dataclass
class Picamera2:
    """One camera at the cable."""

    sensor: ClassVar[str] = "module 2"
    in_use: ClassVar[bool] = False
    start_error: ClassVar[str] = ""
    fails_after: ClassVar[int] = 10**9

    lent: list[StandInRequest] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    started: bool = False
    number: int = 0

    def __post_init__(self) -> None:
        if Picamera2.in_use:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        Picamera2.in_use = True

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        return SENSORS[Picamera2.sensor]

    def create_video_configuration(self, **settings: Any) -> dict[str, Any]:
        return settings

    def align_configuration(self, settings: dict[str, Any]) -> None:
        width, height = settings["main"]["size"]
        settings["main"]["size"] = (width - width % ALIGNED, height - height % 2)

    def configure(self, settings: dict[str, Any]) -> None:
        assert not self.started
        width = settings["main"]["size"][0]
        self.settings = {**settings, "main": {**settings["main"], "stride": -(-width // STRIDE) * STRIDE}}

    def camera_configuration(self) -> dict[str, Any]:
        return self.settings

    def start(self) -> None:
        assert self.settings, "configure before start"
        if Picamera2.start_error:
            raise RuntimeError(Picamera2.start_error)
        self.started = True

    def stop(self) -> None:
        self.started = False

    def close(self) -> None:
        assert not self.lent, "pictures are still lent"
        Picamera2.in_use = False

    def view_share(self) -> float:
        """Return the share of the sensor's width that the picture shows."""
        chosen = next(m for m in self.sensor_modes if m["size"] == self.settings["sensor"]["output_size"])
        _, _, crop_width, crop_height = chosen["crop_limits"]
        width, height = self.settings["main"]["size"]
        visible = min(crop_width, crop_height * width / height)
        return float(visible / max(m["crop_limits"][2] for m in self.sensor_modes))

    def capture_request(self) -> StandInRequest:
        assert self.started
        if self.number >= Picamera2.fails_after:
            raise RuntimeError("Camera frontend has timed out!")
        width, height = self.settings["main"]["size"]
        array = np.zeros((height * 3 // 2, self.settings["main"]["stride"]), np.uint8)
        array[:height, :width] = 10 + self.number % 200
        duration_us = self.settings["controls"]["FrameDurationLimits"][0]
        stamp_ns = 5_000_000_000_000 + self.number * duration_us * 1000
        self.number += 1
        time.sleep(0.0005)
        self.lent.append(StandInRequest(array, {"SensorTimestamp": stamp_ns}, self.lent))
        return self.lent[-1]
