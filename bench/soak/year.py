"""A year of one sensor, with everything that befalls it, and what its process weighed each day.

What happens on which day stands in `EVENTS`; the days are of a year and scale with a shorter run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
from bench.soak.sensor import SensorPlan
from bench.soak.street import DAY_S, FRAMES_A_DAY, KINDS, STEP_S, CameraGap, ClockJump, is_away, kinds
from bench.soak.world import SENSOR, SoakWorld, folder_for, memory_card

from telstraat_contract.messages import Config, Flag, Report
from telstraat_contract.quarters import QUARTER_S
from telstraat_demo.run.reconciliation import differences, stored_reports, waiting_reports
from telstraat_device.counting.crossings.crossing import CLASSES, COUNTED_AS

YEAR_DAYS = 365.0
AGO = timedelta(days=380)
"""The year ends before today: reports of the future would be refused."""

LOOK_S = 0.01
OUTBOX_LOOK_S = 1.0
DRAIN_S = 180.0
POWER_CUT_S = 67.5
"""What a power cut may cost of an open quarter: a minute between saves, and the frame that was just counted."""

BEFALLEN = Flag.CLOCK_CORRECTED | Flag.CLOCK_STEPPED | Flag.RESTARTED
"""What a quarter says of itself when its counts may stand beside it, or a power cut may have taken some."""

Events = Sequence[tuple[float, float, str]]  # day of the year, days that it lasts, what
EVENTS: Events = (
    (12.3, 0.0, "power cut"),
    (25.6, 0.0, "power cut, clock unset"),
    (38.2, 0.0, "power cut, clock unset"),
    (50.4, 0.0, "broker moves"),
    *((70.2 + 30 * n, 2.0, "broker away") for n in range(10)),
    *((78.7 + 40 * n, 1.5, "database away") for n in range(7)),
    *((83.1 + 50 * n, 1.0, "broker forgets") for n in range(6)),
    *((65.5 + 45 * n, 0.6, "disk full") for n in range(7)),
    *((60.8 + 20 * n, 0.0, "settings") for n in range(15)),
    *((66.3 + 60 * n, 0.0, "settings that cannot be") for n in range(5)),
)
JUMPS: tuple[tuple[float, float], ...] = (
    (90.013, 3600.0), (91.37, 0.0), (130.4, -1800.0), (131.6, 0.0), (180.0, 1.0), (181.0, 0.0),
    (210.25, 3 * 3600.0), (210.75, 0.0), (260.1, -3 * 3600.0), (261.2, 0.0),
)  # fmt: skip
GAPS: tuple[tuple[float, float], ...] = tuple((68.4 + 55 * n, 5.0) for n in range(6))


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process weighs at the end of a day."""

    day: float
    rss_kb: int
    fds: int
    threads: int
    written_mb: float
    card_mb: float
    outbox_mb: float
    waiting: int


@dataclass
class YearVerdict:
    """What a year has shown."""

    days: float
    quarters: int = 0
    rows: int = 0
    events: dict[str, int] = field(default_factory=dict)
    crossings: int = 0
    untouched: int = 0
    """Quarters that must be exactly what crossed: no restart, and the clock was right."""
    lost_crossings: int = 0
    lost_bound: int = 0
    differing: list[str] = field(default_factory=list)
    quarantined: int = 0
    wall_s: float = 0.0
    drained: bool = False
    samples: list[Sample] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)

    @property
    def green(self) -> bool:
        """Whether table equals truth and nothing grew."""
        return self.drained and not (self.differing or self.quarantined or self.unsound)


