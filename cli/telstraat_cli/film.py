"""Draws what the counter saw over a film of one's own: boxes, tracks, line and counts. Never for a camera."""

from __future__ import annotations

from collections import Counter as Counts
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_cli.errors import CliError
from telstraat_device.cameras.frames import Frame, FrameSource
from telstraat_device.cameras.video import quiet_opencv
from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.crossing import CLASSES, Crossing
from telstraat_device.counting.crossings.line import Segment

TAIL_FRAMES = 40
FRESH_S = 1.5  # so long a crossing stays marked
RED, GREEN, YELLOW, BLUE = (60, 60, 255), (80, 220, 80), (60, 220, 255), (255, 160, 60)
WHITE, GREY = (255, 255, 255), (170, 170, 170)
ROW_PX, BAND_ROWS = 18, 3  # the band over the picture: what was counted, what crossed last, what the colours say
ARROWS = {"left_to_right": "l>r", "right_to_left": "r>l"}
LEGEND = "blue: new   yellow: may be counted   green: counted   red dot: first end of the line"


class Film:
    """A film with drawings; one frame is added for each frame that was counted."""

    def __init__(self, path: str, source: FrameSource, line: Segment) -> None:
        self._cv2 = quiet_opencv()
        if not Path(path).absolute().parent.is_dir():
            raise CliError(f"there is no folder for {path!r}; make it first")
        code = self._cv2.VideoWriter.fourcc(*"mp4v")
        size = (source.width, source.height + BAND_ROWS * ROW_PX)
        self._writer: Any = self._cv2.VideoWriter(path, code, source.fps, size)
        if not self._writer.isOpened():
            raise CliError(f"{path!r} cannot be written as a film; give a name that ends in .mp4")
        self._line = line
        self._tails: dict[int, deque[tuple[int, int]]] = {}
        self._sums: Counts[tuple[str, str]] = Counts()
        self._last: deque[Crossing] = deque(maxlen=3)

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
        for crossing in crossings:
            self._sums[crossing.class_name, crossing.direction] += 1
            self._last.appendleft(crossing)
        fresh = any(frame.t_s - crossing.t_s < FRESH_S for crossing in self._last)
        (x1, y1), (x2, y2) = self._line
        cv2.line(picture, (round(x1), round(y1)), (round(x2), round(y2)), GREEN if fresh else RED, 2)
        cv2.circle(picture, (round(x1), round(y1)), 4, RED, -1)
        return np.vstack([self._band(picture.shape[1], frame.t_s), picture])

    def _band(self, width: int, t_s: float) -> NDArray[np.uint8]:
        """Return the rows of text over the picture, so that nothing of the street is hidden."""
        band = np.zeros((BAND_ROWS * ROW_PX, width, 3), np.uint8)
        sums = [
            f"{name} {self._sums[name, 'left_to_right']}/{self._sums[name, 'right_to_left']}"
            for name in CLASSES
            if self._sums[name, "left_to_right"] or self._sums[name, "right_to_left"]
        ]
        counted = "   ".join(sums) or "nothing yet"
        last = "   ".join(
            f"{crossing.class_name} {ARROWS[crossing.direction]} at {crossing.t_s:.1f} ({crossing.confidence:.0%})"
            for crossing in self._last
        )
        rows = ((f"{t_s:6.1f} s   {counted}", WHITE), (f"last: {last}" if last else "", WHITE), (LEGEND, GREY))
        for number, (words, colour) in enumerate(rows):
            place = (6, number * ROW_PX + 13)
            self._cv2.putText(band, words, place, self._cv2.FONT_HERSHEY_PLAIN, 0.9, colour, 1, self._cv2.LINE_AA)
        return band

    def close(self) -> None:
        """Finish the film."""
        self._writer.release()
