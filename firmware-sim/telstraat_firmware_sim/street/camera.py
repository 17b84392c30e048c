r"""A pinhole camera behind a first-floor window: which pixel shows which place of the street.

World axes in metres: x along the street (to the right when one looks straight out), y away from the window, z up;
the camera stands at (0, 0, height).

        y (away)                 seen from above          seen from the side
        |   / optical axis                                    camera o_
        |  /                                                         | \_  pitch below
        |_/ yaw to the right                                height   |   \   the horizon
        o------ x (right)                                   _________|____\___ y
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.4  # nothing closer than this is drawn


@dataclass(frozen=True, slots=True)
class Camera:
    """One fixed view: image size in pixels, height in metres, angles in degrees."""

    width: int
    height: int
    height_m: float
    yaw_deg: float
    pitch_deg: float
    fov_deg: float

    @property
    def focal_px(self) -> float:
        """Give the focal length; pixels are square and the field of view is the horizontal one."""
        return 0.5 * self.width / tan(radians(self.fov_deg) / 2)

    def packed(self) -> NDArray[np.float64]:
        """Pack for the kernels: position(3), right(3), down(3), forward(3), focal_px, centre_x_px, centre_y_px."""
        return _packed(self)

    def project(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give (..., 3) = x_px, y_px, depth_m of (..., 3) world points; depth <= 0 lies behind the camera."""
        cam = self.packed()
        rel = np.asarray(points_m, dtype=np.float64) - cam[0:3]
        depth = rel @ cam[9:12]
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        x_px = cam[13] + cam[12] * (rel @ cam[3:6]) / safe
        y_px = cam[14] + cam[12] * (rel @ cam[6:9]) / safe
        return np.stack([x_px, y_px, depth], axis=-1)

    def rays(self, x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give (..., 3) world directions of pixels, with length 1 along the optical axis."""
        cam = self.packed()
        across = (x_px - cam[13]) / cam[12]
        below = (y_px - cam[14]) / cam[12]
        return np.asarray(across[..., None] * cam[3:6] + below[..., None] * cam[6:9] + cam[9:12])


@lru_cache(maxsize=256)
def _packed(camera: Camera) -> NDArray[np.float64]:
    yaw, pitch = radians(camera.yaw_deg), radians(camera.pitch_deg)
    forward = np.array([sin(yaw) * cos(pitch), cos(yaw) * cos(pitch), -sin(pitch)])
    right = np.array([cos(yaw), -sin(yaw), 0.0])
    down = np.cross(forward, right)
    lens = [camera.focal_px, camera.width / 2, camera.height / 2]
    packed = np.concatenate([[0.0, 0.0, camera.height_m], right, down, forward, lens])
    packed.flags.writeable = False
    return packed
