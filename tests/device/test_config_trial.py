"""Whatever settings the server sends, and whenever the power goes, the sensor counts on and says what it did not take."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.device.toys import LINE, NOON_S, ToyClock, ToyCore, ToyStreet
from tests.device.wires import device_settings, server_of
from tests.harness.brokers import TestBroker

from telstraat_contract.messages import Config, Health, decode, encode
from telstraat_contract.topics import Channel
from telstraat_device import trial
from telstraat_device.cameras.frames import Frame, Luma
from telstraat_device.counting.counter import Counter, CounterSettings
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.errors import CameraError
from telstraat_device.installation import TRIAL_STARTS_MAX
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.service import DeviceService
from telstraat_device.settings import Settings

NOON = datetime.fromtimestamp(NOON_S, UTC)
GOOD, NEXT = (0.1, 0.5, 0.9, 0.5), (0.0, 0.25, 1.0, 0.75)
HOSTILE = {
    "of pixels": (0.0, 0.0, 5.0, 5.0),
    "outside": (-0.5, 0.5, 0.9, 0.5),
    "a point": (0.5, 0.5, 0.5, 0.5),
    "too short": (0.5, 0.5, 0.5001, 0.5),
    "huge": (1e300, 0.0, 1e308, 1.0),
}


class BreakingCore(ToyCore):
    """A core that can be built with NEXT and cannot count with it."""

    def __init__(self, width: int, height: int, line: Segment) -> None:
        super().__init__(width, height, line)
        self._breaks = line == ((0.0, 6.0), (32.0, 18.0))

    def process(self, luma: Luma, t_s: float) -> list[Crossing]:
        if self._breaks:
            raise ZeroDivisionError
        return super().process(luma, t_s)


class WishingStreet(ToyStreet):
    """The server's settings come at a frame; the power goes at another, leaving what is on the disk in `killed`."""

    def __init__(self, service: DeviceService, wishes: dict[int, Config], frames: int, **more: Any) -> None:
        super().__init__(frames)
        self._service, self._wishes = service, wishes
        self._kill_at: int = more.get("kill_at", -1)
        self._killed: Path = more.get("killed", Path())

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(super().__iter__()):
            if number in self._wishes:
                self._service._receive_config(self._wishes[number])
            if number == self._kill_at:
                shutil.copytree(self._service.settings.storage.folder, self._killed)
            yield frame


def alone(folder: Path, **sections: dict[str, Any]) -> Settings:
    return device_settings(folder, "elm-1", 1, send={"flush_s": 0}, **sections)


def service_of(settings: Settings, core: Any = ToyCore, line: Segment | None = LINE) -> DeviceService:
    return DeviceService(settings, AnchoredClock(NOON), line=line, make_counter=core)


def real_core(_width: int, _height: int, line: Segment) -> ToyCore:
    """Let the true counter say what it can be built with."""
    Counter(640, 480, tuple((x * 20, y * 20) for x, y in line), CounterSettings())  # type: ignore[arg-type]
    return ToyCore(32, 24, line)


def after(settings: Settings, wishes: dict[int, Config], core: Any = ToyCore, **more: Any) -> DeviceService:
    service = service_of(settings, core, more.pop("line", LINE))
    service.run(lambda: WishingStreet(service, wishes, more.pop("frames", 1500), **more))
    return service


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_a_line_that_nothing_can_be_counted_on_is_refused_before_it_is_kept(
    tmp_path: Path, line: tuple[float, float, float, float]
) -> None:
    settings = alone(tmp_path)
    service = after(settings, {10: Config(version=1, line=GOOD), 1000: Config(version=2, line=line)}, real_core)
    assert (service.installation.config.version, service.installation.refused) == (1, 2)
    assert service.installation.config.line == GOOD
    (alarm,) = [text for text in service._alarms(service.clock.now() or service._reading) if "refused" in text]  # type: ignore[arg-type]
    assert alarm.startswith("settings of version 2 are refused: the line")
    again = service_of(settings, real_core)
    assert (again.installation.config.line, again.installation.refused) == (GOOD, 2)


