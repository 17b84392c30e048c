"""One period of one street as its file has it, and how a row of cells becomes one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from telstraat_contract.road_users import COUNT_COLUMNS, COUNTED
from telstraat_store.imports.columns import Layout
from telstraat_store.imports.numbers import Numbers, NumberTextError

COUNT_MAX = 1e6
UPTIME_MAX = 2.0
"""Above 1 in old rows of others (up to 1.16 was seen)."""
V85_MAX = 300.0
DAY_S = (82_800, 86_400, 90_000)
PERIODS_S = {"hourly": 3600, "hour": 3600, "60": 3600, "quarterly": 900, "quarter": 900, "daily": 86_400, "day": 86_400}
TEXT_MAX = 500


class CellError(Exception):
    """A cell that cannot be taken; the text names the column and the cell, and says what to change."""

    def __init__(self, column: str, value: object, problem: object) -> None:
        super().__init__(f"{column} {shortened(value)!r} {problem}")


@dataclass(frozen=True, slots=True)
class Row:
    """One period of one street: counts for the whole period, as the file has them; None is what was not counted."""

    number: int
    street: str
    period_start: datetime
    period_s: int
    uptime: float
    counts: tuple[float | None, ...]  # as `COUNT_COLUMNS`
    totals: tuple[float | None, ...]  # as `COUNTED`, where the file has them
    v85_kmh: float | None = None
    car_speed: tuple[float, ...] | None = None
    is_corrected: bool = True  # divided by uptime; otherwise as seen
    instance: str = ""


@dataclass(frozen=True)
class Refusal:
    """A line that cannot be taken: where it stands, why, and what stands there."""

    number: int
    reason: str
    line: str


def clean_text(text: str) -> str:
    """Return a text as databases and screens take it: without zero bytes and halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def shortened(value: object) -> str:
    """Return a cell as a message shows it."""
    text = "" if value is None else clean_text(str(value))
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass
class CellReader:
    """Reads the cells of a row, each by its column."""

    layout: Layout
    numbers: Numbers
    uptime_is_percent: bool = False
    counts_are_corrected: bool = True
    _known: dict[tuple[str, float], float] = field(default_factory=dict)

    def street(self, cells: Sequence[object], default: str) -> tuple[str, str]:
        """Return the street's name in the file, and that of the installation."""
        street = self._name(cells, self.layout.segment)
        instance = self._name(cells, self.layout.instance)
        if street in {"", "-1"} and self.layout.segment >= 0:
            street = instance
        return (street if self.layout.segment >= 0 else default), ("" if instance == "-1" else instance)

    def _name(self, cells: Sequence[object], place: int) -> str:
        value = cells[place] if 0 <= place < len(cells) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None else clean_text(str(value)).strip().removesuffix(".0")

    def number(self, cells: Sequence[object], place: int, largest: float) -> float | None:
        """Return a number between 0 and `largest`, or None where the cell is empty."""
        value = cells[place] if 0 <= place < len(cells) else None
        if value is None or value == "":
            return None
        if isinstance(value, str):
            known = self._known.get((value, largest))
            if known is None:
                known = self._known[value, largest] = self._checked(place, value, largest)
            return known
        return self._checked(place, value, largest)

    def _checked(self, place: int, value: object, largest: float) -> float:
        column = self.layout.names[place]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            number = float(value) if is_number else self.numbers.read(str(value))  # type: ignore[arg-type]
        except NumberTextError as error:
            raise CellError(column, value, error) from error
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or not 0 <= number <= largest:
            raise CellError(column, value, f"is not between 0 and {largest:g}; correct it, or leave it empty")
        return number

    def period_s(self, cells: Sequence[object]) -> int | None:
        """Return how long the period is, where the row says so."""
        place = self.layout.period
        if place < 0:
            return 3600 if self.layout.kind == "telraam-api" else None
        value = cells[place] if place < len(cells) else None
        if self.layout.kind == "telraam-api" and (value is None or value == ""):
            return 3600
        text = str(value or "").strip().lower()
        if text in PERIODS_S:
            return PERIODS_S[text]
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if seconds in {900, 1800, 3600}:
            return int(seconds)
        if seconds in DAY_S:
            return 86_400
        problem = "is neither 900, 1800 nor 3600; write the length of the period in seconds"
        if self.layout.names[place] == "interval":
            problem = "is neither hourly nor quarterly; write how long the period is"
        raise CellError(self.layout.names[place], value, problem)

    def uptime(self, cells: Sequence[object], period_s: int) -> float:
        """Return the share of the period that was observed."""
        layout = self.layout
        if layout.uptime < 0:
            seconds = self.number(cells, layout.observed_s, 10 * 86_400)
            return 1.0 if layout.observed_s < 0 else min((seconds or 0.0) / period_s, UPTIME_MAX)
        value = cells[layout.uptime] if layout.uptime < len(cells) else None
        column = layout.names[layout.uptime]
        if value is None or value == "":
            if layout.kind == "plain":
                raise CellError(column, value, "uptime is empty; 1 means counted all the time")
            return 0.0
        if isinstance(value, str) and layout.kind == "telraam-portal":
            word = value.split()[-1] if value.split() else ""
            try:
                number = self.numbers.read(word)
            except NumberTextError as error:
                raise CellError(column, value, "does not end in a number; write the uptime, 0 to 1") from error
            if number > UPTIME_MAX:
                raise CellError(column, value, f"is not between 0 and {UPTIME_MAX:g}; write the uptime, 0 to 1")
            return number
        if isinstance(value, str) and value.rstrip().endswith("%"):
            try:
                return min(self.numbers.read(value.rstrip()[:-1].strip()) / 100, UPTIME_MAX)
            except NumberTextError as error:
                raise CellError(column, value, error) from error
        share = 100 if self.uptime_is_percent else 1
        return (self.number(cells, layout.uptime, UPTIME_MAX * share) or 0.0) / share

    def is_corrected(self, cells: Sequence[object]) -> bool:
        """Tell whether the counts were divided by uptime."""
        place = self.layout.corrected
        if place < 0:
            return self.counts_are_corrected
        word = str(cells[place] if place < len(cells) and cells[place] is not None else "").strip().lower()
        if word in {"yes", "no", "true", "false", "1", "0"}:
            return word in {"yes", "true", "1"}
        raise CellError(self.layout.names[place], word, "is neither yes nor no: were the counts divided by uptime?")

    def car_speed(self, cells: Sequence[object]) -> tuple[float, ...] | None:
        """Return 25 shares of 5 km/h or 8 of 10 km/h, in percent."""
        for place in self.layout.histograms:
            if place < len(cells) and (shares := self._histogram(place, cells[place])):
                return shares
        if self.layout.bins:
            binned = tuple(self.number(cells, place, 100) or 0.0 for place in self.layout.bins)
            return binned if len(binned) == 8 and any(binned) else None
        return None

    def _histogram(self, place: int, value: object) -> tuple[float, ...] | None:
        column = self.layout.names[place]
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                value = json.loads(value)
            except (ValueError, RecursionError) as error:
                raise CellError(column, value, "is not a list; write the shares as [0, 1.5, ...]") from error
        if not value:
            return None
        if not isinstance(value, list | tuple) or len(value) not in {8, 25}:
            raise CellError(column, value, "has neither 8 nor 25 bins; write all shares, or leave it empty")
        try:
            shares = tuple(float(share) if isinstance(share, int | float) else math.nan for share in value)
        except OverflowError:
            shares = (math.nan,)
        largest = COUNT_MAX if column == "car_speed" else 100.001
        if not all(math.isfinite(share) and 0 <= share <= largest for share in shares):
            raise CellError(column, value, f"holds a share that is not between 0 and {largest:g}; correct it")
        if self.layout.kind == "telstraat" and any(shares):
            return tuple(100 * share / sum(shares) for share in shares)
        return shares if any(shares) else None

    def row(
        self, number: int, cells: Sequence[object], street: tuple[str, str], start: datetime, period_s: int | None
    ) -> Row:
        """Return a row whose time is known.

        Raises
        ------
        CellError
            The first cell that cannot be taken.
        """
        places = self.layout.counts
        if period_s is None:  # it could not be read
            period_s = self.period_s(cells) or 3600
        counts = tuple([self.number(cells, places.get(name, -1), COUNT_MAX) for name in COUNT_COLUMNS])
        totals = tuple([self.number(cells, places.get(name, -1), COUNT_MAX) for name in COUNTED])
        place = self.layout.uptime
        if (
            place >= 0
            and any(counts) | any(totals)
            and (place >= len(cells) or cells[place] is None or cells[place] == "")
        ):
            raise CellError(
                self.layout.names[place],
                "",
                "is empty, and something was counted; write 1 if all of the period was seen",
            )
        return Row(
            number,
            street[0],
            start,
            period_s,
            self.uptime(cells, period_s),
            counts,
            totals,
            self.number(cells, self.layout.v85, V85_MAX),
            self.car_speed(cells),
            self.is_corrected(cells),
            street[1],
        )


def as_refusal(number: int, names: Sequence[str], cells: Sequence[object], error: Exception) -> Refusal:
    """Return why a line was refused, with what stands there."""
    known = {name: value for name, value in zip(names, cells, strict=False) if value is not None and value != ""}
    line = json.dumps(known, default=str, ensure_ascii=False)[:TEXT_MAX]
    return Refusal(number, clean_text(str(error)), clean_text(line))
