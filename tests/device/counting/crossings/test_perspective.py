"""The ground under the picture, against a pinhole camera that is written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from telstraat_device.counting.crossings.bodies import BodyPrior, BodyPriors
from telstraat_device.counting.crossings.perspective import FOCAL, Perspective

WIDTH, HEIGHT, LINE_Y = 320, 240, 130.0
CAMERA_M = 5.0


def project(ground: tuple[float, float, float], pitch: float) -> tuple[float, float]:
    """Show a point (to the right, away, up; metres from the camera's foot) in the picture."""
    x, away, up = ground
    f = FOCAL * WIDTH
    drop = CAMERA_M - up
    depth = away * math.cos(pitch) + drop * math.sin(pitch)
    down = drop * math.cos(pitch) - away * math.sin(pitch)
    return WIDTH / 2 + f * x / depth, HEIGHT / 2 + f * down / depth


def camera(pitch: float) -> Perspective:
    """Make the grid of perspective camera that is the true perspective."""
    f = FOCAL * WIDTH
    steep = pitch + math.atan((LINE_Y - HEIGHT / 2) / f)
    away = CAMERA_M / math.tan(steep)
    depth = away * math.cos(pitch) + CAMERA_M * math.sin(pitch)
    return Perspective(np.array([f / depth]), np.array([steep]), WIDTH, HEIGHT, LINE_Y)


@pytest.mark.parametrize("pitch_deg", [8.0, 20.0, 45.0])
@pytest.mark.parametrize(("x", "away"), [(0.0, 14.0), (3.0, 16.0), (-2.0, 12.0)])
@pytest.mark.parametrize(("vx", "v_away"), [(10.0, 0.0), (7.0, 7.0), (-3.0, 9.0), (0.5, -4.0)])
def test_speed_over_the_ground_is_that_of_the_pinhole(
    pitch_deg: float, x: float, away: float, vx: float, v_away: float
) -> None:
    pitch, dt = math.radians(pitch_deg), 1e-4
    here = project((x, away, 0.0), pitch)
    there = project((x + vx * dt, away + v_away * dt, 0.0), pitch)
    v_px = (there[0] - here[0]) / dt, (there[1] - here[1]) / dt
    point = camera(pitch).point(*here, *v_px)
    assert float(point.across_ms[0, 0]) == pytest.approx(vx, abs=0.02)
    assert float(point.away_ms[0, 0]) == pytest.approx(v_away, abs=0.02)


@pytest.mark.parametrize("pitch_deg", [8.0, 20.0, 45.0])
def test_a_post_is_as_high_as_the_pinhole_shows_it(pitch_deg: float) -> None:
    pitch = math.radians(pitch_deg)
    post = BodyPrior("pedestrian", 1.0, 0.01, 0.01, 2.0, 0.1, 0.1, 1.0, 0.1, 0.5, 0.1, 0.1)
    foot, top = project((1.0, 14.0, 0.0), pitch), project((1.0, 14.0, 2.0), pitch)
    perspective = camera(pitch)
    _, high, _ = perspective.boxes(perspective.point(*foot, 10.0, 0.0), BodyPriors((post,)))
    assert float(high[0, 0, 0]) == pytest.approx(foot[1] - top[1], rel=0.01)


def test_a_plank_is_as_long_as_the_pinhole_shows_it_from_any_side() -> None:
    pitch = math.radians(20.0)
    plank = BodyPrior("bicycle", 1.0, 2.0, 0.01, 0.01, 0.1, 0.1, 5.0, 0.1, 0.5, 0.1, 0.1)
    perspective = camera(pitch)
    for turn in (0.0, 0.5, -0.7):
        ends = [project((2.0 + k * math.cos(turn), 9.0 + k * math.sin(turn), 0.0), pitch) for k in (-1.0, 1.0)]
        foot = max(end[1] for end in ends)
        ahead = project((2.0 + 1e-3 * math.cos(turn), 9.0 + 1e-3 * math.sin(turn), 0.0), pitch)
        here = project((2.0, 9.0, 0.0), pitch)
        v_px = (1e3 * (ahead[0] - here[0]), 1e3 * (ahead[1] - here[1]))
        wide, _, _ = perspective.boxes(perspective.point(here[0], foot, *v_px), BodyPriors((plank,)))
        assert float(wide[0, 0, 0]) == pytest.approx(abs(ends[1][0] - ends[0][0]), rel=0.05)


def test_places_above_the_horizon_stay_finite() -> None:
    perspective = camera(math.radians(8.0))
    point = perspective.point(10.0, -50.0, 3.0, 4.0)
    for values in perspective.boxes(point, BodyPriors()):
        assert np.isfinite(values).all()
