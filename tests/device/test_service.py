"""The service: frames in, quarters kept, whatever goes wrong between them."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.device.toys import LINE, NOON_S, QUARTER_S, GivenView, ToyClock, ToyCore, ToyStreet, crossing_of
from tests.device.wires import Server, device_settings, server_of
from tests.harness.brokers import TestBroker
from tests.harness.processes import wait_until as until

from telstraat_contract.errors import SettingsError
from telstraat_contract.messages import Config, Flag, Health, Live, Receipt, Report, Watch
from telstraat_demo.run.reconciliation import closed_reports
from telstraat_device import service as service_module
from telstraat_device.cameras.frames import Frame, FrameSource
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.delivery.outbox_file import FILE
from telstraat_device.errors import CameraError, CountingLineError, SourceError
from telstraat_device.quarters.clock import AnchoredClock, Clock, SystemClock
from telstraat_device.service import DeviceService, clock_of, run
from telstraat_device.settings import Settings, settings_of

NOON = datetime.fromtimestamp(NOON_S, UTC)
NOBODY = 1  # a port at which nobody answers


def alone(folder: Path, **sections: dict[str, Any]) -> Settings:
    """Return settings of a device that reaches nobody and does not wait for it."""
    folder.mkdir(exist_ok=True)
    sections["send"] = {"flush_s": 0, **sections.get("send", {})}
    return device_settings(folder, "elm-1", NOBODY, **sections)


def service_of(settings: Settings, clock: Clock | None = None, core: Any = ToyCore, **more: Any) -> DeviceService:
    return DeviceService(settings, clock or AnchoredClock(NOON), line=more.pop("line", LINE), make_counter=core, **more)


def count(settings: Settings, source: FrameSource, clock: Clock | None = None, core: Any = ToyCore, **more: Any) -> int:
    return service_of(settings, clock, core, **more).run(lambda: source)


def reports_in(settings: Settings) -> list[Report]:
    return sorted(
        closed_reports(Path(settings.storage.folder) / FILE), key=lambda report: (report.period_start, report.seq)
    )


def total(report: Report) -> int:
    counts = report.counts
    return sum(p.lft + p.rgt for p in (counts.pedestrian, counts.bike, counts.car, counts.heavy, counts.night))


def test_at_the_end_of_a_recording_the_open_quarter_is_closed(tmp_path: Path) -> None:
    settings, street = alone(tmp_path), ToyStreet(frames=1301, every=10)
    assert count(settings, street) == 1, "two reports wait for a receipt"
    first, then = reports_in(settings)
    assert (total(first), total(then)) == (90, 41)
    assert (first.observed_s, then.observed_s) == (900, 400)
    assert (first.flags, then.flags) == (0, Flag.PARTIAL_END)
    assert (first.light, first.period_start) == ("day", NOON)
    assert street.closed


def test_every_crossing_is_booked_as_the_core_told_it(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    count(settings, ToyStreet(frames=200, every=2))
    (report,) = reports_in(settings)
    crossings = [crossing_of(number, 0.0) for number in range(100)]
    cars = [crossing.direction for crossing in crossings if crossing.class_name == "car"]
    assert (report.counts.car.lft, report.counts.car.rgt) == (cars.count("left_to_right"), cars.count("right_to_left"))
    assert report.counts.motorcycle.lft + report.counts.motorcycle.rgt == 20
    assert report.counts.bike.lft + report.counts.bike.rgt == 40


def test_a_recording_that_is_counted_again_adds_nothing(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    count(settings, ToyStreet(frames=1301))
    once = reports_in(settings)
    count(settings, ToyStreet(frames=1301))
    assert reports_in(settings) == once


def test_a_recording_that_goes_on_later_is_a_second_part_observation(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    count(settings, ToyStreet(frames=301))
    count(settings, ToyStreet(frames=901))
    part, rest, _ = reports_in(settings)
    assert part.period_start == rest.period_start
    assert part.epoch != rest.epoch
    assert total(part) + total(rest) == 90
    assert part.observed_s + rest.observed_s == 900


def test_a_stop_that_keeps_leaves_the_quarter_open_for_the_next_start(tmp_path: Path) -> None:
    settings = alone(tmp_path, storage={"on_stop": "keep"})
    clock = ToyClock()
    service = service_of(
        settings, clock, core=lambda *_: ToyCore(on_frame=lambda n: service.stop() if n == 299 else None)
    )
    service.run(lambda: ToyStreet(frames=500))
    assert reports_in(settings) == []
    count(settings, ToyStreet(frames=700, begins_at=320), clock)
    (first, _) = reports_in(settings)
    assert total(first) == 30 + 58
    assert first.observed_s == 299 + 580
    assert first.flags == Flag.RESTARTED


def test_the_open_quarter_is_saved_every_few_seconds_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    settings = alone(tmp_path, storage={"save_s": 0.2})
    clock = ToyClock()
    service = service_of(settings, clock)
    killed = tmp_path / "killed"

    class CopiedStreet(ToyStreet):
        def __iter__(self) -> Iterator[Frame]:
            for number, frame in enumerate(super().__iter__()):
                if number == 95:
                    time.sleep(0.3)  # longer than save_s: what came before is saved
                if number == 97:
                    with service._lock:
                        shutil.copytree(settings.storage.folder, killed)
                yield frame

    service.run(lambda: CopiedStreet(frames=140))
    (stopped,) = reports_in(settings)
    after = alone(tmp_path, storage={"folder": str(killed)})
    count(after, ToyStreet(frames=200, begins_at=150), clock)
    (report,) = reports_in(after)
    assert total(report) == 10 + 20
    assert report.flags & Flag.RESTARTED
    assert (report.epoch, report.seq) == (stopped.epoch, 1), "a kill begins no new epoch"


def test_a_frame_that_cannot_be_counted_is_an_error_and_the_next_one_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(number: int) -> None:
        if number % 100 == 50:
            raise ValueError(f"canary {'0 17 200 ' * 20}")

    settings = alone(tmp_path)
    service = service_of(settings, core=lambda *_: ToyCore(on_frame=fail))
    with caplog.at_level(logging.INFO):
        service.run(lambda: ToyStreet(frames=900))
    assert service.troubles.errors == 9
    assert total(reports_in(settings)[0]) == 90 - 9
    assert "ValueError (test_service.py:" in caplog.text
    assert "canary" not in caplog.text
    assert caplog.text.count("ValueError") == 1


def test_a_camera_that_breaks_off_is_opened_again_and_its_absence_is_not_observed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "REOPEN_S", 0.01)
    settings, clock = alone(tmp_path), ToyClock()
    sources: list[Any] = [BreakingStreet(frames=200), CameraError("unplugged"), ToyStreet(frames=300, begins_at=500)]

    def open_source() -> FrameSource:
        result: FrameSource | CameraError = sources.pop(0)
        if isinstance(result, CameraError):
            raise result
        return result

    service = service_of(settings, clock)
    service.run(open_source)
    assert service.troubles.errors == 2
    (report,) = reports_in(settings)
    assert (report.observed_s, total(report)) == (199 + 299, 20 + 30)


class BreakingStreet(ToyStreet):
    """A camera that is unplugged after its last frame."""

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        raise CameraError("camera 0 stopped giving pictures")


def test_a_core_that_fails_at_every_frame_gets_a_new_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "REOPEN_S", 0.01)
    opened: list[ToyStreet] = []

    def fail(number: int) -> None:
        if len(opened) == 1:
            raise ZeroDivisionError

    def open_source() -> FrameSource:
        opened.append(ToyStreet(frames=100))
        return opened[-1]

    settings = alone(tmp_path)
    service_of(settings, ToyClock(), core=lambda *_: ToyCore(on_frame=fail)).run(open_source)
    assert len(opened) == 2
    assert opened[0].closed
    assert total(reports_in(settings)[0]) == 10


def test_a_recording_that_is_wrong_from_the_start_is_told_at_once(tmp_path: Path) -> None:
    def open_source() -> FrameSource:
        raise CameraError("no film")

    with pytest.raises(SourceError, match="no film"):
        service_of(alone(tmp_path)).run(open_source)


def test_a_camera_that_is_missing_at_the_start_is_an_alarm_and_reports_still_go_out(
    mosquitto: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "REOPEN_S", 0.01)
    settings = device_settings(tmp_path, "ser-9", mosquitto.port, send={"flush_s": 0, "health_s": 0.2})
    plugged_in = threading.Event()

    def open_source() -> FrameSource:
        if not plugged_in.is_set():
            raise CameraError("camera 7 gives no picture")
        return ToyStreet(frames=100, pause_s=0.02)

    with server_of(mosquitto, "ser-9") as server:
        clock = ToyClock()
        clock.read(0.0)
        service = service_of(settings, clock)
        thread = threading.Thread(target=lambda: service.run(open_source))
        thread.start()
        health: Health = server.hear(Health)
        while not health.alarms:
            health = server.hear(Health)
        assert "no pictures since" in health.alarms[0]
        assert "camera 7 gives no picture" in health.alarms[0]
        plugged_in.set()
        server.listen(lambda: not any("no pictures" in alarm for alarm in last_health(server).alarms))
        thread.join(20)
        assert not thread.is_alive()
    assert total(reports_in(settings)[0]) == 10


def last_health(server: Server) -> Health:
    return next(message for message in reversed(server.heard) if isinstance(message, Health))


def test_a_stop_ends_a_service_whose_camera_blocks(tmp_path: Path) -> None:
    let_go = threading.Event()

    class BlockedStreet(ToyStreet):
        """Gives a few frames and never another."""

        def __iter__(self) -> Iterator[Frame]:
            yield from super().__iter__()
            let_go.wait(60)

    settings = alone(tmp_path)
    service = service_of(settings, ToyClock())
    thread = threading.Thread(target=lambda: service.run(lambda: BlockedStreet(frames=50)))
    thread.start()
    until(lambda: service.counters.frames == 50)
    service.stop()
    thread.join(20)
    let_go.set()
    assert not thread.is_alive()
    assert total(reports_in(settings)[0]) == 5


def test_a_camera_that_repeats_one_picture_is_blind_and_not_an_empty_street(tmp_path: Path) -> None:
    class FrozenStreet(ToyStreet):
        """The same picture, 60 seconds long."""

        def __iter__(self) -> Iterator[Frame]:
            first = next(super().__iter__())
            for number in range(60):
                yield Frame(first.luma, float(number))

    settings = alone(tmp_path)
    count(settings, FrozenStreet(every=100), ToyClock())
    (report,) = reports_in(settings)
    assert report.observed_s == 9
    assert report.flags & Flag.CAMERA_COVERED


def test_a_camera_without_times_counts_and_tells_no_speeds(tmp_path: Path) -> None:
    def core(*_: Any) -> Any:
        return ToyCore(speed_kmh=42.0)

    timed, untimed = alone(tmp_path / "a"), alone(tmp_path / "b")
    count(timed, ToyStreet(frames=200), core=core)
    count(untimed, ToyStreet(frames=200, timed=False), core=core)
    assert total(reports_in(timed)[0]) == total(reports_in(untimed)[0]) == 20
    assert reports_in(timed)[0].car_speed is not None
    assert reports_in(untimed)[0].car_speed is None


def test_a_view_that_cannot_be_counted_in_lowers_the_observed_seconds_and_says_why(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    count(settings, ToyStreet(frames=901), core=lambda *_: ToyCore(view=GivenView(light="night", blind=True)))
    report = reports_in(settings)[0]
    assert report.observed_s == 0
    assert report.flags & Flag.CAMERA_COVERED


def test_marks_stand_in_every_report(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    count(settings, ToyStreet(frames=1000), extra_flags=Flag.SIMULATED)
    assert all(report.flags & Flag.SIMULATED for report in reports_in(settings))


def test_a_recording_without_a_line_is_refused_and_a_line_outside_too(tmp_path: Path) -> None:
    with pytest.raises(CountingLineError, match="no counting line"):
        count(alone(tmp_path), ToyStreet(), line=None)
    with pytest.raises(CountingLineError, match="outside the picture"):
        run(ToyStreet, alone(tmp_path), AnchoredClock(NOON), line=((0.0, 0.0), (999.0, 0.0)))


def test_a_new_line_begins_with_a_quarter_and_survives_a_restart(tmp_path: Path) -> None:
    settings, lines = alone(tmp_path), []

    def core(width: int, height: int, line: Segment) -> ToyCore:
        lines.append(line)
        return ToyCore(width, height, line)

    service = service_of(settings, core=core)
    wish = Config(version=2, line=(0.0, 0.25, 1.0, 0.75), flip=True)
    service.run(lambda: WishingStreet(service, wish, frames=1000))
    first, then = reports_in(settings)
    new = ((0.0, 6.0), (32.0, 18.0))
    assert lines == [LINE, new, new], "built once before it is kept, once to count"
    assert (first.counts.car.lft, first.counts.car.rgt) == (9, 9)
    assert (then.counts.pedestrian.lft, then.counts.pedestrian.rgt) == (1, 1)
    later = service_of(settings, core=core)
    later.run(lambda: ToyStreet(frames=1))
    assert lines[-1] == new
    assert later.periods.rules.flip
    assert later.installation.config.version == 2


class WishingStreet(ToyStreet):
    """The server's wish comes at the hundredth frame."""

    def __init__(self, service: DeviceService, wish: Config, frames: int) -> None:
        super().__init__(frames)
        self._service, self._wish = service, wish

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(super().__iter__()):
            if number == 100:
                self._service._receive_config(self._wish)
                self._service._receive_config(Config(version=1, flip=False))
            yield frame


