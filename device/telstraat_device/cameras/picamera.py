"""The Raspberry Pi camera: the luma plane of its small YUV picture, as the camera's own processor makes it.

Written after picamera2's manual and tested against a stand-in of its interface; it has never run on a board.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from telstraat_device.cameras.frames import ClosingSource, Frame, Luma
from telstraat_device.cameras.stream_clock import StreamClock
from telstraat_device.errors import CameraError

FPS = 30.0
FRAME_US = round(1e6 / FPS)
SHORT_EXPOSURE = 1  # libcamera's AeExposureModeEnum.Short: at night rather noise than smear
WHOLE_VIEW = 0.97
"""Modes that see so much of the largest view are taken to see all: camera module 1's smallest leaves out 2.5 %."""

STREAM = "main"
NANO = 1e-9
IMPORT_HELP = (
    "on Raspberry Pi OS: sudo apt install python3-picamera2, and a virtual environment with --system-site-packages"
)

Mode = Mapping[str, Any]


class PiCamera(ClosingSource):
    """The Pi camera through picamera2 (part of Raspberry Pi OS, not of the Python package index).

    Parameters
    ----------
    width : int
        Width asked for, in pixels. The height follows from the sensor, so that the whole view is seen: a camera
        module 3 is wider than a module 2. What comes may be a little wider or narrower, as its processor rounds.
    """

    def __init__(self, width: int = 640) -> None:
        self._camera = open_camera()
        try:
            self._start(width)
        except (RuntimeError, IndexError, KeyError, ValueError, OSError) as error:
            self.close()
            raise CameraError(
                f"the Pi camera does not start: {error}; is its ribbon cable in, and nothing else using it?"
            ) from error
        self.name, self.fps = "Pi camera", FPS
        self.frames: int | None = None
        self._clock = StreamClock(FPS)

    def _start(self, width: int) -> None:
        mode = whole_view_mode(self._camera.sensor_modes, width)
        _, _, view_width, view_height = mode["crop_limits"]
        size = (even(width), even(width * view_height / view_width))
        settings = self._camera.create_video_configuration(
            main={"size": size, "format": "YUV420"},
            sensor={"output_size": mode["size"], "bit_depth": mode["bit_depth"]},
            controls={"FrameDurationLimits": (FRAME_US, FRAME_US), "AeExposureMode": SHORT_EXPOSURE},
            buffer_count=4,
        )
        self._camera.align_configuration(settings)
        self._camera.configure(settings)
        self.width, self.height = self._camera.camera_configuration()[STREAM]["size"]
        self._camera.start()

    @property
    def timed(self) -> bool:
        """Whether the camera says when its pictures were taken."""
        return self._clock.timed

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                request = self._camera.capture_request()
                try:
                    # Rows are as long as the processor likes them; what is beyond the width is nothing.
                    luma: Luma = np.ascontiguousarray(request.make_array(STREAM)[: self.height, : self.width])
                    stamp_ns = request.get_metadata().get("SensorTimestamp")
                finally:
                    request.release()
            except (RuntimeError, OSError) as error:
                raise CameraError(f"the Pi camera stopped: {error}; it is opened anew") from error
            stamp_s = float("nan") if stamp_ns is None else stamp_ns * NANO
            t_s = self._clock.time(stamp_s, time.monotonic())
            if t_s is not None:
                yield Frame(luma, t_s)

    def close(self) -> None:
        """Release the camera, also one that has not started; closing twice is harmless."""
        for end in (self._camera.stop, self._camera.close):
            with suppress(RuntimeError, OSError):
                end()


def open_camera() -> Any:
    """Return the first camera, or raise CameraError that says what is missing."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise CameraError(f"the Pi camera needs picamera2, which is not installed here; {IMPORT_HELP}") from error
    except ValueError as error:  # its parts in C were made for another NumPy
        raise CameraError(
            f"picamera2 does not fit the NumPy {np.__version__} of this environment ({error}); "
            "remove NumPy from the virtual environment, so that the system's is used: pip uninstall numpy"
        ) from error
    try:
        return Picamera2()
    except (RuntimeError, IndexError, OSError) as error:
        raise CameraError(
            f"there is no Pi camera: {error}; is its ribbon cable in, and nothing else using it?"
        ) from error


def whole_view_mode(modes: Sequence[Mode], width: int) -> Mode:
    """Return the sensor's mode that sees the whole view, at 30 frames a second, with the fewest pixels for a width.

    A small picture asked for without a mode is cut from the middle of the sensor: of camera module 2, 39 % of the width.

    Raises
    ------
    ValueError
        The camera names no modes.
    """
    if not modes:
        raise ValueError("it names no sensor modes")
    widest = max(area(mode) for mode in modes)
    whole = [mode for mode in modes if area(mode) >= WHOLE_VIEW * widest]
    fast = [mode for mode in whole if mode["fps"] >= FPS] or [max(whole, key=lambda mode: float(mode["fps"]))]
    fine = [mode for mode in fast if mode["size"][0] >= width] or fast
    return min(fine, key=lambda mode: (mode["size"][0] * mode["size"][1], -mode["fps"]))


def area(mode: Mode) -> int:
    """Return how many of the sensor's pixels a mode looks at."""
    _, _, width, height = mode["crop_limits"]
    return int(width * height)


def even(pixels: float) -> int:
    """Return an even number of pixels: colours come in pairs."""
    return 2 * round(pixels / 2)
