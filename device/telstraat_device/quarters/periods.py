"""Which quarter of an hour a crossing and an observed second belong to.

    clock ─ not set ──► slices on the monotonic clock ── clock is set: shifted, CLOCK_CORRECTED ──┐
      └─── trusted ─────────────────────────────────────────────────────────────────────────────►─┴► open quarters ─► closed

A closed quarter never changes. What belongs to one that is closed already goes into the next that is not, flagged
CLOCK_STEPPED. A quarter closed early, by a stop, is continued in a new generation (a new epoch): two part observations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct, field

from telstraat_contract.messages import Flag
from telstraat_contract.quarters import QUARTER_S
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.quarters.clock import ClockReading
from telstraat_device.quarters.tally import Quarter, Tally
from telstraat_device.quarters.uptime import ObservedSpan

GRACE_S = 10.0
"""A quarter closes so long after its end: a crossing is told once its track has been seen for long enough."""

STEP_S = 2.0  # the system's clock and the monotonic one drift apart by milliseconds, a step is more
BACK_MAX_S = 7200.0
"""A clock that falls back further than this was badly wrong: waiting for it to return would hold counts for too long."""

SLICE_S = 10
COARSE_SLICE_S = 60
FINE_SLICES_MAX = 2_000  # five and a half hours; then coarser, so that a month without a clock fits into memory

NO_FLAG = Flag(0)

SliceKey = tuple[str, int, int]  # boot, start on its monotonic clock in seconds, length


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides how a crossing is booked."""

    night_confidence: float = 0.5
    flip: bool = False
    extra_flags: Flag = NO_FLAG


@dataclass(frozen=True, slots=True)
class LateCrossing:
    """A crossing, and how long before its frame it happened."""

    crossing: Crossing
    lag_s: float = 0.0


class SavedState(Struct):
    """What must survive a restart, beside the held slices."""

    open: list[Quarter] = field(default_factory=list)
    closed_until_s: int = 0
    stopped: bool = False  # the last closed quarter was closed early, by a stop
    generation: int = 0
    counted_until_s: float = 0.0  # on the clock of the frames
    boots: list[str] = field(default_factory=list)  # boots that hold slices, oldest first