def test_a_device_without_a_line_waits_for_one_and_begins_at_once(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "ser-1", mosquitto.port, send={"flush_s": 0, "health_s": 0.2})
    with server_of(mosquitto, "ser-1") as server:
        server.say(Config(version=1, line=(0.1, 0.5, 0.9, 0.5)), retain=True)
        service = service_of(settings, ToyClock(), line=None)
        service.run(lambda: ToyStreet(frames=100))
    assert total(reports_in(settings)[0]) == 10


def test_what_is_counted_reaches_the_server_and_its_receipts_end_the_waiting(
    mosquitto: TestBroker, tmp_path: Path
) -> None:
    settings = device_settings(tmp_path, "ser-2", mosquitto.port, send={"flush_s": 20, "health_s": 0.2, "live_s": 0.05})
    with server_of(mosquitto, "ser-2") as server:
        service = service_of(settings, extra_flags=Flag.SIMULATED)
        codes: list[int] = []
        street = ToyStreet(frames=1301, every=10, pause_s=0.001)
        thread = threading.Thread(target=lambda: codes.append(service.run(lambda: street)))
        thread.start()
        server.hear(Health)
        server.say(Watch(seconds=60))
        live: Live = server.hear(Live)
        assert live.period_start in (NOON, NOON + timedelta(seconds=QUARTER_S))
        server.listen(lambda: {1, 2} <= set(server.seqs))
        server.receipt(through=2)
        thread.join(20)
        assert codes == [0]
        assert sorted({(report.seq, total(report)) for report in server.reports}) == [(1, 90), (2, 41)]


