"""The Pi camera, against a stand-in of picamera2's interface."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from tests.device.cameras.picamera2_standin import SENSORS, Picamera2

from telstraat_device.cameras.picamera import FPS, PiCamera, whole_view_mode
from telstraat_device.errors import CameraError


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = types.ModuleType("picamera2")
    module.Picamera2 = Picamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    for name in ("sensor", "in_use", "start_error", "fails_after"):
        monkeypatch.setattr(Picamera2, name, getattr(Picamera2, name))
    yield
    assert not Picamera2.in_use, "the camera was not given back"


@pytest.mark.parametrize(
    ("sensor", "size"),
    [("module 1", (640, 480)), ("module 2", (640, 480)), ("module 3", (640, 360)), ("HQ", (640, 480))],
)
def test_every_camera_module_shows_its_whole_view_in_the_shape_of_its_sensor(
    sensor: str, size: tuple[int, int]
) -> None:
    Picamera2.sensor = sensor
    with PiCamera(640) as camera:
        assert (camera.width, camera.height) == size
        assert camera._camera.view_share() >= 0.97
        assert next(iter(camera)).luma.shape == (camera.height, camera.width)


@pytest.mark.parametrize("width", [320, 640, 641, 800, 1000, 1280, 1920])
@pytest.mark.parametrize("sensor", sorted(SENSORS))
def test_widths_that_are_rounded_and_rows_that_are_longer_do_not_shear_the_picture(sensor: str, width: int) -> None:
    Picamera2.sensor = sensor
    with PiCamera(width) as camera:
        frame = next(iter(camera))
        assert frame.luma.shape == (camera.height, camera.width)
        assert abs(camera.width - width) <= 32
        assert frame.luma.min() == frame.luma.max() == 10
        assert frame.luma.flags.c_contiguous


def test_frames_carry_the_times_of_the_sensor_and_the_rate_is_held() -> None:
    with PiCamera(320) as camera:
        frames = list(islice(camera, 60))
        assert [frame.t_s for frame in frames] == pytest.approx([number / FPS for number in range(60)], abs=1e-4)
        assert camera.timed
        controls = camera._camera.settings["controls"]
        assert controls["FrameDurationLimits"][0] == controls["FrameDurationLimits"][1] == 33333
        assert controls["AeExposureMode"] == 1


def test_a_camera_that_does_not_start_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Picamera2.start_error = "Failed to start camera: Device or resource busy"
    with pytest.raises(CameraError, match="resource busy"):
        PiCamera()
    Picamera2.start_error = ""
    with PiCamera() as camera:
        assert camera.width == 640


def test_a_camera_that_is_used_by_another_program_or_stops_is_told() -> None:
    with PiCamera() as first:
        with pytest.raises(CameraError, match="there is no Pi camera"):
            PiCamera()
        Picamera2.fails_after = 3
        with pytest.raises(CameraError, match="timed out"):
            list(first)


def test_a_numpy_that_does_not_fit_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "picamera2")
    real = builtins.__import__

    def refuse(name: str, *more: Any, **words: Any) -> Any:
        if name == "picamera2":
            raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")
        return real(name, *more, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(CameraError, match="pip uninstall numpy"):
        PiCamera()


def test_a_camera_without_modes_is_refused_and_a_slow_one_is_taken_at_its_fastest() -> None:
    with pytest.raises(ValueError, match="no sensor modes"):
        whole_view_mode([], 640)
    slow = [m for m in SENSORS["HQ"] if m["fps"] < 30]
    assert whole_view_mode(slow, 640)["fps"] == 10.0
