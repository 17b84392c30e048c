"""One file of counts, read twice: first for how it is written (marks, dates, zone, steps), then row by row.

What a file does not prove about itself is asked for, and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from telstraat_contract.steps import steps_of
from telstraat_store.errors import CountsFileError
from telstraat_store.imports import clocks, questions
from telstraat_store.imports.columns import Format, Layout, is_header, layout_of
from telstraat_store.imports.moments import Moments, MomentTextError, Order, Times, Written, checked, utc_of
from telstraat_store.imports.numbers import Decimal, Numbers, whole_number
from telstraat_store.imports.rows import CellError, CellReader, Refusal, Row, as_refusal, shortened
from telstraat_store.imports.sheets import Sheet, open_sheet

PERCENT_SHARE = 0.9
"""Uptimes are in percent when that many of them are too large for a share."""

WITHOUT_COUNTS = frozenset({"missing", "withheld", "not_yet"})
"""States of a period in our own files; what has counts is `counted`, and files from before have no such column."""

Street = tuple[str, str]


@dataclass(frozen=True)
class Reading:
    """What is known of a file beside the file. What is None must be proven by the file, or is asked for."""

    zone_of: Callable[[str], ZoneInfo | None]  # the time zone of a street, by its name in the file
    times: Times | None = None  # of times without an offset
    dates: Order | None = None
    decimal: Decimal | None = None
    kind: Format | None = None
    are_corrected: bool = True  # of files that do not say


@dataclass
class _Series:
    """The starts of one street, in the order of the file, and what became of them."""

    numbers: list[int] = field(default_factory=list)
    written: list[Written | MomentTextError] = field(default_factory=list)
    periods: list[int | None] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    has_counts: list[bool] = field(default_factory=list)
    starts: list[datetime | MomentTextError] = field(default_factory=list)

    def check(self, zone: ZoneInfo | None) -> None:
        """Refuse starts that cannot be the start of their period."""
        for place, (start, period_s) in enumerate(zip(self.starts, self.periods, strict=True)):
            if isinstance(start, datetime):
                try:
                    checked(start, period_s or 900, zone)
                except MomentTextError as error:
                    self.starts[place] = error


class CountsFile:
    """A file of counts that is understood.

    Parameters
    ----------
    path
        CSV in any usual encoding and separator, JSON, .xlsx, Parquet or Arrow; .gz of any of them.
    reading
        What is known of it.

    Raises
    ------
    CountsFileError
        The file cannot be read as counts, or a question about it has no answer.
    """

    def __init__(self, path: Path, reading: Reading) -> None:
        self.path = path
        self.reading = reading
        self.sheet: Sheet = open_sheet(path, is_header)
        self.layout: Layout = layout_of(self.sheet.columns, default_kind=reading.kind)
        self.notes = list(self.sheet.notes)
        self._default_street = path.name.split(".")[0]
        self._refuse(questions.about_columns(self.layout))
        numbers, self._moments, is_percent = self._survey()
        self._cells = CellReader(self.layout, numbers, is_percent, reading.are_corrected)
        self._series = self._collect()
        self._settle()

    @property
    def kind(self) -> Format:
        """Return which of the known formats the file has."""
        return self.layout.kind

    def rows(self) -> Iterator[Row | Refusal]:
        """Yield each line of the file: a row, or why it was refused."""
        place: dict[Street, int] = {}
        for number, cells in self._lines():
            street = self._cells.street(cells, self._default_street)
            series, turn = self._series[street], place.get(street, 0)
            place[street] = turn + 1
            start, period_s = series.starts[turn], series.periods[turn]
            try:
                self._check_width(cells)
                yield self._cells.row(number, cells, street, self._known(start, cells), period_s)
            except CellError as error:
                yield as_refusal(number, self.layout.names, cells, error)

    def _lines(self) -> Iterator[tuple[int, Sequence[object]]]:
        """Yield the lines that are about counts: ours also tell of periods that have none, and why."""
        place = self.layout.state
        for number, cells in self.sheet.rows():
            if not (0 <= place < len(cells) and str(cells[place] or "").strip().lower() in WITHOUT_COUNTS):
                yield number, cells

    def _check_width(self, cells: Sequence[object]) -> None:
        width = len(self.sheet.columns)
        if all(cell is None or cell == "" for cell in cells[width:]):
            return
        line = (self.sheet.separator or ",").join("" if cell is None else str(cell) for cell in cells)
        problem = f"has {len(cells)} cells, the header {width}; put numbers with a comma into quotes, or separate cells by semicolons"
        raise CellError("the line", line, problem)

    def _known(self, start: datetime | MomentTextError, cells: Sequence[object]) -> datetime:
        if isinstance(start, datetime):
            return start
        place = self.layout.start
        raise CellError(self.layout.names[place], cells[place] if place < len(cells) else None, start)

    def _refuse(self, problem: str) -> None:
        if problem:
            raise CountsFileError(f"{self.path}: {problem}")

    def _survey(self) -> tuple[Numbers, Moments, bool]:
        """Read all distinct cells once, for what they prove about marks, dates and percent."""
        numbers, moments = Numbers(self.reading.decimal), Moments(self.reading.dates)
        layout = self.layout
        counted = [*layout.counts.values(), layout.v85]
        seen: set[object] = set()
        uptimes = above = 0
        self._refuse(questions.about_mixed_dates(_cell(cells, layout.start) for _, cells in self._lines()))
        for number, cells in self._lines():
            self._refuse(questions.about_line(layout, number, cells))
            for place in (*counted, layout.uptime):
                value = cells[place] if 0 <= place < len(cells) else None
                if isinstance(value, str) and value not in seen:
                    seen.add(value)
                    numbers.look(
                        value.split()[-1].rstrip("%") if place == layout.uptime and value.split() else value.strip()
                    )
            value = _cell(cells, layout.start)
            if isinstance(value, str) and value not in seen:
                seen.add(value)
                moments.look(value)
            share = _as_share(_cell(cells, layout.uptime))
            uptimes += share > 0
            above += share > 1.5
        is_percent = layout.uptime_is_percent or (uptimes > 0 and above >= PERCENT_SHARE * uptimes)
        if is_percent and layout.kind != "telraam-portal":
            self.notes.append(f"{self.path.name}: uptime is read as percent")
        if names := questions.left_out(layout):
            self.notes.append(
                f"{self.path.name}: columns that are not read: {', '.join(name[:40] for name in names[:8])}"
            )
        return numbers, moments, is_percent

    def _collect(self) -> dict[Street, _Series]:
        """Read who and when of every row."""
        out: dict[Street, _Series] = {}
        layout = self.layout
        has_clock = layout.clock >= 0 and self._are_days_only()
        if has_clock:
            self._refuse(questions.about_clocks({_cell(cells, layout.clock) for _, cells in self._lines()}))
        known: dict[object, Written | MomentTextError] = {}
        for number, cells in self._lines():
            series = out.setdefault(self._cells.street(cells, self._default_street), _Series())
            value, clock = _cell(cells, layout.start), _cell(cells, layout.clock) if has_clock else None
            if (value, clock) not in known:
                known[value, clock] = self._written(value, clock)
            series.numbers.append(number)
            series.written.append(known[value, clock])
            try:
                series.periods.append(self._cells.period_s(cells))
            except CellError:
                series.periods.append(None)
            series.totals.append(self._total(cells) if self.reading.times and layout.start_is == "" else 0.0)
            series.has_counts.append(any(_cell(cells, place) not in {None, ""} for place in layout.counts.values()))
        return out

    def _are_days_only(self) -> bool:
        """Tell whether the starts are dates, and the times of day stand in a column of their own."""
        for value in {_cell(cells, self.layout.start) for _, cells in self._lines()} - {None, ""}:
            try:
                written = self._moments.read(value)
            except MomentTextError:
                continue
            if written.offset is not None or (written.has_time and written.clock.time() != time(0)):
                return False
        return True

    def _written(self, value: object, clock: object) -> Written | MomentTextError:
        if value is None or value == "":
            return MomentTextError("is empty; write the start of the period")
        try:
            written = self._moments.read(value)
            if clock is not None and clock != "":
                return self._moments.read(f"{written.clock:%Y-%m-%d} {_time_of_day(clock)}")
        except MomentTextError as error:
            return error if clock is None else MomentTextError(f"with {shortened(clock)!r} {error}")
        return written

    def _total(self, cells: Sequence[object]) -> float:
        total = 0.0
        for place in self.layout.counts.values():
            try:
                total += self._cells.number(cells, place, 1e6) or 0.0
            except CellError:
                continue
        return total

    def _settle(self) -> None:
        """Turn what is written into UTC, and tell the length of each period."""
        readable = [
            moment for series in self._series.values() for moment in series.written if isinstance(moment, Written)
        ]
        are_days = bool(readable) and not any(moment.has_time for moment in readable)
        are_days |= self.layout.period < 0 and self.layout.clock < 0 and questions.are_midnights(readable)
        times = self.reading.times
        if self.layout.start_is and not any(moment.offset is not None for moment in readable):
            times = "utc" if self.layout.start_is == "utc" else "local"
        elif times is None and are_days:
            times = "local"
        elif readable and times is None and all(moment.offset is None for moment in readable):
            raise CountsFileError(self._question(readable[0]))
        for (street, _), series in self._series.items():
            zone = self.reading.zone_of(street)
            self._check_word(street, series, zone)
            if not are_days:
                _refuse_bare_dates(series)
            series.starts = _starts(series, times, zone, street)
            if are_days:
                series.periods = [86_400] * len(series.periods)
        if self.layout.period < 0 and not are_days and self.layout.kind != "telraam-api":
            for (street, _), series in self._series.items():
                zone = self.reading.zone_of(street)
                starts = [at for at in series.starts if isinstance(at, datetime)]
                self._refuse(questions.about_steps(starts, street, zone))
                _tell_steps(series, are_days=questions.are_days(starts, zone))
        for (street, _), series in self._series.items():
            series.check(self.reading.zone_of(street))

    def _question(self, first: Written) -> str:
        return (
            f"{self.path}: times such as {first.clock:%Y-%m-%d %H:%M} do not say how far from UTC they are: are they local or "
            'UTC? Say times = "local" or times = "utc" (in a measure: under [data]; on the command line: --times), or write '
            "2026-03-01T10:00:00+01:00"
        )

    def _check_word(self, street: str, series: _Series, zone: ZoneInfo | None) -> None:
        """Refuse a file whose own times contradict the word that was given about them."""
        times = self.reading.times
        if times is None or zone is None or self.layout.start_is:
            return
        pairs = [
            (moment.clock, total)
            for moment, total, is_counted in zip(series.written, series.totals, series.has_counts, strict=True)
            if isinstance(moment, Written) and moment.offset is None and moment.has_time and is_counted
        ]
        reason = clocks.contradiction([at for at, _ in pairs], [total for _, total in pairs], zone, times)
        if reason:
            other = "utc" if times == "local" else "local"
            raise CountsFileError(
                f"{self.path}: times = {times!r} was said, but the times of {street!r} speak against it: {reason}; say "
                f"times = {other!r}, correct the file, or write times with their offset"
            )


def _cell(cells: Sequence[object], place: int) -> object:
    """Return a cell as something that can be looked up: JSON and Arrow hold lists and objects, too."""
    value = cells[place] if 0 <= place < len(cells) else None
    return str(value) if isinstance(value, list | dict) else value


def _time_of_day(clock: object) -> str:
    """Return a time of day as text: hours, times, parts of a day (spreadsheets), and the start of 10:00-11:00."""
    if isinstance(clock, time | datetime):
        return f"{clock:%H:%M:%S}"
    if isinstance(clock, float) and 0 < clock < 1:
        return f"{datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=round(86_400 * clock)):%H:%M:%S}"
    text = str(clock).strip().split("-")[0].strip()
    hour = whole_number(text.removesuffix(".0"))
    return text if hour is None else f"{hour:02}:00"


def _as_share(value: object) -> float:
    if isinstance(value, bool) or value is None:
        return 0.0
    try:
        return float(value) if isinstance(value, int | float) else float(str(value).replace(",", "."))
    except (ValueError, OverflowError):
        return 0.0


def _refuse_bare_dates(series: _Series) -> None:
    """Refuse dates without a time between times: a line of the day's total, or a midnight whose time was left out."""
    for place, moment in enumerate(series.written):
        if isinstance(moment, Written) and not moment.has_time:
            series.written[place] = MomentTextError(
                "has no time of day, and other lines have one; write midnight as 2026-03-01T00:00, and leave totals of a day out"
            )


