"""The four things that can stand where a number could: counted, missing, withheld, not yet. Every answer takes them from here.

A zero is *counted*: somebody watched and nobody passed. *Missing*: nobody watched, or a class was not counted. *Withheld*: counted,
and not shown to whoever asks. *Not yet*: the period is not over, or its reports may still be on their way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from telstraat_contract.quarters import quarter_start
from telstraat_contract.road_users import COUNTED, TOGETHER
from telstraat_store.counts.period import Period
from telstraat_store.counts.windows import Bucket, Window, next_start, start_of

ON_THE_WAY = timedelta(hours=2)
"""For so long after its end a period of a connected sensor may still come; after that it is missing until it comes after all."""


class State(StrEnum):
    """What stands where a count could stand."""

    COUNTED = "counted"
    MISSING = "missing"
    WITHHELD = "withheld"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time that is in one state throughout."""

    window: Window
    state: State


def class_state(period: Period, kind: str) -> State:
    """Return the state of one class of a period."""
    if period.both(kind) is not None:
        return State.COUNTED
    return State.WITHHELD if kind in period.withheld or (period.observed_s and not period.corrected) else State.MISSING


def period_state(period: Period) -> State:
    """Return the state of a period: that of its classes when they share one, counted as soon as one of them is."""
    if period.corrected is not None and None not in period.corrected:
        return State.COUNTED
    states = {class_state(period, kind) for kind in TOGETHER}
    return next(state for state in (State.COUNTED, State.WITHHELD, State.MISSING) if state in states)


def not_shown(period: Period) -> dict[str, State]:
    """Return the classes of a period that have no number, each with its state; nothing in the usual case."""
    if period.corrected is None or None not in period.corrected:
        return {}
    states = {kind: class_state(period, kind) for kind in COUNTED}
    return {kind: state for kind, state in states.items() if state is not State.COUNTED}


def due_at(now: datetime, *, online: bool) -> datetime:
    """Return until when everything should have come in by `now`: from a connected sensor it may still be on its way."""
    return quarter_start(now - ON_THE_WAY if online else now)


def gaps(
    window: Window,
    bucket: Bucket,
    tz: ZoneInfo,
    present: Iterable[datetime],
    watched: Iterable[datetime],
    due: datetime,
) -> list[Stretch]:
    """Return the stretches of a window that have no period, each with its state.

    `present` are the starts of the periods that there are, in order; `watched` those of quarters in which somebody watched, whether
    or not it is shown; what ends after `due` is not yet there.
    """
    stretches: list[Stretch] = []
    hidden = sorted({start_of(at, bucket, tz) for at in watched})
    begun = start_of(due, bucket, tz)
    at = window.start
    for start in (*present, window.end):
        if start > at:
            stretches += classified(Window(at, start), bucket, tz, hidden, begun)
        at = max(at, next_start(start, bucket, tz))
    return stretches


def classified(gap: Window, bucket: Bucket, tz: ZoneInfo, hidden: Sequence[datetime], begun: datetime) -> list[Stretch]:
    """Return the parts of a gap: withheld where it was watched, missing before `begun`, not yet from there on."""
    border = min(max(gap.start, begun), gap.end)
    parts: list[Stretch] = []
    at = gap.start
    for start in hidden[bisect_left(hidden, gap.start) : bisect_left(hidden, border)]:
        parts += [
            Stretch(Window(at, start), State.MISSING),
            Stretch(Window(start, next_start(start, bucket, tz)), State.WITHHELD),
        ]
        at = parts[-1].window.end
    parts += [
        Stretch(Window(at, max(at, border)), State.MISSING),
        Stretch(Window(max(at, border), gap.end), State.NOT_YET),
    ]
    return merged(parts)


def merged(parts: Iterable[Stretch]) -> list[Stretch]:
    """Return stretches without the empty ones, those that follow each other in one state as one."""
    stretches: list[Stretch] = []
    for part in parts:
        if part.window.start >= part.window.end:
            continue
        if stretches and stretches[-1].state is part.state and stretches[-1].window.end == part.window.start:
            stretches[-1] = Stretch(Window(stretches[-1].window.start, part.window.end), part.state)
        else:
            stretches.append(part)
    return stretches
