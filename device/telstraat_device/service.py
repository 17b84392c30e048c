"""The device as a service: frames to crossings to quarters to the outbox, and the outbox to the broker beside it.

Two loops: frames, and sending. Each is the outermost of its thread: it counts what went wrong and goes on.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType

from telstraat_contract.errors import SettingsError
from telstraat_contract.messages import Config, Flag, Health, Live
from telstraat_contract.quarters import QUARTER_S
from telstraat_device.cameras.frames import Frame, FrameSource
from telstraat_device.cameras.watched import DEADLINE_S, OpenSource, WatchedSource
from telstraat_device.capture import CaptureSession
from telstraat_device.counting.counter import Counter, CounterSettings
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.delivery.home_assistant import HomeAssistant, HomeStatus
from telstraat_device.delivery.outbox import Outbox, RetentionLimits
from telstraat_device.delivery.publisher import Publisher, PublisherCallbacks, spread_of
from telstraat_device.errors import NoLineLeftError, SourceError
from telstraat_device.health import Condition, health_messages, leave_health
from telstraat_device.installation import Installation
from telstraat_device.quarters.clock import AnchoredClock, Clock, ClockReading, SystemClock
from telstraat_device.quarters.periods import NO_FLAG, LateCrossing, Periods, Rules
from telstraat_device.quarters.tally import Quarter, Tally, live_of
from telstraat_device.quarters.uptime import Uptime
from telstraat_device.settings import Settings
from telstraat_device.trial import ConfigTrial, CountingCore, MakeCounter
from telstraat_device.troubles import Troubles
from telstraat_device.watchdog import Watchdog

PRUNE_EVERY_S = 60.0
LEAVE_HEALTH_S = 10.0
ERRORS_IN_A_ROW_MAX = 50  # as many frames that cannot be counted: the source is opened anew
REOPEN_S = 5.0
TICK_S = 0.2
TOO_FAST_MIN, TOO_FAST_SHARE = 5, 0.02  # below this they are two objects taken for one, here and there
log = logging.getLogger(__name__)


@dataclass(slots=True)
class ServiceCounters:
    """What the service counts about itself."""

    frames: int = 0
    crossings: int = 0
    dropped_frames: int = 0
    too_fast: int = 0  # crossings whose speed was left out, for no street has it


class DeviceService:
    """One sensor: counts a source and keeps and sends its quarters."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        line: Segment | None = None,
        extra_flags: Flag = NO_FLAG,
        make_counter: MakeCounter | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.counters = ServiceCounters()
        self.troubles = Troubles()
        self.watchdog = Watchdog()
        self.stopping = threading.Event()
        self.skip_waiting = threading.Event()
        self._make_counter = make_counter or self._real_counter
        storage = settings.storage
        limits = RetentionLimits(storage.days, storage.megabytes, storage.receipted_days)
        name = settings.sensor.name
        self.outbox = Outbox(Path(storage.folder), name, limits, spread_of(name, settings.send.spread_s))
        state, held, self.restarts = self.outbox.begin()
        self.periods = Periods(state, held, boot=clock.boot)
        self.installation = Installation(settings.camera, line, self.outbox.config())
        self.periods.rules = Rules(settings.counting.night_confidence, self.installation.flip, extra_flags)
        self._lock = threading.RLock()
        self._reading = clock.now()
        self._fps: float | None = None
        self._session: CaptureSession | None = None
        self._begun_anew = False
        size = (settings.camera.width, settings.camera.height)
        self.trial = ConfigTrial(self.installation, self._make_counter, self.outbox.save_config, size)
        self._saved_at_s = self._pruned_at_s = time.monotonic()
        self._health_left_s = float("-inf")
        self._skip_until_s = state.counted_until_s if clock.repeatable else float("-inf")
        sources = PublisherCallbacks(self._health, self._live, self._receive_config, self._now_s)
        self.publisher = Publisher(settings, self.outbox, sources)
        self._home = HomeAssistant(settings.home_assistant, name, self._home_status)
        self._sending = threading.Thread(target=self._send_loop, name="sending", daemon=True)
        self._sending_ends = threading.Event()

    def run(self, open_source: OpenSource) -> int:
        """Count until the source ends or a stop is asked for; return 0, or 1 when reports wait without a receipt."""
        self._sending.start()
        self._home.start()
        self.watchdog.ready()
        arrived = False
        try:
            while not self.stopping.is_set():
                self._wait_for_line()
                if self._count_once(open_source):
                    break
                self._wait(REOPEN_S)
        finally:
            arrived = self._shut_down()
        return 0 if arrived else 1

    def stop(self) -> None:
        """Ask for a stop: what is open is closed, sent, and waited for; asking again ends the waiting."""
        if self.stopping.is_set():
            self.skip_waiting.set()
        self.stopping.set()

    def _count_once(self, open_source: OpenSource) -> bool:
        """Open the source and count it; return whether that was all."""
        try:
            source = self._open(open_source)
        except SourceError as error:
            if self.clock.repeatable:
                raise  # a recording: a person is there to mend it
            self._camera_is_away(error)
            return False
        try:
            return self._count_source(source)
        except NoLineLeftError:
            return False
        finally:
            source.close()

    def _open(self, open_source: OpenSource) -> FrameSource:
        """Open a recording, which is read as fast as it is counted, or a camera, which is waited for only so long."""
        if self.clock.repeatable:
            return open_source()
        return WatchedSource(open_source, self.stopping, self.watchdog.feed, deadline_s=DEADLINE_S)

    def _count_source(self, source: FrameSource) -> bool:
        """Count one source; return whether it came to its end, or a stop was asked for."""
        session = self._open_session(source)
        try:
            for frame in source:
                if self.stopping.is_set():
                    break
                self._process_frame(session, frame)
                self.watchdog.counted()
                if session.errors_in_a_row >= ERRORS_IN_A_ROW_MAX:
                    self._end_trial(f"{session.errors_in_a_row} frames in a row: {self.troubles.last}")
                    return False
        except SourceError as error:
            if self.clock.repeatable:
                raise
            self._camera_is_away(error)
            return False
        finally:
            self._finish(session)
            self._session = None
        return True

    def _process_frame(self, session: CaptureSession, frame: Frame) -> None:
        """Take one frame through the core into the quarters; an error is counted, and the next frame comes."""
        try:
            self._count_frame(session, frame)
            session.errors_in_a_row = 0
        except Exception as error:  # noqa: BLE001 - the outermost loop of the service
            session.errors_in_a_row += 1
            session.uptime.interrupted()
            self._record_error(error)

    def _count_frame(self, session: CaptureSession, frame: Frame) -> None:
        reading = self.clock.read(frame.t_s)
        if self.installation.pending and self._begins_quarter(reading):
            self._change_line(session)
        if session.config is not self.installation.config:  # given up meanwhile
            self._renew_core(session)
        crossings = self._with_true_speeds(session, session.core.process(frame.luma, frame.t_s))
        span = session.uptime.span(frame.t_s, session.core.view)
        session.is_frozen = not self.clock.repeatable and session.frozen.is_frozen(frame.luma, frame.t_s)
        if session.is_frozen:
            span = replace(span, observed_s=0.0, flags=span.flags | Flag.CAMERA_COVERED)
        session.last_t_s = frame.t_s
        with self._lock:
            self.troubles.camera_is_back()
            self.counters.frames += 1
            self.counters.too_fast = session.too_fast_before + session.core.speeds_left_out
            self.counters.dropped_frames = session.dropped_before + session.uptime.dropped
            self._fps = session.uptime.fps
            self._reading = reading
            self.trial.counted(frame.t_s)
            if reading.at_s <= self._skip_until_s:
                return
            self.counters.crossings += len(crossings)
            late = [LateCrossing(crossing, max(0.0, frame.t_s - crossing.t_s)) for crossing in crossings]
            self.periods.observe(reading, span, late)
            self._save_if_due()

    def _open_session(self, source: FrameSource) -> CaptureSession:
        core = self._core_for(source)
        log.info("counting %s, %d x %d", source.name, source.width, source.height)
        before = self.counters
        session = CaptureSession(
            source,
            core,
            Uptime(source.fps),
            self.installation.config,
            dropped_before=before.dropped_frames,
            too_fast_before=before.too_fast,
        )
        self._session = session
        return session

    def _with_true_speeds(self, session: CaptureSession, crossings: list[Crossing]) -> list[Crossing]:
        """Return the crossings, without speeds where the source cannot say when its pictures were taken."""
        if session.source.timed or not crossings:
            return crossings
        return [replace(crossing, speed_kmh=None) for crossing in crossings]

    def _finish(self, session: CaptureSession) -> None:
        """Count the crossings that the core was still tracking."""
        with self._lock:
            reading = self._reading
            if reading is None or reading.at_s <= self._skip_until_s:
                return
            for crossing in self._with_true_speeds(session, session.core.finish()):
                self.counters.crossings += 1
                self.periods.add_late(reading, LateCrossing(crossing, max(0.0, session.last_t_s - crossing.t_s)))

    def _save_if_due(self) -> None:
        """Save when a quarter has closed, or the last save is a few seconds old."""
        now_s = time.monotonic()
        closed = self.periods.take_closed()
        if not closed and now_s - self._saved_at_s < self.settings.storage.save_s:
            return
        self._save(closed)
        if now_s - self._pruned_at_s >= PRUNE_EVERY_S and self._reading and self._reading.trusted:
            self._pruned_at_s = now_s
            self.outbox.prune(self._reading.at_s)

    def _save(self, closed: list[Quarter]) -> None:
        changed = self.periods.take_changed()
        self._home.add(closed)
        if not self.outbox.save(self.periods.state, closed, self.periods.held, changed):
            self.periods.changed |= changed
        self._saved_at_s = time.monotonic()
        if self.outbox.rolled_back and not self._begun_anew:
            log.error("%s", self.outbox.rolled_back)
            self._begun_anew = True
            self.periods.begin_new_generation_after_rollback()

    def _shut_down(self) -> bool:
        """Close the open quarter, send what waits and disconnect; return whether nothing waits any more."""
        self._sending_ends.set()
        self._sending.join()
        with self._lock:
            if self.settings.storage.on_stop == "close" or not self.stopping.is_set():
                self.periods.stop()
            self._save(self.periods.take_closed())
        arrived = self.publisher.flush(self.settings.send.flush_s, self.skip_waiting)
        if not arrived:
            log.warning("%d reports wait for a receipt; they are kept", self.outbox.waiting_count())
        self.publisher.close()
        self._home.close()
        self.outbox.close()
        return arrived

    def _send_loop(self) -> None:
        """Keep the sending going beside the frames."""
        while not self._sending_ends.is_set():
            try:
                self.publisher.step(TICK_S)
                self._advance_time()
                self._leave_health()
            except Exception as error:  # noqa: BLE001 - the outermost loop of the service's second thread
                self._record_error(error)
                self._sending_ends.wait(TICK_S)

    def _advance_time(self) -> None:
        """Advance the clock when no frame comes: a quarter closes although the camera is away."""
        reading = self.clock.now()
        if self.trial.is_silent() and self.troubles.camera is None:
            self._end_trial("no frame could be counted with them")
        if reading is None:
            return
        with self._lock:
            self.periods.advance(reading)
            self._save_if_due()

    def _leave_health(self) -> None:
        """Leave the health for the local status page, in a file of memory."""
        file = self.settings.storage.health_file
        if file and time.monotonic() - self._health_left_s >= LEAVE_HEALTH_S:
            self._health_left_s = time.monotonic()
            leave_health(Path(file), self._health())

    def _record_error(self, error: Exception) -> None:
        """Count an error and log it, without what it may have quoted: a picture has no place in a log."""
        with self._lock:
            is_new = self.troubles.add(error, time.monotonic())
        if is_new:
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
            log.error("%s (%s)", self.troubles.last, where)

    def _camera_is_away(self, error: SourceError) -> None:
        """Note that no pictures come: health says so, and what waits still goes out."""
        self._record_error(error)
        with self._lock:
            self.troubles.camera_is_away(error, time.time())

    def _wait(self, seconds: float) -> None:
        """Wait for a stop, at most so long; what is waited for has been told."""
        end_s = time.monotonic() + seconds
        while not self.stopping.wait(min(TICK_S, seconds)) and time.monotonic() < end_s:
            self.watchdog.feed()

    def _now_s(self) -> float:
        """Return the moment on the device's clock; one that is not set is at least where counting has come to."""
        reading = self.clock.now() or self._reading
        if reading is None or not reading.trusted:
            return self.periods.state.counted_until_s + QUARTER_S
        return reading.at_s

    def _health(self) -> list[Health]:
        reading = self.clock.now() or self._reading
        if reading is None:
            return []  # a recording's clock has not begun
        with self._lock:
            condition = Condition(
                at_s=reading.at_s,
                clock_trusted=reading.trusted,
                config=self.installation.config.version,
                fps=self._fps,
                dropped_frames=self.counters.dropped_frames,
                restarts=self.restarts,
                refused=self.installation.refused,
                refused_why=self.installation.why,
                alarms=(*self.publisher.alarms(), *self._alarms(reading)),
            )
        return health_messages(self.settings.sensor.name, self.outbox, condition)

    def _alarms(self, reading: ClockReading) -> list[str]:
        alarms = []
        if not reading.trusted:
            alarms.append(f"the clock is not set: {len(self.periods.held)} stretches of counts wait for it")
        alarms += self.troubles.alarms(time.monotonic())
        if self._session is not None:
            alarms += self._session.alarms()
        too_fast, crossings = self.counters.too_fast, self.counters.crossings
        if too_fast > max(TOO_FAST_MIN, TOO_FAST_SHARE * crossings):
            alarms.append(f"{too_fast} of {crossings} crossings were faster than any street has: is the scale right?")
        if not self.installation.has_line:
            alarms.append("there is no counting line: draw one")
        if self.installation.refused > self.installation.config.version:
            alarms.append(f"settings of version {self.installation.refused} are refused: {self.installation.why}")
        return alarms

    def _live(self) -> Live | None:
        with self._lock:
            quarter = self.periods.current()
            if quarter is None or self._reading is None:
                return None
            return live_of(quarter, self.settings.sensor.name, self._reading.at_s)

    def _home_status(self) -> HomeStatus:
        with self._lock:
            quarter = self.periods.current()
            tally = Tally()
            tally.merge(quarter.tally if quarter else Tally())
        health = self._health()
        return HomeStatus(tally, health[-1] if health else None)

    def _receive_config(self, config: Config) -> None:
        """Take the server's settings if a counter can be built with them; they begin with the next quarter.

        At once when there is no line yet.
        """
        with self._lock:
            self.trial.receive(config)
            if not self.installation.has_line:
                self._apply_pending_config()

    def _apply_pending_config(self) -> None:
        self.trial.begin()
        self.periods.rules = replace(self.periods.rules, flip=self.installation.flip)

    def _end_trial(self, why: str) -> None:
        """Go back to the last good settings if those in use are on trial."""
        with self._lock:
            if self.installation.is_on_trial:
                self.trial.give_up(why)
                self.periods.rules = replace(self.periods.rules, flip=self.installation.flip)

    def _begins_quarter(self, reading: ClockReading) -> bool:
        """Return whether a frame is the first of its quarter."""
        with self._lock:
            quarter = self.periods.current()
            return quarter is None or reading.at_s >= quarter.end_s

    def _change_line(self, session: CaptureSession) -> None:
        """Begin with the server's line: a new core, and no track that began before."""
        self._finish(session)
        with self._lock:
            self._apply_pending_config()
        self._renew_core(session)

    def _renew_core(self, session: CaptureSession) -> None:
        """Go on with a core of the settings in use."""
        session.too_fast_before = self.counters.too_fast
        session.core, session.config = self._core_for(session.source), self.installation.config

    def _wait_for_line(self) -> None:
        """Wait until somebody has drawn a line; a recording's is asked for once its film is open."""
        if self.clock.repeatable:
            return
        while not self.installation.has_line and not self.stopping.wait(TICK_S):
            self.watchdog.feed()

    def _core_for(self, source: FrameSource) -> CountingCore:
        with self._lock:
            core = self.trial.counter_for(source.width, source.height)
            self.periods.rules = replace(self.periods.rules, flip=self.installation.flip)
        return core

    def _real_counter(self, width: int, height: int, line: Segment) -> CountingCore:
        return Counter(width, height, line, CounterSettings(pixels_per_metre=self.settings.counting.pixels_per_metre))