def _starts(
    series: _Series, times: Times | None, zone: ZoneInfo | None, street: str
) -> list[datetime | MomentTextError]:
    out: list[datetime | MomentTextError] = []
    naive: list[int] = []
    for place, moment in enumerate(series.written):
        try:
            if isinstance(moment, MomentTextError):
                out.append(moment)
            elif moment.offset is not None or times == "utc":
                out.append(utc_of(moment))
            elif times is None:
                out.append(
                    MomentTextError(
                        'has no offset from UTC; write 2026-03-01T10:00:00Z, or say times = "local" or "utc"'
                    )
                )
            elif zone is None:
                out.append(
                    MomentTextError(f"is local, and {street!r} is not one of ours: its local times cannot be read")
                )
            else:
                naive.append(place)
                out.append(moment.clock)
        except MomentTextError as error:
            out.append(error)
    if naive and zone is not None:
        local = [moment.clock for place in naive if isinstance(moment := series.written[place], Written)]
        for place, at in zip(naive, clocks.in_utc(local, zone), strict=True):
            out[place] = at
    return out


def _tell_steps(series: _Series, *, are_days: bool) -> None:
    """Tell how long each period is from where the next one starts."""
    known = sorted({int(at.timestamp()) for at in series.starts if isinstance(at, datetime)})
    step_of = dict(zip(known, steps_of(known), strict=True))
    alone = 900 if len(known) == 1 and datetime.fromtimestamp(known[0], UTC).minute % 30 else 3600
    for place, at in enumerate(series.starts):
        if isinstance(at, datetime):
            step = alone if len(known) == 1 else step_of[int(at.timestamp())]
            series.periods[place] = 86_400 if are_days else step
