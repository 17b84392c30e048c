"""A camera that is opened and read on a thread of its own: whoever waits for it can give up, and does after a deadline.

A driver or a network may block for ever inside a library that cannot be interrupted. The thread is then left behind, and
closes the camera should it ever come back.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from telstraat_device.cameras.frames import ClosingSource, Frame, FrameSource
from telstraat_device.errors import CameraError, SourceError

DEADLINE_S = 10.0
OPENING_S = 30.0
"""A camera in the network may take a while to answer at all; then a picture every `DEADLINE_S` is not too much to ask."""

LOOK_S = 0.2
QUEUE = 4  # pictures in memory between reading and counting
CLOSING_S = 2.0
BLOCKED_MAX = 3
"""So many threads may hang in a driver; then the camera is not opened again until they come back. Each costs memory."""

OpenSource = Callable[[], FrameSource]
_blocked: list[threading.Thread] = []


def blocked_readings() -> int:
    """Return how many threads that were given up still hang in a camera."""
    _blocked[:] = [thread for thread in _blocked if thread.is_alive()]
    return len(_blocked)


class ReadingThread:
    """Opens a source and reads it, into a short queue of: the source, its frames, then None or the error that ended it."""

    def __init__(self, open_source: OpenSource) -> None:
        self._open = open_source
        self.read: queue.Queue[FrameSource | Frame | BaseException | None] = queue.Queue(QUEUE)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it end, and close its source; wait a moment for that, no longer."""
        self._ending.set()
        self._thread.join(CLOSING_S)
        if self._thread.is_alive():
            _blocked.append(self._thread)

    def _run(self) -> None:
        try:
            source = self._open()
            try:
                self._put(source)
                for frame in source:
                    # The source may write its next frame over this one.
                    self._put(replace(frame, luma=frame.luma.copy()))
                    if self._ending.is_set():
                        return
                self._put(None)
            finally:
                source.close()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._put(error)

    def _put(self, item: FrameSource | Frame | BaseException | None) -> None:
        while not self._ending.is_set():
            try:
                self.read.put(item, timeout=LOOK_S)
            except queue.Full:
                continue
            return


class WatchedSource(ClosingSource):
    """A source that is given up when it is silent for too long, or when a stop is asked for.

    Parameters
    ----------
    open_source : callable
        Opens the camera.
    stopping : threading.Event
        Ends the frames when it is set.
    on_wait : callable
        Called several times a second while nothing comes.

    Raises
    ------
    SourceError
        What opening raised, or CameraError when it took longer than `opening_s`.
    """

    def __init__(
        self,
        open_source: OpenSource,
        stopping: threading.Event,
        on_wait: Callable[[], None],
        *,
        deadline_s: float = DEADLINE_S,
        opening_s: float = OPENING_S,
    ) -> None:
        self._stopping = stopping
        self._on_wait = on_wait
        self._deadline_s = deadline_s
        blocked = blocked_readings()
        if blocked >= BLOCKED_MAX:
            raise CameraError(
                f"the camera has blocked {blocked} times and not come back; unplug it, or start the board again"
            )
        self._reading = ReadingThread(open_source)
        try:
            opened = self._next(opening_s, f"the camera has not answered for {opening_s:g} s")
            if opened is None or isinstance(opened, Frame):
                raise CameraError("a stop was asked for while the camera was being opened")
        except SourceError:
            self._reading.end()
            raise
        self.name, self.width, self.height = opened.name, opened.width, opened.height
        self.fps, self.frames = opened.fps, opened.frames
        self._opened = opened

    @property
    def timed(self) -> bool:
        """Whether its frames carry true times."""
        return self._opened.timed

    def __iter__(self) -> Iterator[Frame]:
        silent = f"{self.name} has given no picture for {self._deadline_s:g} s; it is opened anew"
        while isinstance(frame := self._next(self._deadline_s, silent), Frame):
            yield frame

    def _next(self, wait_s: float, silent: str) -> FrameSource | Frame | None:
        """Return what comes next; None at the end, or when a stop is asked for."""
        end_s = time.monotonic() + wait_s
        while not self._stopping.is_set():
            try:
                item = self._reading.read.get(timeout=LOOK_S)
            except queue.Empty:
                self._on_wait()
                if time.monotonic() > end_s:
                    raise CameraError(silent) from None
                continue
            if isinstance(item, BaseException):
                raise item
            return item
        return None

    def close(self) -> None:
        """Let the camera go."""
        self._reading.end()
