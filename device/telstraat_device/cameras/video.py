"""Opens what a person calls a source: a video file, a camera or an RTSP address, read through OpenCV.

A file's clock is its frame number over its frame rate; a camera's clock is the monotonic clock at capture.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from telstraat_device.cameras.frames import ClosingSource, Frame, FrameSource, Luma
from telstraat_device.errors import CameraError, NoFileError, NotVideoError

FPS_UNKNOWN = 25.0  # some cameras and streams tell no rate
FAILED_READS_MAX = 50  # a camera that hands out nothing so often in a row is gone
RETRY_S = 0.02
ADDRESS = re.compile(r"^(rtsps?|https?|udp|rtmp)://", re.IGNORECASE)
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

        return PiCamera(width or 640, height or 480)
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
        self.fps = fps if 1.0 <= fps <= 1000.0 else FPS_UNKNOWN
        frames = int(self._capture.get(self._cv2.CAP_PROP_FRAME_COUNT))
        self.frames: int | None = frames if frames > 0 else None

    def __iter__(self) -> Iterator[Frame]:
        number, picture = 0, self._first
        while True:
            yield Frame(luma_of(self._cv2, picture), number / self.fps)
            read, picture = self._capture.read()
            if not read:
                return
            number += 1

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


class LiveVideo(ClosingSource):
    """A camera or a stream, read as it comes."""

    def __init__(self, text: str, width: int | None, height: int | None) -> None:
        self._cv2 = cv2 = quiet_opencv()
        camera = CAMERA.match(text)
        self.name = f"camera {camera[1]}" if camera else re.sub(r"//[^@/]*@", "//", text)
        self._capture = cv2.VideoCapture(int(camera[1]) if camera else text)
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

    def __iter__(self) -> Iterator[Frame]:
        start_s, failed = time.monotonic(), 0
        while failed < FAILED_READS_MAX:
            read, picture = self._capture.read()
            at_s = time.monotonic() - start_s
            if read and picture.shape[:2] == (self.height, self.width):
                failed = 0
                yield Frame(luma_of(self._cv2, picture), at_s)
            else:
                failed += 1
                time.sleep(RETRY_S)
        raise CameraError(f"{self.name} stopped giving pictures; is it still plugged in and reachable?")

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()