class Year:
    """One run of it."""

    def __init__(
        self,
        days: float,
        pace: float,
        tell: Callable[[str], None],
        events: Events = EVENTS,
        gaps: Sequence[tuple[float, float]] = GAPS,
    ) -> None:
        self.verdict = YearVerdict(days)
        self._events = events
        self._tell = tell
        self._pace = pace
        self._scale = days / YEAR_DAYS
        self._version = 0
        self._until: list[tuple[float, Callable[[], None]]] = []
        first = (datetime.now(UTC) - AGO).date()
        self.start_s = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
        scale = self._scale
        self.jumps = [ClockJump(day * scale, offset_s) for day, offset_s in JUMPS]
        self.gaps = [CameraGap(day * scale, hours * min(1.0, scale * 4)) for day, hours in gaps]

    def run(self, folder: Path | None) -> YearVerdict:
        """Live it."""
        began_s = time.monotonic()
        with ExitStack() as stack:
            place = folder_for(folder, stack)
            card = stack.enter_context(memory_card(place / "card"))
            plan = SensorPlan(
                name=SENSOR, password_file=str(place / "password"), port=0, state=str(place / "card" / "state"),
                progress=str(place / "progress"), start_s=self.start_s, days=self.verdict.days, boot=0, pace=self._pace,
                jumps=self.jumps, gaps=self.gaps,
            )  # fmt: skip
            world = SoakWorld(place, plan, card, stack)
            world.start_sensor()
            self._live(world)
            self._settle(world)
            self._compare(world)
        self.verdict.wall_s = round(time.monotonic() - began_s, 1)
        return self.verdict

    def _live(self, world: SoakWorld) -> None:
        events = sorted((day * self._scale, lasts * self._scale, what) for day, lasts, what in self._events)
        sampled_day, look_at_s = 0, 0.0
        while world.running:
            day = world.progress.frames / FRAMES_A_DAY
            while events and events[0][0] <= day:
                _, lasts, what = events.pop(0)
                self._begin(world, what, day + lasts)
            for ends, undo in [pair for pair in self._until if pair[0] <= day]:
                self._until.remove((ends, undo))
                undo()
            if time.monotonic() >= look_at_s:
                world.look_into_outbox()
                look_at_s = time.monotonic() + OUTBOX_LOOK_S
            if math.floor(day / self._sample_days) > sampled_day:
                sampled_day = math.floor(day / self._sample_days)
                self._sample(world, day)
            time.sleep(LOOK_S)

    @property
    def _sample_days(self) -> float:
        return max(self._scale, 0.1)

    def _begin(self, world: SoakWorld, what: str, ends: float) -> None:
        if what == "disk full" and world.card_counters is None:
            return
        self.verdict.events[what] = self.verdict.events.get(what, 0) + 1
        match what:
            case "power cut" | "power cut, clock unset":
                self._cut_power(world, is_unset=what.endswith("unset"))
            case "broker moves":
                world.move_broker()
            case "broker away":
                world.broker.stop()
                self._until.append((ends, lambda: world.bring_back(world.broker)))
            case "broker forgets":
                world.forget_broker()
                self._until.append((ends, lambda: world.bring_back(world.broker)))
            case "database away":
                world.database.stop()
                self._until.append((ends, lambda: world.bring_back(world.database)))
            case "disk full":
                world.fill_card()
                self._until.append((ends, world.free_card))
            case _:
                self._send_settings(world, is_good=what == "settings")
        self._tell(f"day {world.progress.frames / FRAMES_A_DAY:.1f}: {what}")

    def _cut_power(self, world: SoakWorld, *, is_unset: bool) -> None:
        world.kill_sensor()
        world.look_into_outbox()
        end = world.progress.frames
        lost = np.arange(max(0, end - math.ceil(POWER_CUT_S / STEP_S)), end)
        self.verdict.lost_bound += int((kinds(lost) >= 0).sum())
        world.start_sensor(is_unset_at_boot=is_unset)

    def _send_settings(self, world: SoakWorld, *, is_good: bool) -> None:
        if not world.broker.running:
            return
        self._version += 1
        y = 0.4 + 0.2 * (self._version % 2)
        world.configure(Config(version=self._version, line=(0.1, y, 0.9, y) if is_good else (0.0, 0.0, 0.01, 0.01)))

    def _sample(self, world: SoakWorld, day: float) -> None:
        with suppress(OSError):  # it ends, or was killed, this moment
            status = Path(f"/proc/{world.pid}/status").read_text(encoding="ascii").splitlines()
            numbers = {line.split(":")[0]: line.split()[1] for line in status if line.startswith(("VmRSS", "Threads"))}
            self.verdict.samples.append(
                Sample(
                    day=round(day, 2),
                    rss_kb=int(numbers["VmRSS"]),
                    fds=len(list(Path(f"/proc/{world.pid}/fd").iterdir())),
                    threads=int(numbers["Threads"]),
                    written_mb=(world.written_before + world.written_bytes()) / 1e6,
                    card_mb=world.card_bytes() / 1e6,
                    outbox_mb=world.outbox.stat().st_size / 1e6,
                    waiting=waiting_reports(world.outbox),
                )
            )

    def _settle(self, world: SoakWorld) -> None:
        """Bring back what is away; a sensor that ended with reports that wait is started again to send them."""
        for _, undo in self._until:
            undo()
        world.look_into_outbox()
        end_s = time.monotonic() + DRAIN_S
        while waiting_reports(world.outbox) and time.monotonic() < end_s:
            if not world.running:
                world.start_sensor()
            time.sleep(1.0)
            world.look_into_outbox()
        world.look_into_outbox()
        self.verdict.drained = waiting_reports(world.outbox) == 0

    def _compare(self, world: SoakWorld) -> None:
        verdict = self.verdict
        rows = stored_reports(world.database.dsn(), SENSOR)
        verdict.rows, verdict.quarters = len(rows), len({row.period_start for row in rows})
        verdict.quarantined = world.quarantined()
        verdict.differing = [str(difference) for difference in differences(world.closed.values(), rows)]
        verdict.differing += self._beside_the_street(rows)
        verdict.unsound = unsound(verdict.samples, verdict.days)

    def _beside_the_street(self, rows: list[Report]) -> list[str]:
        """Compare with what truly crossed: each quarter that nothing befell exactly, and all of them in their sum."""
        frames = np.arange(round(self.verdict.days * FRAMES_A_DAY))
        kind = kinds(frames)
        kind[is_away(frames, self.gaps)] = -1
        offset_s = np.zeros(len(frames))
        for jump in self.jumps:
            offset_s[frames * STEP_S >= jump.day * DAY_S] = jump.offset_s
        quarter = ((self.start_s + frames * STEP_S + offset_s) // QUARTER_S).astype(np.int64)
        first, crossed = int(quarter.min()), kind >= 0
        truth = np.zeros((int(quarter.max()) - first + 1, KINDS), np.int64)
        np.add.at(truth, (quarter[crossed] - first, kind[crossed]), 1)
        expected = truth @ booking()
        table = np.zeros_like(expected)
        touched = np.zeros(len(truth), bool)
        for row in rows:
            place = int(row.period_start.timestamp()) // QUARTER_S - first
            table[place] += booked(row)
            touched[place] |= bool(row.flags & BEFALLEN)
        jumped = np.flatnonzero(np.diff(offset_s))
        wrong = np.unique(np.concatenate([quarter[offset_s != 0], quarter[jumped], quarter[jumped + 1]])) - first
        for aside in (-1, 0, 1):  # the clock was wrong: what belongs to a closed quarter stands in a later one
            touched[np.clip(wrong + aside, 0, len(touched) - 1)] = True
        self.verdict.crossings, self.verdict.untouched = int(crossed.sum()), int((~touched).sum())
        self.verdict.lost_crossings = int(expected.sum() - table.sum())
        lines = [
            f"{datetime.fromtimestamp((first + int(n)) * QUARTER_S, UTC):%Y-%m-%d %H:%M}: crossed {expected[n].tolist()}, "
            f"table {table[n].tolist()}"
            for n in np.flatnonzero((table != expected).any(axis=1) & ~touched)
        ]
        if not 0 <= self.verdict.lost_crossings <= self.verdict.lost_bound:
            lines.append(
                f"{self.verdict.lost_crossings} crossings lost, {self.verdict.lost_bound} may be by power cuts"
            )
        return lines


BOOKED = ("pedestrian", "bike", "car", "heavy")


def booked(report: Report) -> list[int]:
    """Return the counts of a report, without those that are parts of others."""
    pairs = [getattr(report.counts, name) for name in BOOKED]
    return [number for pair in pairs for number in (pair.lft, pair.rgt)]


def booking() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return which column each kind of crossing is booked in."""
    matrix = np.zeros((KINDS, 2 * len(BOOKED)), np.int64)
    for number, name in enumerate(CLASSES):
        for side in (0, 1):
            matrix[2 * number + side, 2 * BOOKED.index(COUNTED_AS[name][0]) + side] = 1
    return matrix


SETTLED_SHARE = 60 / YEAR_DAYS  # from here on the process is one and the same
RSS_GROWTH_KB = 2048
FDS_MORE = 5  # a connection that is being made while the one before it ends, a write-ahead log that is opened anew
WRITTEN_MORE = 1.25


def unsound(samples: list[Sample], days: float) -> list[str]:
    """Say what grew: the last quarter of the run beside the first after its restarts."""
    late = [sample for sample in samples if sample.day > SETTLED_SHARE * days]
    if len(late) < 8:
        return ["too few samples to say whether anything grew"]
    part = len(late) // 4
    begin, end = late[:part], late[-part:]
    lines = []
    grown_kb = np.median([s.rss_kb for s in end]) - np.median([s.rss_kb for s in begin])
    if grown_kb > RSS_GROWTH_KB:
        lines.append(f"memory grew by {grown_kb:.0f} kB")
    if (most := max(s.fds for s in late)) > np.median([s.fds for s in begin]) + FDS_MORE:
        lines.append(f"file descriptors grew from {np.median([s.fds for s in begin]):.0f} to {most}")
    if (ends := a_day(end)) > WRITTEN_MORE * (begins := a_day(begin)) + 1:
        lines.append(f"{begins:.1f} MB a day were written first, {ends:.1f} at the end")
    if end[-1].outbox_mb > 2 * begin[-1].outbox_mb + 4:
        lines.append(f"the outbox grew from {begin[-1].outbox_mb:.1f} to {end[-1].outbox_mb:.1f} MB")
    return lines


def a_day(samples: list[Sample], name: str = "written_mb") -> float:
    """Return megabytes a day between the first and the last sample."""
    first, last = samples[0], samples[-1]
    return float((getattr(last, name) - getattr(first, name)) / max(last.day - first.day, 1e-9))


def as_json(verdict: YearVerdict) -> bytes:
    """Return everything as JSON."""
    return msgspec.json.format(msgspec.json.encode(asdict(verdict) | {"green": verdict.green}))
