"""Three ways from pixels to crossings, with one tracker: ours, MOG2 as most do it, and the cheapest that is sensible.

Each is made with `pipeline(name, width, height, line)` and called with a frame and its time. Run as a program it counts
the first frames of a stored film and nothing else: that is what valgrind looks at.

    python -m bench.core.pipelines ours|mog2|difference FILM.npy FRAMES
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from bench.core.counting_process import peak_kb
from numpy.typing import NDArray

from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.line import Segment, checked_line
from telstraat_device.counting.foreground.blobs import BLOB, MAX_BLOBS
from telstraat_device.counting.tracking.tracker import Tracker
from telstraat_device.native.kernel import address

FPS = 25.0
Pipeline = Callable[[NDArray[np.uint8], float], int]
NAMES = ("ours", "mog2", "difference")
SHARE_MIN = 0.00025  # of the picture: the smallest blob, as in ours
MOVING_SHARE = 0.5  # of a peer's blob, which does not say how many of its pixels changed


class Peer:
    """OpenCV's stages before our tracker: a mask, open 3x3, close 5x5, contours and their boxes."""

    def __init__(self, name: str, width: int, height: int, line: Segment) -> None:
        import cv2

        cv2.setNumThreads(1)
        self.cv2: Any = cv2
        self.tracker = Tracker(checked_line(line, width, height), 1, width, height)
        self.blobs: NDArray[Any] = np.zeros(MAX_BLOBS, BLOB)
        self.small = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
        self.large = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))
        self.area_min = SHARE_MIN * width * height
        self.before: NDArray[np.uint8] | None = None
        self.mog2: Any = cv2.createBackgroundSubtractorMOG2(history=300, detectShadows=True) if name == "mog2" else None
        self.mean: Any = None

    def mask(self, luma: NDArray[np.uint8]) -> Any:
        cv2 = self.cv2
        if self.mog2 is not None:
            return cv2.threshold(self.mog2.apply(luma), 200, 255, cv2.THRESH_BINARY)[1]
        if self.mean is None:
            self.mean = luma.astype(np.float32)
        away = cv2.absdiff(luma, cv2.convertScaleAbs(self.mean))
        cv2.accumulateWeighted(luma, self.mean, 0.02)
        return cv2.threshold(away, 20, 255, cv2.THRESH_BINARY)[1]

    def __call__(self, luma: NDArray[np.uint8], t_s: float) -> int:
        cv2 = self.cv2
        clean = cv2.morphologyEx(self.mask(luma), cv2.MORPH_OPEN, self.small)
        clean = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, self.large)
        count = 0
        for contour in cv2.findContours(clean, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
            area = cv2.contourArea(contour)
            if area >= self.area_min and count < MAX_BLOBS:
                x, y, w, h = cv2.boundingRect(contour)
                box = x, y, x + w, y + h
                self.blobs[count] = (*box, area, MOVING_SHARE, *box, area)
                count += 1
        flat = luma.ravel()
        before = self.before if self.before is not None else flat
        pictures = address(before), address(flat)
        events = self.tracker.update(address(self.blobs), count, pictures, t_s, 1 / FPS, "day")
        self.before = flat
        return events


def pipeline(name: str, width: int, height: int, line: Segment) -> Pipeline:
    """Make one of NAMES for frames of this size."""
    if name != "ours":
        return Peer(name, width, height, line)
    counter = Counter(width, height, line)
    return lambda luma, t_s: len(counter.process(luma, t_s))


def upright(width: int, height: int) -> Segment:
    """Return a counting line in the middle of the picture, drawn downwards."""
    return (width / 2, height * 0.3), (width / 2, height * 0.85)


def main() -> int:
    # a film that can be written to in memory, as frames of a camera can
    name, film, frames = sys.argv[1], np.load(sys.argv[2], mmap_mode="c"), int(sys.argv[3])
    height, width = film.shape[1:]
    count = pipeline(name, width, height, upright(width, height))
    crossings, first_s = 0, 0.0
    for number in range(frames):
        crossings += count(np.asarray(film[number]), number / FPS)
        if number == 0:
            first_s = time.process_time()
    print(
        json.dumps({"crossings": crossings, "first_frame_cpu_s": round(first_s, 2), "rss_mb": round(peak_kb() / 1024)})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
