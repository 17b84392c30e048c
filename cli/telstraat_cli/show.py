"""Draws what the counter saw over a film of one's own: boxes, tracks, line and counts. Never for a camera."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_cli.errors import CliError
from telstraat_device.counter import Counter
from telstraat_device.crossings import Crossing
from telstraat_device.frames import Frame, FrameSource
from telstraat_device.line import Segment
from telstraat_device.video import quiet_opencv

TAIL_FRAMES = 40
RED, GREEN, YELLOW, BLUE = (60, 60, 255), (80, 220, 80), (60, 220, 255), (255, 160, 60)


class Film:
    """A film with drawings; one frame is added for each frame that was counted."""

    def __init__(self, path: str, source: FrameSource, line: Segment) -> None:
        self._cv2 = quiet_opencv()
        if not Path(path).absolute().parent.is_dir():
            raise CliError(f"there is no folder for {path!r}; make it first")
        code = self._cv2.VideoWriter.fourcc(*"mp4v")
        self._writer: Any = self._cv2.VideoWriter(path, code, source.fps, (source.width, source.height))
        if not self._writer.isOpened():
            raise CliError(f"{path!r} cannot be written as a film; give a name that ends in .mp4")
        self._line = line
        self._tails: dict[int, deque[tuple[int, int]]] = {}
        self._sums = {"left_to_right": 0, "right_to_left": 0}
        self._last = ""

    def add(self, counter: Counter, frame: Frame, crossings: list[Crossing]) -> None:
        """Add a frame with what is known of it."""
        self._writer.write(self.drawn(counter, frame, crossings))

    def drawn(self, counter: Counter, frame: Frame, crossings: list[Crossing]) -> NDArray[np.uint8]:
        """Return the frame in colour with boxes, tracks, line and counts."""
        cv2 = self._cv2
        picture: NDArray[np.uint8] = cv2.cvtColor(frame.luma, cv2.COLOR_GRAY2BGR)
        boxes = counter.boxes()
        self._tails = {box.track: self._tails.get(box.track, deque(maxlen=TAIL_FRAMES)) for box in boxes}
        for box in boxes:
            tail = self._tails[box.track]
            tail.append((round(box.x), round(box.y)))
            left, top = round(box.x - box.w / 2), round(box.y - box.h / 2)
            colour = GREEN if box.counted else YELLOW if box.seen else BLUE
            cv2.rectangle(picture, (left, top), (round(box.x + box.w / 2), round(box.y + box.h / 2)), colour, 1)
            cv2.putText(picture, str(box.track), (left, top - 2), cv2.FONT_HERSHEY_PLAIN, 0.8, colour, 1)
            cv2.polylines(picture, [np.array(tail, np.int32)], False, colour, 1)  # noqa: FBT003 - OpenCV's own order
        (x1, y1), (x2, y2) = self._line
        cv2.line(picture, (round(x1), round(y1)), (round(x2), round(y2)), RED, 2)
        cv2.circle(picture, (round(x1), round(y1)), 4, RED, -1)
        for crossing in crossings:
            self._sums[crossing.direction] += 1
            self._last = f"{crossing.t_s:.2f} {crossing.class_name} {crossing.direction}"
        words = f"{frame.t_s:.2f} s  lr {self._sums['left_to_right']}  rl {self._sums['right_to_left']}  {self._last}"
        cv2.putText(picture, words, (6, 14), cv2.FONT_HERSHEY_PLAIN, 1.0, (0, 0, 0), 3)
        cv2.putText(picture, words, (6, 14), cv2.FONT_HERSHEY_PLAIN, 1.0, (255, 255, 255), 1)
        return picture

    def close(self) -> None:
        """Finish the film."""
        self._writer.release()
