"""The usual way to count with OpenCV, as a peer: MOG2, open, close, contours, a Hungarian tracker, a line.

One setting for all films, chosen before they were counted: MOG2 with its shadow test on the frame as it comes, a track
is confirmed after three frames and lives a second without being found, the class is told by the box of its largest frame
against the picture and the other boxes, as tutorials do it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from telstraat_device.cameras.frames import Luma
from telstraat_device.counting.crossings.crossing import ClassName, Crossing, Direction

Line = tuple[tuple[float, float], tuple[float, float]]

AREA_MIN = 0.0012  # of the picture
LOST_S = 1.0
CONFIRM_FRAMES = 3
REACH = 1.2  # box diagonals between a prediction and the blob that may be it
WARM_S = 1.0
TALL = 1.5  # height over width of somebody on foot
LARGE = 3.0  # times the usual box: a lorry
SMALL = 0.35


@dataclass(slots=True)
class Track:
    x: float
    y: float
    w: float
    h: float
    side: float
    vx: float = 0.0
    vy: float = 0.0
    seen: int = 1
    missed_s: float = 0.0
    counted: float = 0.0
    areas: list[float] = field(default_factory=list)


class PeerCounter:
    """Counts like a well-made tutorial; the same calls as the product's counter."""

    def __init__(self, width: int, height: int, line: Line) -> None:
        self.line = line
        self._area_min = AREA_MIN * width * height
        self._mog: Any = cv2.createBackgroundSubtractorMOG2(history=500, varThreshold=16, detectShadows=True)
        self._open = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
        self._close = cv2.getStructuringElement(cv2.MORPH_RECT, (7, 7))
        self._tracks: list[Track] = []
        self._last_s: float | None = None
        self._usual: list[float] = []

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        mask = self._mog.apply(luma)
        mask = cv2.threshold(mask, 200, 255, cv2.THRESH_BINARY)[1]
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._open)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._close)
        contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        boxes = [cv2.boundingRect(contour) for contour in contours if cv2.contourArea(contour) >= self._area_min]
        dt_s = 0.04 if self._last_s is None else max(1e-3, t_s - self._last_s)
        self._last_s = t_s
        self._follow([(x + w / 2, y + h / 2, float(w), float(h)) for x, y, w, h in boxes], dt_s)
        crossings = [crossing for track in self._tracks if (crossing := self._crossing(track, t_s))]
        return crossings if t_s >= WARM_S else []

    def finish(self) -> list[Crossing]:
        return []

    def _follow(self, boxes: list[tuple[float, float, float, float]], dt_s: float) -> None:
        tracks = self._tracks
        for track in tracks:
            track.x += track.vx * dt_s
            track.y += track.vy * dt_s
        taken: set[int] = set()
        if tracks and boxes:
            costs = np.array([[np.hypot(t.x - b[0], t.y - b[1]) / np.hypot(t.w, t.h) for b in boxes] for t in tracks])
            for i, j in zip(*linear_sum_assignment(costs), strict=True):
                if costs[i, j] <= REACH:
                    self._found(tracks[i], boxes[j], dt_s)
                    taken.add(int(j))
        for track in tracks:
            track.missed_s += dt_s
        self._tracks = [track for track in tracks if track.missed_s <= LOST_S]
        self._tracks += [Track(*box, side=self._side(box[0], box[1])) for j, box in enumerate(boxes) if j not in taken]

    @staticmethod
    def _found(track: Track, box: tuple[float, float, float, float], dt_s: float) -> None:
        x, y, w, h = box
        gap_s = dt_s + track.missed_s
        gain = 0.5 if track.seen > 1 else 1.0
        track.vx += gain * (x - track.x) / gap_s
        track.vy += gain * (y - track.y) / gap_s
        track.x, track.y, track.w, track.h = x, y, w, h
        track.seen += 1
        track.missed_s = -dt_s
        track.areas.append(w * h)

    def _side(self, x: float, y: float) -> float:
        (x1, y1), (x2, y2) = self.line
        return 1.0 if (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0 else -1.0

    def _crossing(self, track: Track, t_s: float) -> Crossing | None:
        (x1, y1), (x2, y2) = self.line
        side = self._side(track.x, track.y)
        if side == track.side or track.seen < CONFIRM_FRAMES or track.missed_s > 0:
            return None
        track.side = side
        along = ((track.x - x1) * (x2 - x1) + (track.y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
        if not 0.0 <= along <= 1.0 or track.counted == side:
            return None
        track.counted = side
        direction: Direction = "left_to_right" if side > 0 else "right_to_left"
        return Crossing(round(t_s, 3), self._class(track), direction, 0.5)

    def _class(self, track: Track) -> ClassName:
        area = track.w * track.h
        usual = float(np.median(self._usual)) if len(self._usual) >= 5 else area
        self._usual.append(area)
        if track.h > TALL * track.w:
            return "pedestrian"
        if area > LARGE * usual:
            return "heavy"
        return "bicycle" if area < SMALL * usual else "car"
