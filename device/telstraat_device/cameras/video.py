"""Opens what a person calls a source: a video file, a camera or an RTSP address, read through OpenCV.

The time of a frame is what the camera or the file wrote on it; where that is nothing, see `stream_clock`.
"""

from __future__ import annotations

import logging
import math
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from telstraat_device.cameras.frames import ClosingSource, Frame, FrameSource, Luma
from telstraat_device.cameras.stream_clock import FileClock, StreamClock
from telstraat_device.errors import CameraError, NoFileError, NotVideoError

FPS_UNKNOWN = 25.0  # some cameras and streams tell no rate
FAILED_READS_MAX = 50  # a camera that hands out nothing so often in a row is gone
RETRY_S = 0.02
STREAM_WAIT_MS = 9_000  # below the deadline for a picture, so that a silent stream's thread ends, too
ADDRESS = re.compile(r"^(rtsps?|https?|udp|rtmp)://", re.IGNORECASE)
log = logging.getLogger(__name__)
CAMERA = re.compile(r"^(?:/dev/video)?(\d{1,3})$")


def is_live(text: str) -> bool:
    """Return whether a source is a camera or a stream: its pictures are of now and must never be stored."""
    return bool(ADDRESS.match(text) or CAMERA.match(text) or text == "picamera")


def open_source(text: str, *, width: int | None = None, height: int | None = None) -> FrameSource:
    """Open a file, a camera (`0`, `/dev/video0`, `picamera`) or an address (`rtsp://…`) as a source of frames.

    `width` and `height` ask a camera for a size; it may answer with another.
    """
    if text == "picamera":
        from telstraat_device.cameras.picamera import PiCamera

        return PiCamera(width or 640)
    if is_live(text):
        return LiveVideo(text, width, height)
    return VideoFile(text)


def quiet_opencv() -> Any:
    """Import OpenCV with its own complaints off: ours say what to do."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def luma_of(cv2: Any, picture: Any) -> Luma:
    """Return the brightness of a decoded picture, whatever its channels."""
    if picture.ndim == 2:
        return np.ascontiguousarray(picture, dtype=np.uint8)
    luma: Luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return luma


def stamp_of(cv2: Any, capture: Any) -> float:
    """Return when the picture that was read last was taken, in seconds, as its stream says; NaN where it says nothing.

    OpenCV gives the presentation time of a file or stream, and the driver's time of a camera's buffer.
    """
    stamp_ms = float(capture.get(cv2.CAP_PROP_POS_MSEC))
    return stamp_ms / 1000.0 if math.isfinite(stamp_ms) and stamp_ms >= 0 else math.nan


class VideoFile(ClosingSource):
    """A video file, read from its beginning to its end."""

    def __init__(self, path: str) -> None:
        file = Path(path)
        if not file.exists():
            raise NoFileError(f"there is no file {path!r}; give a video file, a camera number or an rtsp:// address")
        if not file.is_file() or not os.access(file, os.R_OK):
            raise NoFileError(f"{path!r} is not a file that can be read; give a video file")
        self._cv2 = quiet_opencv()
        self._capture = self._cv2.VideoCapture(str(file))
        read, first = self._capture.read() if self._capture.isOpened() else (False, None)
        if not read or first is None:
            self._capture.release()
            raise NotVideoError(
                f"{path!r} is not a video that can be decoded; try to play it, or convert it to H.264 MP4"
            )
        self._first: Any = first
        self.name = file.name
        self.height, self.width = first.shape[:2]
        fps = float(self._capture.get(self._cv2.CAP_PROP_FPS))
        has_rate = 1.0 <= fps <= 1000.0
        self.fps = fps if has_rate else FPS_UNKNOWN
        self._clock = FileClock(fps if has_rate else None, FPS_UNKNOWN)
        frames = int(self._capture.get(self._cv2.CAP_PROP_FRAME_COUNT))
        self.frames: int | None = frames if frames > 0 else None

    @property
    def timed(self) -> bool:
        """Whether the file says when its frames were taken, or how many there are in a second."""
        return self._clock.timed

    def __iter__(self) -> Iterator[Frame]:
        picture = self._first
        while True:
            yield Frame(luma_of(self._cv2, picture), self._clock.time(stamp_of(self._cv2, self._capture)))
            read, picture = self._capture.read()
            if not read:
                return

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def open_stream(cv2: Any, address: str) -> Any:
    """Open an address; one that does not answer, or stops in the middle, ends with an error and not never."""
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_WAIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_WAIT_MS]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


class LiveVideo(ClosingSource):
    """A camera or a stream, read as it comes."""

    def __init__(self, text: str, width: int | None, height: int | None) -> None:
        self._cv2 = cv2 = quiet_opencv()
        camera = CAMERA.match(text)
        self.name = f"camera {camera[1]}" if camera else re.sub(r"//[^@/]*@", "//", text)
        self._capture = cv2.VideoCapture(int(camera[1])) if camera else open_stream(cv2, text)
        if self._capture.isOpened() and camera and width and height:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        read, first = self._capture.read() if self._capture.isOpened() else (False, None)
        if not read or first is None:
            self._capture.release()
            what = "is it plugged in, and used by nothing else?" if camera else "is the address right, and reachable?"
            raise CameraError(f"{self.name} gives no picture; {what}")
        self.height, self.width = first.shape[:2]
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 1.0 <= fps <= 240.0 else FPS_UNKNOWN
        self.frames: int | None = None
        self._clock = StreamClock(self.fps)

    @property
    def timed(self) -> bool:
        """Whether the camera says when its pictures were taken, and has kept pace with the clock since it was opened."""
        return self._clock.proven

    def __iter__(self) -> Iterator[Frame]:
        failed, is_judged = 0, False
        while failed < FAILED_READS_MAX:
            read, picture = self._capture.read()
            if read and picture.shape[:2] != (self.height, self.width):
                height, width = picture.shape[:2]
                raise CameraError(
                    f"{self.name} changed its picture from {self.width} x {self.height} to {width} x {height}; it is opened anew"
                )
            if read:
                failed = 0
                t_s = self._clock.time(stamp_of(self._cv2, self._capture), time.monotonic())
                if not is_judged and (jitter_s := self._clock.regular.jitter_s) is not None:
                    is_judged = True
                    log.warning(
                        "%s has no times of its own; its pictures come %.0f ms too early or late",
                        self.name,
                        1000 * jitter_s,
                    )
                if t_s is not None:
                    yield Frame(luma_of(self._cv2, picture), t_s)
            else:
                failed += 1
                time.sleep(RETRY_S)
        raise CameraError(f"{self.name} stopped giving pictures; is it still plugged in and reachable?")

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()
