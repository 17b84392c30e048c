"""What a file must be asked before a row of it is taken: shapes that read well and mean something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from telstraat_store.imports.columns import Layout, count_column, plain_name
from telstraat_store.imports.moments import Written, is_short_date

QUARTER_S, HOUR_S, DAY_LEAST_S = 900, 3600, 82_800
ROWS_LEAST = 4
"""So many rows at one distance show a step; fewer may be hours with gaps between them."""


def about_columns(layout: Layout) -> str:
    """Return what is wrong with the names of the columns, or nothing."""
    plain = [name.strip().lower() for name in layout.names]
    read = [layout.names[place].strip().lower() for place in (layout.start, layout.segment, *layout.counts.values()) if place >= 0]  # fmt: skip
    doubled = sorted(name for name in set(read) if name and plain.count(name) > 1)
    if doubled:
        return f"several columns are called {doubled[0]!r}; columns of different names are needed: rename one"
    if layout.kind not in {"table", "plain"}:
        return ""
    first: dict[str, str] = {}
    for place, name in enumerate(layout.names):
        column = count_column(name)
        if column is None or place == layout.start:
            continue
        if column in first:
            return (
                f"the columns {first[column]!r} and {name!r} are both {column}; leave one of the two out, or rename it"
            )
        first[column] = name
    return ""


def left_out(layout: Layout) -> list[str]:
    """Return the columns of a table that are not read."""
    if layout.kind not in {"table", "plain"}:
        return []
    places = {layout.start, layout.clock, layout.segment, layout.instance, layout.period, layout.uptime, layout.observed_s,
              layout.corrected, layout.v85, *layout.histograms, *layout.bins, *layout.counts.values()}  # fmt: skip
    return [name for place, name in enumerate(layout.names) if name and place not in places]


def about_line(layout: Layout, number: int, cells: Sequence[object]) -> str:
    """Return what a line says against the header: numbers under no name, or another header."""
    if layout.kind in {"table", "plain"} and layout.counts:
        leftmost = min(layout.counts.values())
        for place in range(leftmost + 1, min(len(layout.names), len(cells))):
            if not layout.names[place] and is_number(cells[place]):
                named = next(name for name in reversed(layout.names[:place]) if name)
                return (
                    f"line {number} has {cells[place]!r} in a column without a name, right of {named!r}; name every column "
                    "(car_lft, car_rgt), merged cells included"
                )
    start = cells[layout.start] if layout.start < len(cells) else None
    if isinstance(start, str) and plain_name(start) == plain_name(layout.names[layout.start]):
        again = [plain_name(str(cell or "")) for cell in cells]
        if again != [plain_name(name) for name in layout.names]:
            return f"line {number} is a header with other columns: these are two files; read them one by one"
    return ""


def is_number(value: object) -> bool:
    """Tell a cell that holds a number, whatever its marks."""
    if isinstance(value, str):
        digits = value.strip().replace(",", "").replace(".", "")
        return digits.isascii() and digits.isdigit()
    return isinstance(value, int | float) and not isinstance(value, bool)


def about_clocks(clocks: Iterable[object]) -> str:
    """Return what to ask about a column of hours: 1 to 24 counts the hours of a day, and is no time of day."""
    hours = {str(clock).strip().split(":")[0].lstrip("0") or "0" for clock in clocks if clock is not None}
    if "24" in hours and "1" in hours and "0" not in hours:
        return "hours go from 1 to 24: is hour 1 from 0:00 to 1:00, or from 1:00 to 2:00? Write the hour that each row starts, 0 to 23"
    return ""


def about_mixed_dates(starts: Iterable[object]) -> str:
    """Return what to ask about a spreadsheet whose dates are partly dates, partly texts.

    A spreadsheet of another language turns 3/4 into a date, day and month swapped, and leaves 13/4 a text.
    """
    are_dates, text = False, ""
    for value in starts:
        if isinstance(value, str):
            text = text or (value if is_short_date(value) else "")
        else:
            are_dates |= value is not None
    if are_dates and text:
        return (
            f"some dates are dates of the spreadsheet, others are texts such as {text!r}: day and month of the former may be "
            "swapped; import the original file again, or save it as CSV"
        )
    return ""


def about_steps(starts: Sequence[datetime], street: str, zone: ZoneInfo | None) -> str:
    """Return what to ask about rows of ONE street that do not say how long they are, by how far they are apart."""
    known = sorted(set(starts))
    gaps = [int((later - earlier).total_seconds()) for earlier, later in pairwise(known)]
    if not gaps:
        return ""
    gap, times = Counter(gaps).most_common(1)[0]
    if gap < QUARTER_S and 2 * times > len(gaps):
        return f"the rows of {street!r} are {gap / 60:g} minutes apart; add them up to quarters of an hour first"
    if min(gaps) > HOUR_S and times + 1 >= ROWS_LEAST and 2 * times > len(gaps) and not are_days(known, zone):
        return (
            f"the rows of {street!r} are {gap / HOUR_S:g} hours apart, and nothing says how long each is; add a column period_s "
            "(3600 for an hour), or add up whole days and write their dates"
        )
    return ""


def are_days(starts: Sequence[datetime], zone: ZoneInfo | None) -> bool:
    """Tell rows that are whole days: all start at midnight on the street's clock, on more than one day."""
    local = [at if zone is None or at.tzinfo is None else at.astimezone(zone) for at in starts]
    return len({at.date() for at in local}) > 1 and all(_is_midnight(at) for at in local)


def are_midnights(written: Iterable[Written]) -> bool:
    """Tell times without an offset of which each is a midnight, as spreadsheets write dates; on more than one day."""
    clocks = {moment.clock if moment.offset is None else None for moment in written}
    return len(clocks) > 1 and all(clock is not None and _is_midnight(clock) for clock in clocks)


def _is_midnight(at: datetime) -> bool:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) == timedelta(0)
