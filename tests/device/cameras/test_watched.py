"""A camera that blocks, breaks or hangs is given up, and never holds the service."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from tests.device.toys import ToyStreet

from telstraat_device.cameras import watched as watched_module
from telstraat_device.cameras.frames import Frame, FrameSource
from telstraat_device.cameras.frozen import FROZEN_S, FrozenWatch
from telstraat_device.cameras.watched import BLOCKED_MAX, WatchedSource, blocked_readings
from telstraat_device.errors import CameraError


class BlockingStreet(ToyStreet):
    """A camera that gives its frames and then blocks until the test lets it go."""

    def __init__(self, frames: int = 3) -> None:
        super().__init__(frames)
        self.let_go = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        self.let_go.wait(60)


def watched(source: FrameSource, stopping: threading.Event | None = None, deadline_s: float = 0.3) -> WatchedSource:
    return WatchedSource(lambda: source, stopping or threading.Event(), lambda: None, deadline_s=deadline_s)


def test_all_frames_come_in_order_and_the_camera_is_given_back() -> None:
    street = ToyStreet(frames=50)
    source = watched(street, deadline_s=30)
    with source:
        assert [frame.t_s for frame in source] == [float(number) for number in range(50)]
    assert street.closed


def test_a_camera_that_blocks_is_given_up_after_the_deadline() -> None:
    street = BlockingStreet()
    source = watched(street)
    seen = iter(source)
    assert [next(seen).t_s for _ in range(3)] == [0.0, 1.0, 2.0]
    with pytest.raises(CameraError, match=r"no picture for 0\.3 s"):
        next(seen)
    street.let_go.set()
    source.close()
    assert street.closed


def test_a_camera_that_always_blocks_is_left_alone_after_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_module, "CLOSING_S", 0.01)
    streets = [BlockingStreet(frames=0) for _ in range(BLOCKED_MAX)]
    for street in streets:
        source = watched(street, deadline_s=0.01)
        with pytest.raises(CameraError, match="no picture"):
            next(iter(source))
        source.close()
    assert blocked_readings() == BLOCKED_MAX
    with pytest.raises(CameraError, match="blocked 3 times"):
        watched(ToyStreet())
    for street in streets:
        street.let_go.set()
    while blocked_readings():
        time.sleep(0.01)
    with watched(ToyStreet(frames=5), deadline_s=30) as source:
        assert len(list(source)) == 5


def test_a_stop_ends_the_frames_of_a_camera_that_blocks() -> None:
    street, stopping = BlockingStreet(), threading.Event()
    source = watched(street, stopping, deadline_s=60)
    threading.Timer(0.3, stopping.set).start()
    assert len(list(source)) == 3
    street.let_go.set()
    source.close()


def test_a_camera_that_never_opens_is_given_up() -> None:
    let_go = threading.Event()

    def never() -> FrameSource:
        let_go.wait(60)
        raise CameraError("too late")

    waits: list[float] = []
    with pytest.raises(CameraError, match=r"not answered for 0\.3 s"):
        WatchedSource(never, threading.Event(), lambda: waits.append(time.monotonic()), opening_s=0.3)
    assert waits
    let_go.set()


def test_what_opening_raises_is_raised() -> None:
    def refuse() -> FrameSource:
        raise CameraError("camera 7 gives no picture")

    with pytest.raises(CameraError, match="camera 7"):
        WatchedSource(refuse, threading.Event(), lambda: None)


def test_a_picture_that_never_changes_is_frozen_and_one_of_a_real_sensor_is_not() -> None:
    chance = np.random.default_rng(1)
    street = np.full((48, 64), 90, np.uint8)
    frozen, noisy = FrozenWatch(), FrozenWatch()
    verdicts = [frozen.is_frozen(street, t / 10) for t in range(300)]
    assert verdicts.index(True) == pytest.approx(10 * FROZEN_S)
    assert not any(noisy.is_frozen(street + chance.integers(0, 2, street.shape, np.uint8), t / 10) for t in range(300))
    assert not frozen.is_frozen(street + np.uint8(1), 30.1)
