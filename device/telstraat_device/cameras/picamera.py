"""The Raspberry Pi camera: the luma plane of its small YUV stream, as the camera's own processor makes it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from telstraat_device.cameras.frames import ClosingSource, Frame, Luma
from telstraat_device.errors import CameraError

FPS = 30.0


class PiCamera(ClosingSource):
    """The Pi camera through picamera2 (part of Raspberry Pi OS, not of the Python package index)."""

    def __init__(self, width: int = 640, height: int = 480) -> None:
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise CameraError(
                "the Pi camera needs picamera2, which is not installed here; on Raspberry Pi OS: "
                "sudo apt install python3-picamera2, and a virtual environment with --system-site-packages"
            ) from error
        try:
            self._camera = Picamera2()
            size = {"size": (width, height)}
            settings = self._camera.create_video_configuration(
                main=size, lores={**size, "format": "YUV420"}, controls={"FrameRate": FPS}, buffer_count=3
            )
            self._camera.configure(settings)
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise CameraError(
                f"the Pi camera does not start: {error}; is its ribbon cable in, and nothing else using it?"
            ) from error
        self.name = "Pi camera"
        self.width, self.height, self.fps = width, height, FPS
        self.frames: int | None = None
        self._luma: Luma = np.empty((height, width), np.uint8)

    def __iter__(self) -> Iterator[Frame]:
        start_s = time.monotonic()
        while True:
            try:
                planes = self._camera.capture_array("lores")
            except (RuntimeError, OSError) as error:
                raise CameraError(f"the Pi camera stopped: {error}; start the service again") from error
            at_s = time.monotonic() - start_s
            np.copyto(self._luma, planes[: self.height, : self.width])
            yield Frame(self._luma, at_s)

    def close(self) -> None:
        """Release the camera."""
        self._camera.stop()
        self._camera.close()
