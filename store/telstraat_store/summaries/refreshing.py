"""Makes the summaries that are due, some streets at a time, in the background or all at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from telstraat_store.connection import Row
from telstraat_store.summaries.counted_hours import USUAL_WEEKS, YEAR, read_street_hours
from telstraat_store.summaries.street_summary import DayKind
from telstraat_store.summaries.summarise import summarise
from telstraat_store.summaries.summary_table import due_streets, lock_refresh, unlock_refresh, write_summaries
from telstraat_store.summaries.usual_days import DayKinds

STREETS_AT_ONCE = 20
"""Some tenths of a second of the database's time, and some hundredths of ours."""


def refresh_some(connection: Connection[Any], kinds_of: DayKinds, now: datetime) -> int:
    """Make some summaries that are due and return how many; 0 also while another one does so.

    Parameters
    ----------
    connection
        With all rights, committing by itself.
    kinds_of
        The kinds of local days in a time zone.
    now
        Summaries are of the last local day that is over then.
    """
    if not lock_refresh(connection):
        return 0
    try:
        streets = due_streets(connection, now, STREETS_AT_ONCE)
        _refresh(connection, streets, kinds_of)
        return len(streets)
    finally:
        unlock_refresh(connection)


def refresh_all(connection: Connection[Any], kinds_of: DayKinds, now: datetime, *, everything: bool = True) -> int:
    """Make every summary again, or every one that is due, and return how many."""
    streets = due_streets(connection, now, 2**31, everything=everything)
    for first in range(0, len(streets), STREETS_AT_ONCE):
        _refresh(connection, streets[first : first + STREETS_AT_ONCE], kinds_of)
    return len(streets)


def _refresh(connection: Connection[Any], streets: Sequence[Row], kinds_of: DayKinds) -> None:
    if not streets:
        return
    known: dict[tuple[str, date], dict[date, DayKind]] = {}
    summaries = []
    for street in read_street_hours(connection, streets):
        key = street.timezone, street.through_day
        if key not in known:
            days = days_before(street.through_day)
            known[key] = dict(zip(days, kinds_of(street.timezone, days), strict=True))
        summaries.append(summarise(street, known[key]))
    with connection.transaction():
        write_summaries(connection, {row["segment_id"]: row for row in streets}, summaries)


def days_before(last: date) -> list[date]:
    """Return the days that a summary may rest on, the latest first: of the last weeks, and of those a year before."""
    back = [last - timedelta(days=nth) for nth in range(USUAL_WEEKS * 7)]
    return back + [day - YEAR for day in back]
