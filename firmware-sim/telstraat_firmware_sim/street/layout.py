"""Where things lie across the street, how far along it the picture reaches, and the default counting line.

y (away from the window)
houses     ─────────────────────────────── facade_y
garden
pavement   ················· p2 ··········  far_kerb_y
parked     [ ]   [ ]         |
bicycles   ──────────────────┼──────────── right_to_left
far lane   ◄─────────────────┼────────────
── axis ─────────────────────┼────────────
near lane  ──────────────────┼───────────►
bicycles   ──────────────────┼──────────── left_to_right
pavement   ················· p1 ··········  near_kerb_y
o window
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, degrees

import numpy as np
from numpy.typing import NDArray

from telstraat_firmware_sim.errors import SceneError
from telstraat_firmware_sim.street.camera import NEAR_M, Camera
from telstraat_firmware_sim.street.settings import Road, StreetSettings, View

PARKED_STRIP_M = 2.1
LINE_HEIGHT_M = 0.8  # the middle of most road users; the line is drawn where middles pass
RANGE_MAX_M = 80.0  # farther along the street nothing is drawn
OUTSIDE_M = 9.0  # traffic begins and ends this far outside of the picture, half a lorry
MARGIN = 0.015  # of the picture's height, below the near pavement
SKY_MAX = 0.10  # of the picture's height above the horizon: nobody who wants to count films the sky
NEAR_PAVEMENT_MIN_M = 1.5
KERB_ROOM_M = 0.5  # bicycles keep it from the kerb where they have no strip of their own

Segment = tuple[tuple[float, float], tuple[float, float]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StreetLayout:
    """Distances from the window in metres, and places along the street."""

    camera: Camera
    axis_y: float
    near_lane_y: float
    far_lane_y: float
    near_bike_y: float
    far_bike_y: float
    near_kerb_y: float
    far_kerb_y: float
    near_pavement_y: float
    far_pavement_y: float
    facade_y: float
    line_x: float
    from_x: float
    to_x: float
    line: Segment
    line_normal: tuple[float, float, float]

    def side(self, xs: Floats, ys: Floats, z: float) -> Floats:
        """Tell on which side of the line points are seen: negative on the left-hand side, as `line` is drawn.

        The line and the camera span a plane, so this is a distance in space, and linear along a straight way.
        """
        across, away, up = self.line_normal
        return np.asarray(across * xs + away * ys + up * (z - self.camera.height_m))


def lay_out(settings: StreetSettings) -> StreetLayout:
    """Place everything, point the camera and draw the default line across the whole street."""
    view, road = settings.view, settings.road
    near_strip = PARKED_STRIP_M if road.parked_near else 0.0
    far_strip = PARKED_STRIP_M if road.parked_far else 0.0
    near_kerb = view.axis_m - road.lane_m - road.bike_m - near_strip
    far_kerb = view.axis_m + road.lane_m + road.bike_m + far_strip
    near_edge, far_edge = near_kerb - road.pavement_m, far_kerb + road.pavement_m
    if near_edge < NEAR_PAVEMENT_MIN_M:
        raise SceneError(
            f"the near pavement would begin {near_edge:.1f} m from the window; give the view an axis_m of at least "
            f"{view.axis_m + NEAR_PAVEMENT_MIN_M - near_edge:.1f}"
        )
    beside = road.lane_m + (road.bike_m / 2 if road.bike_m > 0 else -KERB_ROOM_M)
    camera, line_x = _pointed(settings, near_edge)
    line = _line_across(camera, line_x, near_edge, far_edge)
    from_x, to_x = _reach(camera, (near_edge, view.axis_m, far_edge))
    return StreetLayout(
        camera=camera,
        axis_y=view.axis_m,
        near_lane_y=view.axis_m - road.lane_m / 2,
        far_lane_y=view.axis_m + road.lane_m / 2,
        near_bike_y=view.axis_m - beside,
        far_bike_y=view.axis_m + beside,
        near_kerb_y=near_kerb,
        far_kerb_y=far_kerb,
        near_pavement_y=near_kerb - road.pavement_m / 2,
        far_pavement_y=far_kerb + road.pavement_m / 2,
        facade_y=_facade_y(far_edge, road),
        line_x=line_x,
        from_x=from_x,
        to_x=to_x,
        line=line,
        line_normal=_normal(camera, line),
    )


def _facade_y(far_edge: float, road: Road) -> float:
    return far_edge + max(0.3, road.garden_m)


def _camera(settings: StreetSettings, pitch_deg: float) -> Camera:
    view: View = settings.view
    return Camera(settings.width, settings.height, view.height_m, view.yaw_deg, pitch_deg, view.fov_deg)


def _pointed(settings: StreetSettings, near_edge: float) -> tuple[Camera, float]:
    """Tilt the camera so that the near pavement's edge, where the line starts, is just inside the picture."""
    if settings.view.pitch_deg is not None:
        camera = _camera(settings, settings.view.pitch_deg)
        return camera, _middle_x(camera, settings.view.axis_m)
    low, high = -20.0, 75.0
    for _ in range(40):
        pitch = (low + high) / 2
        camera = _camera(settings, pitch)
        x = _middle_x(camera, settings.view.axis_m)
        y_px, depth = camera.project(np.array([x, near_edge, 0.0]))[1:]
        if depth > NEAR_M and y_px < settings.height * (1 - MARGIN):
            high = pitch
        else:
            low = pitch
    horizon = degrees(atan((1 - 2 * SKY_MAX) * 0.5 * settings.height / camera.focal_px))
    camera = _camera(settings, max(pitch, horizon))
    return camera, _middle_x(camera, settings.view.axis_m)


