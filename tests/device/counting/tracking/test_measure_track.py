"""Speed and size from the edges of drawn tracks, whole or cut off by the picture's border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from telstraat_device.counting.tracking.measure_track import measure_track, median
from telstraat_device.counting.tracking.state import TRACKER_STATE
from telstraat_device.counting.tracking.track import BORDER_LEFT, BORDER_RIGHT, HISTORY

WIDTH = 320.0


def measured(
    length: float, speed: float, height: float = 20.0, growth: float = 0.0, cut: float = 0.0, fps: float = 25.0
) -> Any:
    """Drive a box of this length across the middle of the picture at time 10 s; return its MEASUREMENT."""
    state = np.zeros(1, TRACKER_STATE)[0]
    track, history = state["tracks"][0], state["history"][0]
    track["pending_s"] = 10.0
    track["at_line"]["w"], track["at_line"]["h"], track["at_line"]["area"] = 11.0, 12.0, 66.0
    for t in np.arange(-0.7, 0.5, 1 / fps):
        left, right = 160 + speed * t - length / 2, 160 + speed * t + length / 2
        if right <= 0 or left >= WIDTH:
            continue
        inside_left, inside_right = max(left, 0.0), min(right, WIDTH)
        tall = height * np.exp(growth * t)
        appearance = history[track["history_count"] % HISTORY]
        appearance["t_s"] = 10.0 + t
        appearance["x"], appearance["w"] = (inside_left + inside_right) / 2, inside_right - inside_left
        appearance["y"], appearance["h"] = 100.0 - tall / 2, tall
        appearance["fill"], appearance["cut_right"] = 0.7, cut
        appearance["border"] = (BORDER_LEFT if inside_left <= 1 else 0) + (
            BORDER_RIGHT if inside_right >= WIDTH - 1 else 0
        )
        track["history_count"] += 1
    measure_track(state, 0)
    return track["measured"]


@pytest.mark.parametrize(("length", "speed"), [(40.0, 100.0), (40.0, -200.0), (120.0, 300.0)])
def test_a_vehicle_in_full_view_has_its_length_and_speed(length: float, speed: float) -> None:
    track = measured(length, speed)
    assert track["w"] == pytest.approx(length)
    assert track["vx"] == pytest.approx(speed)
    assert track["x"] == pytest.approx(160.0)
    assert (track["foot"], track["v_foot"]) == (pytest.approx(100.0), pytest.approx(0.0, abs=1e-9))
    assert track["fill"] == 0.7


def test_a_lorry_that_never_fits_into_the_picture_has_its_length_and_speed_all_the_same() -> None:
    track = measured(300.0, 240.0)
    assert track["appearances"] < 3
    assert track["vx"] == pytest.approx(240.0)
    assert track["w"] == pytest.approx(300.0)


def test_growth_is_told_with_its_error() -> None:
    track = measured(40.0, 100.0, growth=0.4)
    assert track["growth"] == pytest.approx(0.4)
    assert 0.0 < track["growth_error"] < 0.01


def test_what_was_cut_as_shadow_is_kept() -> None:
    track = measured(40.0, 100.0, cut=6.0)
    assert (track["cut_left"], track["cut_right"]) == (0.0, 6.0)


def test_what_was_never_alone_is_told_as_it_was_tracked() -> None:
    track = measured(40.0, 1e6)
    assert track["appearances"] == 0
    assert (track["w"], track["h"], track["fill"]) == (11.0, 12.0, 0.5)
    assert track["growth_error"] == track["wobble"] == 0.0


def test_the_median_is_that_of_sorting() -> None:
    rng = np.random.default_rng(2)
    for count in range(1, 12):
        values = rng.normal(size=12)
        assert median(values.copy(), count) == sorted(values[:count])[count // 2]
