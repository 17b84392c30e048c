r"""How the ground lies under the picture, for a grid of cameras that it could be, and what boxes bodies show there.

      camera o                 p   pitch, down from the horizontal         picture   ----- horizon row, f tan p above the middle
             |\ ⟍  φ           φ   steepness of the ray to a place                     |
        H    | \    ⟍              below the horizontal                                |  pixels per metre grow with the
             |  \      ⟍                                                               |  distance of a row from the horizon
      _______|___\________⟍__ ground                                                   x  foot of the box

All follows from two numbers, pixels per metre and steepness at the line, and the focal length of a usual lens. A box is
seen from its foot (its lower edge, the corner nearest to the camera) to its far upper edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.bodies import BodyPriors

Grid = NDArray[np.float64]  # (scales, angles), or (scales, angles, bodies)

FOCAL = 0.83  # focal length over width: 62 degrees across, as the camera modules of a Pi have
PITCH_MIN, PITCH_MAX = -0.6, 1.5
STEEP_MIN = math.radians(3.0)
NEARER_MIN, NEARER_MAX = 0.3, 3.0
HORIZON_NEAR = 0.05  # focal lengths: nothing stands nearer to the horizon
TO_SIDE = 0.25  # of its breadth: what is seen to move is nearer to the side that faces the camera than to the middle
ROOF = 0.35  # a car's far end is low: its roof ends after so much of its length, seen at a slant
ROOF_BREADTH = 0.85
ROUNDED_M = 0.25  # radius of bodywork's corners, seen from above


@dataclass(frozen=True, slots=True)
class GroundPoint:
    """Where something stands and heads to, for every camera of the grid; (scales, angles) or broadcast to it.

    Attributes
    ----------
    px_per_m, below_px, steep, pitch : arrays
        Scale at its foot, rows from the horizon to its foot, angle of the ray to its foot, pitch of the camera.
    across_ms, away_ms, hx, hy : arrays
        Its speed across the view and away from the camera, and their shares.
    along, beside : arrays
        How much of its length, of its breadth, lies across the line of sight.
    """

    px_per_m: Grid
    below_px: Grid
    steep: Grid
    pitch: Grid
    across_ms: Grid
    away_ms: Grid
    hx: Grid
    hy: Grid
    along: Grid
    beside: Grid


class Perspective:
    """A grid of cameras: pixels per metre (rows) and steepness (columns) at a row of the picture.

    Parameters
    ----------
    scales : (scales,) pixels per metre of the ground in row `line_y`.
    angles : (angles,) radians below the horizontal of the ray to it.
    width, height : working size in pixels.
    """

    def __init__(self, scales: Grid, angles: Grid, width: int, height: int, line_y: float) -> None:
        self.scales, self.angles = scales, angles
        self.focal_px = FOCAL * width
        self._middle = width / 2, height / 2
        self._pitch = np.clip(angles - math.atan((line_y - height / 2) / self.focal_px), PITCH_MIN, PITCH_MAX)
        self._horizon_y = height / 2 - self.focal_px * np.tan(self._pitch)
        self._line_y = line_y

    def point(self, x: float, foot: float, vx: float, v_foot: float) -> GroundPoint:
        """Put a foot at (x, foot) that moves by (vx, v_foot) pixels a second on the ground of every camera."""
        f, (cx, cy) = self.focal_px, self._middle
        off_axis = math.atan((foot - cy) / f)
        nearer = (foot - self._horizon_y) / (self._line_y - self._horizon_y)
        px_per_m = self.scales[:, None] * np.clip(nearer, NEARER_MIN, NEARER_MAX)
        below = np.maximum(foot - self._horizon_y, HORIZON_NEAR * f)
        steep = np.maximum(self._pitch + off_axis, STEEP_MIN)
        across_ms = (vx - (x - cx) * v_foot / below) / px_per_m
        across_ms = np.where(np.abs(across_ms) < 1e-3, 1e-3, across_ms)  # what stands has some direction, too
        away_ms = -v_foot * math.cos(off_axis) / (px_per_m * np.sin(steep))
        speed = np.hypot(across_ms, away_ms)
        hx, hy = across_ms / speed, away_ms / speed
        aside = (x - cx) / f * np.cos(self._pitch)
        return GroundPoint(
            px_per_m,
            below,
            steep,
            self._pitch,
            across_ms,
            away_ms,
            np.abs(hx),
            np.abs(hy),
            np.abs(hx - aside * hy),
            np.abs(hy + aside * hx),
        )

    def boxes(self, point: GroundPoint, bodies: BodyPriors) -> tuple[Grid, Grid, Grid]:
        """Return width and height in pixels, and speed in m/s, of every body there: (scales, angles, bodies)."""
        f = self.focal_px
        hx, hy, near = point.hx[..., None], point.hy[..., None], point.px_per_m[..., None]
        cos, sin = np.cos(point.pitch)[None, :, None], np.sin(point.pitch)[None, :, None]
        depth_m = f / near  # from the camera to the foot, along its axis
        to_middle_m = 0.5 * bodies.long_m * hy + TO_SIDE * bodies.broad_m * hx
        middle = near * depth_m / (depth_m + to_middle_m * cos)
        along, beside = point.along[..., None], point.beside[..., None]
        rounded_m = np.where(bodies.motor, 2 * ROUNDED_M, 0.0) * np.maximum(0.0, along + beside - 1.0)
        wide = middle * (bodies.long_m * along + bodies.broad_m * beside - rounded_m)
        to_top_m = np.where(bodies.car, ROOF, 1.0) * bodies.long_m * hy + ROOF_BREADTH * bodies.broad_m * hx
        camera_m = point.below_px[None, :, None] * cos / near
        farther = depth_m / np.maximum(depth_m + to_top_m * cos - bodies.tall_m * sin, 0.2 * depth_m)
        high = point.below_px[None, :, None] * (1.0 - farther * (1.0 - bodies.tall_m / np.maximum(camera_m, 0.1)))
        speed = np.hypot(point.across_ms[..., None] * near / middle, point.away_ms[..., None])
        return wide, np.maximum(high, 1.0), speed
