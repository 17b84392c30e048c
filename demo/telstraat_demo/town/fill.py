"""Bring the town's past into the table: what is missing since the last run, never twice, with a note of how far it is.

What one run writes of a watch is a stream of its own, named after where it begins: a run that was killed writes the same rows
again, which the table has already. From the moment up to which it was filled on, the sensors are clients of the broker.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_demo.town.cast import Cast, SensorStay
from telstraat_demo.town.history import Drawn, draw
from telstraat_demo.town.plan import TownPlan, epoch_of
from telstraat_firmware_sim.demand.demand import Town
from telstraat_store.counts.rollup import refresh
from telstraat_store.places.fleet import fleet_gauges
from telstraat_store.reports.past import settle, write_past
from telstraat_store.summaries.refreshing import refresh_all

FILLED_FILE = "filled.json"
PROGRESS_FILE = "progress.json"
MARKS_AT_ONCE = 500
SUMS_SHARE = 0.75
"""Of the whole work, what adding hours and days up is."""
WAIT_S = 0.3


class FillProgress(msgspec.Struct, frozen=True):
    """How far the town's history is: a share of 1, and how many quarters of an hour this run has written."""

    share: float = 0.0
    quarters: int = 0
    stories: bool = False
    """Whether what people did is in the database too, the evaluation included."""

    @property
    def percent(self) -> int:
        """The share in whole percent: 100 only when it is all."""
        return int(self.share * 100)

    @property
    def is_full(self) -> bool:
        """Whether all counts are there, and added up."""
        return self.share >= 1.0


def read_fill_progress(folder: Path) -> FillProgress:
    """Return how far the town of a folder is."""
    try:
        return msgspec.json.decode((folder / PROGRESS_FILE).read_bytes(), type=FillProgress)
    except (OSError, msgspec.MsgspecError):
        return FillProgress()


def write_fill_progress(folder: Path, progress: FillProgress) -> None:
    """Note how far the town is; a full disk must not end it."""
    with contextlib.suppress(OSError):
        _write(folder / PROGRESS_FILE, msgspec.json.encode(progress))


def read_filled(folder: Path) -> dict[str, datetime]:
    """Return until when each watch has been filled."""
    try:
        return msgspec.json.decode((folder / FILLED_FILE).read_bytes(), type=dict[str, datetime])
    except FileNotFoundError:
        return {}


class TownFiller:
    """Fills one town's table up to a moment."""

    def __init__(self, folder: Path, plan: TownPlan, town: Town, cast: Cast, watches: tuple[SensorStay, ...]) -> None:
        self.folder, self.plan, self.town, self.cast, self.watches = folder, plan, town, cast, watches
        self.filled = read_filled(folder)
        self.quarters = 0

    def fill(
        self, dsn: str, until: datetime, sent_until: Callable[[str], datetime | None], note: Callable[[float], None]
    ) -> list[Drawn]:
        """Write everything before `until` that is missing, and return what each watch sees from then on.

        Parameters
        ----------
        dsn
            The database's address.
        until
            The start of a quarter, not in the future.
        sent_until
            Until when a sensor has closed quarters as a client of the broker, or None.
        note
            Hears which share of the reports is written.
        """
        eras = self.plan.eras(until)
        ahead: list[Drawn] = []
        with psycopg.connect(dsn, autocommit=True) as connection:
            for at, era in enumerate(eras):
                from_at = {watch.simulated: self._missing_from(watch, sent_until) for watch in self.watches}
                if at + 1 < len(eras) and min(from_at.values()) >= era.end:
                    continue  # all of it is there
                for number, drawn in enumerate(draw(self.plan, self.town, self.cast, self.watches, era), 1):
                    start = max(from_at[drawn.watch.simulated], era.start)
                    self._write(connection, drawn, start, min(until, era.end))
                    note((at + number / len(self.watches)) / len(eras))
                    if at + 1 == len(eras):
                        ahead.append(drawn)
        return ahead

    def since(self, drawn: Drawn, until: datetime) -> datetime:
        """Return from when on a sensor is a client: a clock that was set back gives it no quarter that was filled."""
        return max(until, self.filled.get(drawn.watch.simulated, until))

    def add_up(self, dsn: str, note: Callable[[float], None]) -> None:
        """Wait until hours and days are added up, and help (ingest does the same, one of both at a time); then sum streets up."""
        with psycopg.connect(dsn, autocommit=True) as connection:
            settle(connection)
            most = left = fleet_gauges(connection).dirty
            while left > len(self.watches):
                note(1.0 - left / most)
                if not refresh(connection, MARKS_AT_ONCE):
                    time.sleep(WAIT_S)
                left = fleet_gauges(connection).dirty
            refresh_all(
                connection, kinds_of_days, datetime.now(UTC)
            )  # those of a moment ago rest on a part of the counts

    def _missing_from(self, watch: SensorStay, sent_until: Callable[[str], datetime | None]) -> datetime:
        first = self.plan.first_moment
        return max(self.filled.get(watch.simulated, first), sent_until(watch.sensor) or first)

    def _write(self, connection: psycopg.Connection[Any], drawn: Drawn, start: datetime, end: datetime) -> None:
        if end <= start:
            return
        watch = drawn.watch
        epoch = epoch_of(drawn.seed, watch.simulated, start.isoformat())
        self.quarters += write_past(connection, watch.sensor, epoch, drawn.arrays(start, end))
        self.filled[watch.simulated] = end
        _write(self.folder / FILLED_FILE, msgspec.json.encode(self.filled))


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)