def test_the_health_message_tells_errors_clock_and_pace(tmp_path: Path) -> None:
    settings, clock = alone(tmp_path), ToyClock(trusted=False)

    def fail(number: int) -> None:
        if number == 50:
            raise ValueError

    service = service_of(settings, clock, core=lambda *_: ToyCore(on_frame=fail))
    healths: list[Health] = []
    street = ToyStreet(frames=100)
    service.run(lambda: AskingStreet(service, healths, street))
    (health,) = healths
    assert not health.clock_trusted
    assert (health.fps, health.restarts, health.waiting) == (1.0, 0, 0)
    assert any("clock is not set" in alarm for alarm in health.alarms)
    assert any("1 errors, the last: ValueError" in alarm for alarm in health.alarms)


class AskingStreet(ToyStreet):
    """Asks for the health before the last frame."""

    def __init__(self, service: DeviceService, healths: list[Health], street: ToyStreet) -> None:
        super().__init__(street.frames)
        self._service, self._told = service, healths

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(super().__iter__()):
            if number == self.frames - 1:
                self._told.extend(self._service._health())
            yield frame


@pytest.mark.parametrize(
    ("trouble", "alarm"),
    [({"still": True}, "one and the same picture"), ({"timed": False}, "does not say when its pictures were taken")],
)
def test_what_is_wrong_with_the_pictures_is_an_alarm_until_the_camera_is_well(
    tmp_path: Path, trouble: dict[str, bool], alarm: str
) -> None:
    class AilingStreet(AskingStreet):
        """Gives one picture only, or pictures without times."""

        def __iter__(self) -> Iterator[Frame]:
            self.timed = trouble.get("timed", True)
            first = None
            for frame in super().__iter__():
                first = frame.luma if first is None or "still" not in trouble else first
                yield Frame(first, frame.t_s)

    settings, clock = alone(tmp_path), ToyClock()
    service = service_of(settings, clock)
    healths: list[Health] = []
    service.run(lambda: AilingStreet(service, healths, ToyStreet(frames=100, every=50)))
    assert any(alarm in text for text in healths[0].alarms)
    assert clock.last is not None
    assert not any(alarm in text for text in service._alarms(clock.last))