def test_settings_with_which_no_frame_can_be_counted_go_and_the_last_good_ones_come_back(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    wishes = {10: Config(version=1, line=GOOD), 1500: Config(version=2, line=NEXT, flip=True)}
    service = service_of(settings, BreakingCore)
    assert service._count_once(lambda: WishingStreet(service, wishes, 2500)) is False, "fifty frames failed"
    assert service._count_once(lambda: ToyStreet(frames=10, begins_at=2600))
    assert (service.installation.config.line, service.installation.refused) == (GOOD, 2)
    assert service.installation.why == "50 frames in a row: ZeroDivisionError"
    assert not service.periods.rules.flip
    assert service.installation.candidate(wishes[1500]) is None  # the broker sends it again
    service._receive_config(Config(version=3, line=GOOD))
    pending = service.installation.pending
    assert pending is not None
    assert pending.version == 3
    service.outbox.close()


def test_settings_are_good_when_frames_have_been_counted_with_them_for_minutes(tmp_path: Path) -> None:
    service = after(alone(tmp_path), {10: Config(version=1, line=GOOD)}, frames=1000)
    assert service.installation.is_on_trial, "the quarter began a hundred seconds ago"
    (tmp_path / "longer").mkdir()
    service = after(alone(tmp_path / "longer"), {10: Config(version=1, line=GOOD)}, frames=1300)
    assert not service.installation.is_on_trial


def test_a_kill_between_keeping_and_beginning_tries_them_at_the_next_start(tmp_path: Path) -> None:
    settings, killed = alone(tmp_path), tmp_path / "killed"
    after(settings, {10: Config(version=4, line=NEXT)}, kill_at=11, killed=killed, frames=20)
    service = service_of(alone(tmp_path, storage={"folder": str(killed)}))
    assert (service.installation.config.version, service.installation.is_on_trial) == (4, True)


def test_settings_of_which_the_service_dies_each_time_are_given_up(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    first = service_of(settings)
    first._receive_config(Config(version=4, line=NEXT))
    first.outbox.close()
    for _ in range(TRIAL_STARTS_MAX):
        service = service_of(settings)  # and the process is gone
        assert service.installation.config.version == 4
        service.outbox.close()
    service = service_of(settings)
    assert (service.installation.config.version, service.installation.refused) == (0, 4)
    assert "ended 3 times" in service.installation.why


@pytest.mark.parametrize("line", [LINE, None])
def test_what_an_earlier_version_kept_unseen_does_not_keep_the_sensor_from_counting(
    tmp_path: Path, line: Segment | None
) -> None:
    settings = alone(tmp_path)
    before = service_of(settings)
    before.outbox.save_config(encode(Config(version=7, line=HOSTILE["of pixels"])))
    before.outbox.close()
    service = service_of(settings, real_core, line)
    assert service._count_once(lambda: ToyStreet(frames=20)) is (line is not None)
    assert (service.installation.config.version, service.installation.refused) == (0, 7)
    assert service.installation.has_line is (line is not None)
    service.outbox.close()


def test_an_earlier_version_reads_the_last_good_settings_from_what_is_kept(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    service = after(settings, {10: Config(version=1, line=GOOD), 1250: Config(version=2, line=NEXT)}, frames=1300)
    stored = service.installation.to_store()
    assert decode(Channel.CONFIG, stored).line == GOOD
    assert msgspec.json.decode(stored)["beside"]["trial"]["version"] == 2


def test_a_camera_that_is_away_is_not_the_fault_of_new_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SILENT_S", 0.0)
    service = service_of(alone(tmp_path))
    service._receive_config(Config(version=4, line=NEXT))
    service._apply_pending_config()
    service._camera_is_away(CameraError("gone"))
    service._advance_time()
    assert service.installation.config.version == 4
    service.troubles.camera_is_back()
    service._advance_time()
    assert (service.installation.config.version, service.installation.refused) == (0, 4)
    service.outbox.close()


def test_what_is_refused_reaches_the_server_in_health(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "trial-1", mosquitto.port, send={"flush_s": 0, "health_s": 0.2})
    with server_of(mosquitto, "trial-1") as server:
        server.say(Config(version=3, line=HOSTILE["of pixels"]), retain=True)
        service = DeviceService(settings, ToyClock(), line=LINE, make_counter=real_core)
        service.run(lambda: ToyStreet(frames=600, pause_s=0.002))
        server.listen(lambda: [message for message in server.heard if isinstance(message, Health) and message.refused])
    last = next(message for message in reversed(server.heard) if isinstance(message, Health))
    assert (last.config, last.refused) == (0, 3)
    assert "pixels" in last.refused_why
