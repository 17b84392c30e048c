"""What a stretch of time adds up to: crossings per class and direction, speeds, seconds observed, light, flags.

Tallies add: a quarter is the sum of what was saved before a restart and what came after it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field

from telstraat_contract.messages import (
    Confidence,
    Counts,
    Directed,
    Flag,
    Light,
    Live,
    Report,
)
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.road_users import SPEED_BIN_KMH, SPEED_BINS
from telstraat_device.counting.crossings.crossing import COUNTED_AS, Crossing

COUNT_MAX = 32_767
MAY_BE_PARTIAL_S = 5.0  # counting that begins or ends so near to the edge of a quarter has seen the quarter


class Tally(Struct, omit_defaults=True):
    """A sum of crossings and seconds; saved as JSON in the state folder."""

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)  # class: (lft, rgt)
    sureness: dict[str, tuple[float, int]] = field(default_factory=dict)  # class: (sum of confidences, number)
    car_speed: list[int] | None = None  # per 5 km/h
    observed_s: float = 0.0
    light_s: dict[Light, float] = field(default_factory=dict)
    flags: int = 0

    def count(self, crossing: Crossing, *, flip: bool, night_confidence: float) -> None:
        """Book one crossing in its class, or in `night`: never in both."""
        side = (crossing.direction == "right_to_left") != flip
        if crossing.night:
            self.flags |= Flag.NIGHT_COUNTED
            if crossing.confidence < night_confidence:
                self._add("night", right=side)
                return
        for name in COUNTED_AS[crossing.class_name]:
            self._add(name, right=side)
        booked = COUNTED_AS[crossing.class_name][0]
        total, count = self.sureness.get(booked, (0.0, 0))
        self.sureness[booked] = (total + crossing.confidence, count + 1)
        if booked == "car" and crossing.speed_kmh is not None:
            self.car_speed = self.car_speed or [0] * SPEED_BINS
            self.car_speed[min(int(max(crossing.speed_kmh, 0.0) // SPEED_BIN_KMH), SPEED_BINS - 1)] += 1

    def _add(self, name: str, *, right: bool) -> None:
        lft, rgt = self.counts.get(name, (0, 0))
        self.counts[name] = (lft, rgt + 1) if right else (lft + 1, rgt)

    def observe(self, observed_s: float, light: Light, flags: Flag) -> None:
        """Add seconds that were observed, their light, and what a reader should know."""
        self.observed_s += observed_s
        self.light_s[light] = self.light_s.get(light, 0.0) + observed_s
        self.flags |= flags

    def merge(self, other: Tally) -> None:
        """Add another tally."""
        for name, (lft, rgt) in other.counts.items():
            mine = self.counts.get(name, (0, 0))
            self.counts[name] = (mine[0] + lft, mine[1] + rgt)
        for name, (total, count) in other.sureness.items():
            known = self.sureness.get(name, (0.0, 0))
            self.sureness[name] = (known[0] + total, known[1] + count)
        if other.car_speed is not None:
            self.car_speed = [a + b for a, b in zip(self.car_speed or [0] * SPEED_BINS, other.car_speed, strict=True)]
        self.observed_s += other.observed_s
        for light, seconds in other.light_s.items():
            self.light_s[light] = self.light_s.get(light, 0.0) + seconds
        self.flags |= other.flags

    def full(self, more: int = 1) -> bool:
        """Return whether a count would no longer fit into a report after `more` crossings."""
        return any(max(pair) + more > COUNT_MAX for pair in self.counts.values())


class Quarter(Struct, omit_defaults=True):
    """An aligned quarter of an hour on the device: open until its time has passed, then closed for ever."""

    start_s: int
    tally: Tally = field(default_factory=Tally)
    from_s: float = 0.0  # between which moments the service was counting
    to_s: float = 0.0
    generation: int = 0  # the storage gives each generation an epoch

    @property
    def end_s(self) -> int:
        """The moment that no longer belongs to it."""
        return self.start_s + QUARTER_S

    def seen(self, from_s: float, to_s: float) -> None:
        """Extend the stretch in which the service was counting."""
        self.from_s = min(self.from_s or from_s, max(from_s, self.start_s))
        self.to_s = max(self.to_s, min(to_s, self.end_s))

    def settle(self) -> None:
        """Mark what is missing at its edges; called when it closes."""
        if self.from_s > self.start_s + MAY_BE_PARTIAL_S:
            self.tally.flags |= Flag.PARTIAL_START
        if self.to_s < self.end_s - MAY_BE_PARTIAL_S:
            self.tally.flags |= Flag.PARTIAL_END


def whole_seconds(observed_s: float) -> int:
    """Return the seconds as a report says them."""
    return min(QUARTER_S, round(observed_s))


def counts_of(tally: Tally) -> Counts:
    """Return the counts as the contract says them."""
    return Counts(**{name: Directed(*pair) for name, pair in tally.counts.items()}) if tally.counts else Counts()


def light_of(tally: Tally) -> Light:
    """Return the light that most of it was observed in."""
    known: dict[Light, float] = {light: s for light, s in tally.light_s.items() if light != "unknown" and s > 0}
    return max(known, key=lambda light: known[light], default="unknown")


def confidence_of(tally: Tally) -> Confidence:
    """Return the mean class confidences in percent."""
    return Confidence(**{name: round(100 * total / count) for name, (total, count) in tally.sureness.items() if count})


def report_of(quarter: Quarter, sensor: str, epoch: int, seq: int) -> Report:
    """Return the report of a closed quarter."""
    tally = quarter.tally
    return Report(
        sensor=sensor,
        epoch=epoch,
        seq=seq,
        period_start=datetime.fromtimestamp(quarter.start_s, UTC),
        observed_s=whole_seconds(tally.observed_s),
        counts=counts_of(tally),
        car_speed=None if tally.car_speed is None else tuple(min(n, COUNT_MAX) for n in tally.car_speed),
        confidence=confidence_of(tally),
        light=light_of(tally),
        flags=tally.flags,
    )


def live_of(quarter: Quarter, sensor: str, at_s: float) -> Live:
    """Return the open quarter so far, for whoever looks."""
    return Live(
        sensor=sensor,
        at=datetime.fromtimestamp(at_s, UTC),
        period_start=datetime.fromtimestamp(quarter.start_s, UTC),
        observed_s=whole_seconds(quarter.tally.observed_s),
        counts=counts_of(quarter.tally),
        light=light_of(quarter.tally),
    )
