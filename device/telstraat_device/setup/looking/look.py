"""Looking through the camera while somebody aims or tests: a thread reads frames, the real counting core counts them.

One frame is held, in memory, until the next one comes; nothing of it is written. When the look ends the camera is free.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from telstraat_device.cameras.frames import Frame, FrameSource, Luma
from telstraat_device.cameras.turned import Turning
from telstraat_device.cameras.watched import WatchedSource
from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.errors import DeviceError
from telstraat_device.setup.progress import AimedView, Shares

CROSSINGS_MAX = 50
JOIN_S = 5.0
REOPEN_S = 2.0
ANY_LINE: Shares = (0.5, 0.05, 0.5, 0.95)
"""What is tracked needs a line before somebody has drawn one."""
log = logging.getLogger(__name__)

OpenCamera = Callable[[], FrameSource]


@dataclass(frozen=True, slots=True)
class TrackedShare:
    """Where something tracked is, in shares of the turned picture; for drawing only."""

    x: float
    y: float
    w: float
    h: float


class Look:
    """A camera that is being looked through."""

    def __init__(self, open_camera: OpenCamera, view: AimedView) -> None:
        self._open_camera = open_camera
        self._view, self._turning = view, turning_of(view)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._luma: Luma | None = None
        self._boxes: tuple[TrackedShare, ...] = ()
        self._crossings: deque[Crossing] = deque(maxlen=CROSSINGS_MAX)
        self._crossings_count = 0
        self._counter: Counter | None = None
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="looking", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """What is wrong with the camera; empty when nothing is."""
        with self._lock:
            return self._trouble

    def turn_to(self, view: AimedView) -> None:
        """Look with another rotation, line or masks from the next frame on."""
        with self._lock:
            self._view, self._turning, self._counter = view, turning_of(view), None
            self._boxes = ()
            self._crossings.clear()
            self._crossings_count = 0

    def picture(self) -> tuple[Luma | None, tuple[TrackedShare, ...]]:
        """Return the newest frame, turned, and what is tracked in it."""
        with self._lock:
            return self._luma, self._boxes

    def crossings(self) -> tuple[int, list[Crossing]]:
        """Return how many crossings there were, and the latest of them, the newest first."""
        with self._lock:
            return self._crossings_count, list(reversed(self._crossings))

    def end(self) -> None:
        """Stop looking: the camera is free and no frame is held any more."""
        self._ending.set()
        if self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)
        with self._lock:
            self._luma, self._counter, self._boxes = None, None, ()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._watch_source(WatchedSource(self._open_camera, self._ending, lambda: None))
            except DeviceError as error:
                self._note(str(error))
            self._ending.wait(REOPEN_S)

    def _watch_source(self, source: FrameSource) -> None:
        try:
            for frame in source:
                if self._ending.is_set():
                    return
                self._take(frame)
        finally:
            source.close()

    def _take(self, frame: Frame) -> None:
        """Turn a frame, count it, and hold it in the place of the one before."""
        with self._lock:
            view, turning, counter = self._view, self._turning, self._counter
        turned = turning.apply(frame.luma)
        height, width = turned.shape
        if counter is None or (counter.width, counter.height) != (width, height):
            counter = counter_for(view, width, height)
        crossings = counter.process(turned, frame.t_s)
        boxes = tuple(
            TrackedShare(box.x / width, box.y / height, box.w / width, box.h / height)
            for box in counter.boxes()
            if box.seen
        )
        with self._lock:
            if self._ending.is_set() or view is not self._view:
                return  # turned meanwhile: this frame is of a view that is gone
            self._luma, self._boxes, self._counter, self._trouble = turned, boxes, counter, ""
            self._crossings.extend(crossings)
            self._crossings_count += len(crossings)

    def _note(self, trouble: str) -> None:
        with self._lock:
            if trouble != self._trouble:
                log.warning("%s", trouble)
            self._trouble = trouble


def turning_of(view: AimedView) -> Turning:
    """Return how frames are turned and blanked for a view."""
    return Turning(view.rotation, view.masks)


def counter_for(view: AimedView, width: int, height: int) -> Counter:
    """Return the counting core for a view."""
    x1, y1, x2, y2 = view.line or ANY_LINE
    return Counter(width, height, ((x1 * width, y1 * height), (x2 * width, y2 * height)))