class Periods:
    """The open quarters of one sensor."""

    def __init__(
        self, state: SavedState | None = None, held: dict[SliceKey, Tally] | None = None, *, boot: str = "recording"
    ) -> None:
        self.state = state or SavedState()
        self.held = held or {}
        waiting = {key[0] for key in self.held}
        self.state.boots = [*(name for name in self.state.boots if name in waiting and name != boot), boot]
        self.changed: set[SliceKey] = set()
        self.rules = Rules()
        self.closed: list[Quarter] = []
        self._last: ClockReading | None = None
        self._restored = {quarter.start_s for quarter in self.state.open}
        for quarter in self.state.open:
            quarter.tally.flags |= Flag.RESTARTED

    def observe(self, reading: ClockReading, span: ObservedSpan, crossings: Iterable[LateCrossing] = ()) -> None:
        """Add what came with a frame: the span before it and the crossings that became certain."""
        if not reading.trusted:
            self._hold(reading, span, crossings)
            return
        if self.held:
            self._release(reading)
        self.advance(reading)
        self._add_span(reading, span)
        for late in crossings:
            self._count(reading.earlier(late.lag_s).at_s, late.crossing)
        self.state.counted_until_s = max(self.state.counted_until_s, reading.at_s)

    def advance(self, reading: ClockReading) -> None:
        """Close the quarters that have passed by a trusted clock; also called when no frame comes."""
        if reading.trusted and not self.held:
            self._note_step(reading)
            self._close_passed(reading.at_s)

    def add_late(self, reading: ClockReading, late: LateCrossing) -> None:
        """Add a crossing that became certain when no further frame came."""
        if reading.trusted:
            self._count(reading.earlier(late.lag_s).at_s, late.crossing)
        else:
            self._hold(reading, ObservedSpan(), (late,))

    def stop(self) -> None:
        """Close what is open with what it has observed."""
        at_s = self._last.at_s if self._last else 0.0
        for quarter in sorted(self.state.open, key=lambda quarter: quarter.start_s):
            self._close(quarter)
            self.state.stopped = quarter.end_s > at_s

    def begin_new_generation_after_rollback(self) -> None:
        """Begin a new generation because the storage is older than it should be.

        Quarters that came from that storage may have been reported before: they close in the old generation, where the
        same quarter cannot count twice. What comes after is new.
        """
        restored = [quarter for quarter in self.state.open if quarter.start_s in self._restored]
        for quarter in restored:
            self._close(quarter)
            self.state.closed_until_s = quarter.start_s
        self.new_generation()

    def new_generation(self) -> None:
        """Begin a new stream of reports: what closes from now on gets another epoch."""
        self.state.generation += 1

    def current(self) -> Quarter | None:
        """Return the newest open quarter."""
        return max(self.state.open, key=lambda quarter: quarter.start_s, default=None)

    def take_closed(self) -> list[Quarter]:
        """Return the quarters that closed since the last call, in order."""
        taken, self.closed = self.closed, []
        return taken

    def take_changed(self) -> set[SliceKey]:
        """Return the keys of held slices that changed since the last call; one that is gone is no longer in `held`."""
        taken, self.changed = self.changed, set()
        return taken

    def _close_passed(self, at_s: float) -> None:
        passed = [quarter for quarter in self.state.open if quarter.end_s + GRACE_S <= at_s]
        for quarter in sorted(passed, key=lambda quarter: quarter.start_s):
            self._close(quarter)
            self.state.stopped = False

    def _add_span(self, reading: ClockReading, span: ObservedSpan) -> None:
        """Share a span among the quarters that it lies in."""
        flags = span.flags | self.rules.extra_flags
        length_s = span.length_s if span.length_s < GRACE_S else 0.0
        began_s = reading.at_s - length_s
        quarter = self._quarter_at(reading.at_s)
        quarter.seen(began_s, reading.at_s)
        earlier_s = 0.0
        if began_s < quarter.start_s <= reading.at_s:
            earlier_s = span.observed_s * (quarter.start_s - began_s) / length_s
            earlier = self._quarter_at(began_s)
            earlier.seen(began_s, quarter.start_s)
            earlier.tally.observe(earlier_s, span.light, flags)
        quarter.tally.observe(span.observed_s - earlier_s, span.light, flags)

    def _count(self, at_s: float, crossing: Crossing) -> None:
        quarter = self._quarter_at(at_s)
        if quarter.tally.full():
            quarter = self._continue_elsewhere(quarter)
        quarter.tally.count(crossing, flip=self.rules.flip, night_confidence=self.rules.night_confidence)

    def _quarter_at(self, at_s: float) -> Quarter:
        """Return the open quarter for a moment: its own, or the next that is not closed."""
        start_s = int(at_s // QUARTER_S) * QUARTER_S
        state = self.state
        if start_s < state.closed_until_s:
            if state.stopped and start_s + QUARTER_S == state.closed_until_s and not state.open:
                self._reopen(start_s)
            elif at_s + BACK_MAX_S < state.closed_until_s:
                self._fall_back(start_s)
            else:
                return self._next_after_closed()
        for quarter in state.open:
            if quarter.start_s == start_s:
                return quarter
        quarter = Quarter(start_s, from_s=max(at_s, float(start_s)), to_s=at_s)
        state.open.append(quarter)
        return quarter

    def _next_after_closed(self) -> Quarter:
        """Return the first quarter that is not closed, for what belongs to one that is."""
        start_s = self.state.closed_until_s
        quarter = min(self.state.open, key=lambda quarter: quarter.start_s, default=None)
        if quarter is None:
            quarter = Quarter(start_s, from_s=float(start_s), to_s=float(start_s))
            self.state.open.append(quarter)
        quarter.tally.flags |= Flag.CLOCK_STEPPED
        return quarter

    def _reopen(self, start_s: int) -> None:
        """Continue a quarter that a stop has closed early: a second part observation, in a new generation."""
        self.new_generation()
        self.state.closed_until_s = start_s
        self.state.stopped = False

    def _fall_back(self, start_s: int) -> None:
        """Begin a new generation at an earlier time: the clock was ahead by hours while quarters were closed."""
        for quarter in sorted(self.state.open, key=lambda quarter: quarter.start_s):
            self._close(quarter)
        self.new_generation()
        self.state.closed_until_s = start_s
        self.state.stopped = False

    def _continue_elsewhere(self, quarter: Quarter) -> Quarter:
        """Close a quarter whose counts are full and go on with the same quarter in a new generation."""
        closed_until_s = self.state.closed_until_s
        self._close(quarter)
        self.new_generation()
        self.state.closed_until_s = closed_until_s
        again = Quarter(quarter.start_s, from_s=quarter.to_s, to_s=quarter.to_s)
        again.tally.flags |= quarter.tally.flags & Flag.CLOCK_STEPPED
        self.state.open.append(again)
        return again

    def _close(self, quarter: Quarter) -> None:
        self.state.open.remove(quarter)
        quarter.settle()
        quarter.generation = self.state.generation
        self.state.closed_until_s = max(self.state.closed_until_s, quarter.end_s)
        self.closed.append(quarter)

    def _note_step(self, reading: ClockReading) -> None:
        """Flag the quarters on both sides of a jump of the clock, and take back those that lie ahead of it."""
        last, self._last = self._last, reading
        if last is None:
            return
        jump_s = (reading.at_s - last.at_s) - (reading.monotonic_s - last.monotonic_s)
        if abs(jump_s) <= STEP_S:
            return
        for quarter in self.state.open:
            quarter.tally.flags |= Flag.CLOCK_STEPPED
        ahead = [quarter for quarter in self.state.open if quarter.start_s > reading.at_s]
        for quarter in ahead:
            self.state.open.remove(quarter)
        target = self._quarter_at(reading.at_s)
        target.tally.flags |= Flag.CLOCK_STEPPED
        for quarter in ahead:
            target.tally.merge(quarter.tally)

    def _hold(self, reading: ClockReading, span: ObservedSpan, crossings: Iterable[LateCrossing]) -> None:
        """Keep what came while the clock is not set, on the monotonic clock."""
        flags = span.flags | self.rules.extra_flags
        self._slice_at(reading.monotonic_s).observe(span.observed_s, span.light, flags)
        for late in crossings:
            tally = self._slice_at(reading.monotonic_s - late.lag_s)
            tally.count(late.crossing, flip=self.rules.flip, night_confidence=self.rules.night_confidence)

    def _slice_at(self, monotonic_s: float) -> Tally:
        boot = self.state.boots[-1]
        for length in (SLICE_S, COARSE_SLICE_S):
            key = (boot, int(monotonic_s // length) * length, length)
            if key in self.held:
                break
        else:
            length = SLICE_S if len(self.held) < FINE_SLICES_MAX else COARSE_SLICE_S
            key = (boot, int(monotonic_s // length) * length, length)
            self.held[key] = Tally()
        self.changed.add(key)
        return self.held[key]

    def _release(self, reading: ClockReading) -> None:
        """Shift the held slices to where the clock, now set, says they were.

        Slices of this boot have an exact place. An earlier boot ended before this one began, nobody knows how long
        before: its slices are put as late as they can have been.
        """
        offset_s = reading.at_s - reading.monotonic_s
        placed: list[tuple[float, SliceKey]] = []
        for boot in reversed(self.state.boots):
            mine = [key for key in self.held if key[0] == boot]
            if boot != self.state.boots[-1] and mine:
                offset_s -= max(start + length for _, start, length in mine)
            placed += [(offset_s + start, (boot, start, length)) for _, start, length in mine]
        for start_s, key in sorted(placed):
            self._place_slice(start_s, key)
        self.state.boots = self.state.boots[-1:]

    def _place_slice(self, start_s: float, key: SliceKey) -> None:
        middle_s = start_s + key[2] / 2
        self._close_passed(start_s)
        quarter = self._quarter_at(middle_s)
        if quarter.tally.full(more=max((max(pair) for pair in self.held[key].counts.values()), default=0)):
            quarter = self._continue_elsewhere(quarter)
        quarter.seen(start_s, start_s + key[2])
        quarter.tally.merge(self.held.pop(key))
        quarter.tally.flags |= Flag.CLOCK_CORRECTED | self.rules.extra_flags
        self.changed.add(key)
