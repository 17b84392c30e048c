"""Local times in UTC: the hour that a clock shows twice, the one that it leaves out, and files whose word about their times is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from telstraat_store.imports.moments import MomentTextError, Times

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PROFILE_DAYS = 21
PROFILE_DAYS_LEAST = 7
BETTER = 0.5
"""A profile has jumped when it fits that much better with an hour's shift: half the squares."""

ASK_OFFSET = "write times with their offset from UTC"


def in_utc(clocks: Sequence[datetime], zone: ZoneInfo) -> list[datetime | MomentTextError]:
    """Return the times of ONE street, as its file has them in order, in UTC, or why one of them cannot be known.

    The hour that the clock shows twice is told by the order of the lines, ascending or descending, where it comes as two
    runs one after the other. A file that was sorted by local time mixes the two, and is not guessed at.
    """
    out: list[datetime | MomentTextError] = []
    doubled: dict[datetime, list[int]] = {}
    for place, clock in enumerate(clocks):
        first, second = (clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first > second:
            out.append(MomentTextError(f"does not exist in {zone.key}: the clock was put forward; {ASK_OFFSET}"))
        else:
            out.append(first)
            if first < second:
                doubled.setdefault(clock.replace(minute=0, second=0), []).append(place)
    rises = sum(later > earlier for earlier, later in pairwise(clocks))
    is_descending = 2 * rises < len(clocks) - 1
    nights: dict[datetime, list[int]] = {}
    for hour, places in doubled.items():
        nights.setdefault(hour - timedelta(hours=hour.hour), []).extend(places)
    for places in nights.values():
        _tell_apart(clocks, zone, sorted(places), out, is_descending=is_descending)
    return out


def _tell_apart(
    clocks: Sequence[datetime],
    zone: ZoneInfo,
    places: list[int],
    out: list[datetime | MomentTextError],
    *,
    is_descending: bool,
) -> None:
    values = [clocks[place] for place in places]
    turns = [
        number
        for number, (earlier, later) in enumerate(pairwise(values), start=1)
        if (later >= earlier if is_descending else later <= earlier)
    ]
    if len(turns) != 1 or (is_descending and len(values) == 2):
        why = (
            "stands once, but"
            if not turns
            else "stands twice in an order that does not tell the first from the second:"
        )
        problem = f"{why} the clock of {zone.key} showed this hour twice; {ASK_OFFSET}"
        for place in places:
            out[place] = MomentTextError(problem)
        return
    for number, place in enumerate(places):
        is_second = (number < turns[0]) == is_descending
        out[place] = clocks[place].replace(tzinfo=zone, fold=int(is_second)).astimezone(UTC)


def contradiction(clocks: Sequence[datetime], totals: Sequence[float], zone: ZoneInfo, times: Times) -> str:
    """Return what in a street's own times speaks against the word that they are local, or UTC; nothing when nothing does."""
    if not clocks:
        return ""
    seen = Counter(clocks)
    for day, is_forward in _changes(min(clocks), max(clocks), zone):
        gap = next(
            (at for at in (day + n * HOUR / 2 for n in range(48)) if _is_odd(at, zone, is_forward=is_forward)), None
        )
        if gap is None:
            continue
        if is_forward and times == "local" and seen[gap]:
            return f"they hold {gap:%Y-%m-%d %H:%M}, which the clock of {zone.key} left out"
        if is_forward and times == "utc" and _is_hole(seen, gap):
            return f"they leave out {gap:%Y-%m-%d %H:%M}, and so did the clock of {zone.key}"
        if not is_forward and times == "utc" and seen[gap] == 2 and seen[gap - DAY] == 1:
            return f"they hold {gap:%Y-%m-%d %H:%M} twice, and so did the clock of {zone.key}"
        if _jumps(clocks, totals, zone, times, day, 1 if is_forward else -1):
            return (
                f"the day on this street moves by an hour on {day:%Y-%m-%d}, when the clock of {zone.key} was changed"
            )
    return ""


def _changes(first: datetime, last: datetime, zone: ZoneInfo) -> list[tuple[datetime, bool]]:
    """Return the local days on which the clock was changed, and whether it was put forward."""
    days = []
    day = first.replace(hour=0, minute=0, second=0)
    while day <= last:
        length = (day + DAY).replace(tzinfo=zone).astimezone(UTC) - day.replace(tzinfo=zone).astimezone(UTC)
        if length != DAY:
            days.append((day, length < DAY))
        day += DAY
    return days


def _is_odd(at: datetime, zone: ZoneInfo, *, is_forward: bool) -> bool:
    first, second = (at.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and (second > first if is_forward else second < first)


def _is_hole(seen: Counter[datetime], gap: datetime) -> bool:
    around = [gap + n * DAY for n in range(-14, 15) if n]
    counted = sum(1 for at in around if seen[at])
    return not seen[gap] and bool(seen[gap - HOUR]) and bool(seen[gap + HOUR]) and counted >= 20


def _jumps(
    clocks: Sequence[datetime], totals: Sequence[float], zone: ZoneInfo, times: Times, change: datetime, jump: int
) -> bool:
    """Tell whether the daily profile, read as `times` says, moves by an hour at the change: activity follows the local clock.

    Local times that are read as UTC move one way at the change, UTC read as local the other.
    """
    sums: list[list[float]] = [[0.0] * 24, [0.0] * 24]
    days: list[set[datetime]] = [set(), set()]
    for clock, total in zip(clocks, totals, strict=True):
        if abs(clock - change) > PROFILE_DAYS * DAY or abs(clock - change) < DAY:
            continue
        local = clock if times == "local" else clock.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        side = int(local > change)
        sums[side][local.hour] += total
        days[side].add(local.replace(hour=0, minute=0))
    if min(map(len, days)) < PROFILE_DAYS_LEAST or min(map(sum, sums)) < 200:
        return False
    before, after = ([value / sum(side) for value in side] for side in sums)
    shift = jump if times == "utc" else -jump
    squares = [sum((before[h] - after[(h + s) % 24]) ** 2 for h in range(24)) for s in (0, shift)]
    return squares[1] < BETTER * squares[0]
