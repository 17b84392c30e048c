"""What the town is, decided once at its first start and kept in a file: since when, from which seed, and on which days its story plays.

Later starts read it, so that the same town goes on. A period of the simulator cannot grow without changing all of it, so time is
cut into eras of fixed length: the first holds the months before the start and some weeks after it, later ones follow.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from telstraat_firmware_sim.demand.demand import random_of

PLAN_FILE = "overbeke.json"
MONTH = timedelta(days=365.25 / 12)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
ERA_AHEAD_DAYS = 60
PLAN_WEEKS_AGO = 21  # five months: weeks enough after it for an evaluation, and before it too
BEFORE_WEEKS_MIN = 8
ROADWORKS_WEEKS_AGO = 7
ROADWORKS_DAYS = 19
SILENT_DAYS = 9
MOVED_WEEKS_AGO = 8
SCHOOL_STREET_IN_WEEKS = 9


class Era(msgspec.Struct, frozen=True):
    """One period of the simulator: whole days of UTC."""

    number: int
    first_day: date
    days: int

    @property
    def start(self) -> datetime:
        """When it begins."""
        return datetime(self.first_day.year, self.first_day.month, self.first_day.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """When it is over."""
        return self.start + self.days * DAY


class TownPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A town's decisions; days are local, moments UTC."""

    seed: int
    months: float
    began_at: datetime
    """When the demo was started first."""
    scene: str
    """Which simulated street the real core counts: as busy is the past of its street in town."""
    live_from: datetime
    """Since when one street is counted by the real core; a whole hour."""

    @property
    def first_day(self) -> date:
        """The first day that was counted."""
        return min(self.began_at - self.months * MONTH, self.began_at - DAY).date()

    @property
    def first_moment(self) -> datetime:
        """When that day began, in UTC."""
        return datetime(self.first_day.year, self.first_day.month, self.first_day.day, tzinfo=UTC)

    @property
    def plan_day(self) -> date:
        """The Monday on which the circulation plan began."""
        return monday(self.began_at.date() - PLAN_WEEKS_AGO * WEEK)

    @property
    def knows_before(self) -> bool:
        """Whether there are counts from long enough before the circulation plan to say what it has done."""
        return self.first_day + BEFORE_WEEKS_MIN * WEEK <= self.plan_day

    @property
    def roadworks(self) -> tuple[date, date]:
        """The first day of the roadworks and the first one after them."""
        first = monday(self.began_at.date() - ROADWORKS_WEEKS_AGO * WEEK)
        return first, first + ROADWORKS_DAYS * DAY

    @property
    def silent_from(self) -> datetime:
        """Since when one sensor has not been heard; at half past the hour: a cable, not a plan."""
        return quarter(self._within(SILENT_DAYS * DAY), -5)

    @property
    def moved_at(self) -> datetime:
        """When one sensor went to another street."""
        return quarter(self._within(MOVED_WEEKS_AGO * WEEK), 2)

    @property
    def school_street_day(self) -> date:
        """The Monday on which the school street is to begin."""
        return monday(self.began_at.date() + SCHOOL_STREET_IN_WEEKS * WEEK)

    def _within(self, before: timedelta) -> datetime:
        """Return the moment so long before the start, or the middle of the town's past when that is shorter."""
        return self.began_at - min(before, (self.began_at - self.first_moment) / 2)

    def eras(self, until: datetime) -> list[Era]:
        """Return the periods of the simulator up to and with the one that holds `until`."""
        days = (self.began_at.date() - self.first_day).days + ERA_AHEAD_DAYS
        eras = [Era(0, self.first_day, days)]
        while eras[-1].end <= until:
            last = eras[-1]
            eras.append(Era(last.number + 1, last.first_day + last.days * DAY, days))
        return eras


def new_plan(seed: int, months: float, live_from: datetime, scene: str = "day") -> TownPlan:
    """Return the plan of a town that begins now; `live_from` is a whole hour."""
    now = datetime.now(UTC)
    return TownPlan(seed=seed, months=months, began_at=now, live_from=live_from, scene=scene)


def read_town_plan(folder: Path) -> TownPlan | None:
    """Return the plan of a folder, or None."""
    try:
        return msgspec.json.decode((folder / PLAN_FILE).read_bytes(), type=TownPlan)
    except FileNotFoundError:
        return None


def write_town_plan(folder: Path, plan: TownPlan) -> None:
    """Keep a plan: whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{PLAN_FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(plan)) + b"\n")
    draft.replace(folder / PLAN_FILE)


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - day.weekday() * DAY


def quarter(at: datetime, more: int = 0) -> datetime:
    """Return the beginning of the quarter of an hour that holds a moment, so many quarters later."""
    start_s = int(at.timestamp()) // 900 * 900
    return datetime.fromtimestamp(start_s + more * 900, UTC)


def epoch_of(seed: int, *words: str) -> int:
    """Return the number of a stream of reports: the same for the same words."""
    return int(random_of(seed, *words, "epoch").integers(1, 2**53 - 1))