def clock_of(settings: Settings) -> Clock:
    """Return the clock that the settings ask for."""
    start = settings.clock.start
    if not start:
        return SystemClock(settings.clock.trust)
    try:
        at = datetime.fromisoformat(start)
        return AnchoredClock(at)
    except ValueError as error:
        raise SettingsError(f"[clock] start = {start!r}: {error}; write it as 2026-11-21T12:00Z") from error


@contextmanager
def stopped_by_signals(service: DeviceService) -> Iterator[None]:
    """Stop the service on SIGTERM and SIGINT; only the main thread of a process can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        service.stop()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    open_source: OpenSource,
    settings: Settings,
    clock: Clock,
    *,
    line: Segment | None = None,
    extra_flags: Flag = NO_FLAG,
) -> int:
    """Count a source as a sensor until it ends or SIGTERM asks for a stop.

    Parameters
    ----------
    open_source : callable
        Opens what is counted; again when a camera breaks off.
    settings, clock
        Who the sensor is and where its reports go; what time its frames are of.
    line : ((x1, y1), (x2, y2)) or None
        Counting line in pixels; None takes the settings', or the server's.
    extra_flags : Flag
        Flags that every report carries, for instance SIMULATED.

    Returns
    -------
    int
        0 when everything has its receipt, 1 when reports wait for the next start.
    """
    service = DeviceService(settings, clock, line=line, extra_flags=extra_flags)
    with stopped_by_signals(service):
        return service.run(open_source)