def _middle_x(camera: Camera, axis_y: float) -> float:
    """Find the place along the street that is in the middle column of the picture, on the street's axis."""
    low, high = -400.0, 400.0
    for _ in range(60):
        x = (low + high) / 2
        x_px, _, depth = camera.project(np.array([x, axis_y, LINE_HEIGHT_M]))
        right = x_px > camera.width / 2 if depth > NEAR_M else (x > 0) != (camera.yaw_deg > 0)
        low, high = (low, x) if right else (x, high)
    return x


def _line_across(camera: Camera, line_x: float, near_edge: float, far_edge: float) -> Segment:
    """Project the line at the height of middles, from the near pavement to beyond the far one, inside the picture."""
    ys = np.linspace(near_edge - 0.6, far_edge + 1.0, 400)
    points = np.stack([np.full_like(ys, line_x), ys, np.full_like(ys, LINE_HEIGHT_M)], axis=1)
    x_px, y_px, depth = camera.project(points).T
    inside = (depth > NEAR_M) & (x_px >= 1) & (x_px <= camera.width - 1) & (y_px >= 1) & (y_px <= camera.height - 1)
    if inside.sum() < 2:
        raise SceneError("the street is outside of this view; change yaw_deg, pitch_deg or axis_m")
    first, last = np.flatnonzero(inside)[[0, -1]]
    return (
        (round(float(x_px[first]), 2), round(float(y_px[first]), 2)),
        (round(float(x_px[last]), 2), round(float(y_px[last]), 2)),
    )


def _normal(camera: Camera, line: Segment) -> tuple[float, float, float]:
    """Give the normal of the plane of line and camera, towards the right-hand side of the line in the picture."""
    (x1, y1), (x2, y2) = line
    rays = camera.rays(np.array([x1, x2]), np.array([y1, y2]))
    normal = np.cross(rays[0], rays[1])
    right_x, right_y = (x1 + x2) / 2 - (y2 - y1), (y1 + y2) / 2 + (x2 - x1)
    ray = camera.rays(np.array(right_x), np.array(right_y))
    normal = normal / np.linalg.norm(normal) * np.sign(normal @ ray)
    return float(normal[0]), float(normal[1]), float(normal[2])


def _reach(camera: Camera, ys: tuple[float, ...]) -> tuple[float, float]:
    """Find from where to where along the street anything up to 3 m high is in the picture."""
    xs = np.linspace(-RANGE_MAX_M, RANGE_MAX_M, 641)
    grid = np.stack(np.meshgrid(xs, np.array(ys), np.array([0.0, 1.5, 3.0]), indexing="ij"), axis=-1)
    x_px, y_px, depth = np.moveaxis(camera.project(grid), -1, 0)
    seen = (depth > NEAR_M) & (x_px > 0) & (x_px < camera.width) & (y_px > 0) & (y_px < camera.height)
    along = xs[seen.any(axis=(1, 2))]
    if not along.size:
        raise SceneError("the street is outside of this view; change yaw_deg, pitch_deg or axis_m")
    return float(along[0]) - OUTSIDE_M, float(along[-1]) + OUTSIDE_M
