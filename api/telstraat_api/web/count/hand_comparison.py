"""A count by hand beside the sensor's: which of its quarters can be compared, by whom, and class by class how far the sensor is off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from telstraat_analytics.describe.hand_count import HandComparison, compare_by_hand
from telstraat_api.http.access import Reader, Role
from telstraat_api.web.count.hand_tally import HandTally
from telstraat_api.web.names import SPLIT
from telstraat_contract.languages import gettext_noop
from telstraat_contract.quarters import QUARTER, QUARTER_S
from telstraat_store.accounts.own_counts import are_all_own
from telstraat_store.connection import Connections, Database
from telstraat_store.counts.reading import read_periods
from telstraat_store.counts.windows import Bucket, Window

WATCHED = 0.9
"""A quarter of which the sensor has seen less is not compared: the rest is filled in, which says nothing of the sensor."""

HOUR = timedelta(hours=1)
NO_WHOLE_QUARTER = gettext_noop(
    "No whole quarter of an hour was counted, and the sensor reports whole ones: start with the next quarter and count it to its end."
)
NOT_YET = gettext_noop("The sensor's counts of this time have not come yet. Look again in a quarter of an hour.")
NOT_SEEN = gettext_noop("The sensor did not watch this street well enough in this time to be compared.")
NO_WHOLE_HOUR = gettext_noop(
    "Quarters of an hour are shown to the sensor's owner only, so that nobody can be recognised: count a whole hour to compare."
)


@dataclass(frozen=True)
class BesideSensor:
    """The comparison: per class, over so many minutes; or why there is none."""

    minutes: int = 0
    classes: list[HandComparison] = field(default_factory=list)
    why_none: str = ""


async def beside_sensor(
    database: Database, reader: Reader, segment_id: int, tally: HandTally, now: datetime
) -> BesideSensor:
    """Return how a count by hand compares with the sensor's, as far as whoever asks may see that."""
    whole = [quarter.start for quarter in tally.quarters if quarter.is_whole]
    if not whole:
        return BesideSensor(why_none=NO_WHOLE_QUARTER)
    asked_for = Window(min(whole), max(whole) + QUARTER)
    connections = await connections_of(database, reader, segment_id, asked_for)
    if connections.is_public:
        hours = {start.replace(minute=0) for start in whole}
        whole = [hour + n * QUARTER for hour in sorted(hours) for n in range(4)]
        whole = [s for s in whole if all(s.replace(minute=0) + n * QUARTER in _starts(tally) for n in range(4))]
        if not whole:
            return BesideSensor(why_none=NO_WHOLE_HOUR)
    bucket, length = (Bucket.HOUR, HOUR) if connections.is_public else (Bucket.QUARTER, QUARTER)
    window = Window(min(whole), max(whole) + QUARTER)
    periods = await read_periods(connections, [segment_id], window, bucket, 200)
    seen = {p.start: p for p in periods if p.observed_s >= WATCHED * length.total_seconds() and p.corrected is not None}
    starts = [start for start in whole if (start.replace(minute=0) if connections.is_public else start) in seen]
    if not starts:
        return BesideSensor(why_none=NOT_YET if now < window.end + 2 * QUARTER else NOT_SEEN)
    minutes = len(starts) * QUARTER_S // 60
    classes = []
    for kind in SPLIT:
        counts = [period.both(kind) for start, period in seen.items() if start in starts]
        if counts and all(count is not None for count in counts):
            by_sensor = sum(count for count in counts if count is not None)
            classes.append(compare_by_hand(kind, tally.total(kind, starts), by_sensor, minutes))
    return BesideSensor(minutes, classes, "" if classes else NOT_SEEN)


def _starts(tally: HandTally) -> set[datetime]:
    return {quarter.start for quarter in tally.quarters if quarter.is_whole}


async def connections_of(database: Database, reader: Reader, segment_id: int, window: Window) -> Connections:
    """Return the connections by which the sensor's counts are read: full ones for professionals, and for whose they all are.

    An owner reads the quarters of the own sensor while it was theirs (decision 021), so every sensor that stood there then
    must have been: who stands there today says nothing of a time before.
    """
    if reader.role >= Role.PROFESSIONAL:
        return database.full
    async with database.connection() as connection:
        is_own = await are_all_own(connection, segment_id, reader.account_id, window)
    return database.full if is_own else database.public