def test_counts_of_an_unset_clock_wait_on_the_disk_and_go_out_when_it_is_set(tmp_path: Path) -> None:
    settings = alone(tmp_path)
    count(settings, ToyStreet(frames=300), ToyClock(start_s=0.0, trusted=False))
    assert reports_in(settings) == []
    count(settings, ToyStreet(frames=100, begins_at=400), ToyClock())
    (report,) = reports_in(settings)
    assert total(report) == 30 + 10
    assert report.flags & Flag.CLOCK_CORRECTED


def test_the_settings_say_which_clock_is_used() -> None:
    least = {"sensor": {"name": "elm-1"}}
    assert isinstance(clock_of(settings_of(least)), SystemClock)
    anchored = clock_of(settings_of({**least, "clock": {"start": "2026-11-21T12:00Z"}}))
    assert anchored.read(5.0).at_s == NOON_S + 5.0
    for wrong in ("noon", "2026-11-21T12:00"):
        with pytest.raises(SettingsError, match="2026-11-21T12:00Z"):
            clock_of(settings_of({**least, "clock": {"start": wrong}}))


def test_a_storage_that_was_put_back_begins_a_new_epoch_in_the_running_service(tmp_path: Path) -> None:
    settings = alone(tmp_path, storage={"save_s": 0.02})
    service = service_of(settings, ToyClock())

    class PutBack(ToyStreet):
        def __iter__(self) -> Iterator[Frame]:
            for number, frame in enumerate(super().__iter__()):
                if number == 1000:
                    service.outbox.apply_receipt(
                        Receipt(epoch=service.outbox.current().epoch, through=40, seen=40), NOON_S
                    )
                yield frame

    service.run(lambda: PutBack(frames=2000, pause_s=0.0002))
    reports = reports_in(settings)
    assert len({report.epoch for report in reports}) == 2
    assert sum(map(total, reports)) == 200
