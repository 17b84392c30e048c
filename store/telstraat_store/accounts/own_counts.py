"""What an owner may read of the own sensor and the public may not: quarters, and what is not over yet (decision 021).

The right is the sensor's, not the street's, and only for the time in which it is theirs: what it counted before it was claimed, or
what other sensors count in the same street, is read as everybody reads it. It is asked for at every reading, so it ends
with the ownership.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_store.connection import Database
from telstraat_store.counts.period import Period
from telstraat_store.counts.reading import Key, read_periods
from telstraat_store.counts.windows import Bucket, Window
from telstraat_store.queries import fetch_all, fetch_one

THEIRS = """
select i.installation_id, greatest(i.from_at, v.owned_since) as start, i.until_at as until
from sensor v join account a using (account_id) join installation i using (sensor_id)
where (v.sensor_id, v.account_id) = (%(sensor_id)s, %(account_id)s) and a.disabled_at is null
    and greatest(i.from_at, v.owned_since) < %(end)s
    and coalesce(i.until_at, 'infinity') > greatest(v.owned_since, %(start)s) order by i.from_at
"""
ALL_OF_A_STREET = """
select count(*) > 0 and bool_and(
    v.account_id is not distinct from %(account_id)s and a.disabled_at is null and v.owned_since <= %(start)s
) as are_own
from installation i join sensor v using (sensor_id) left join account a using (account_id)
where i.segment_id = %(segment_id)s and i.from_at < %(end)s and coalesce(i.until_at, 'infinity') > %(start)s
"""
ROWS_MAX = 10_000


@dataclass(frozen=True)
class OwnSpan:
    """An installation, and the part of a window in which its counts are their owner's to read."""

    installation_id: int
    window: Window


async def own_spans(database: Database, sensor_id: int, account_id: int | None, window: Window) -> list[OwnSpan]:
    """Return what of a window is an account's to read of a sensor; nothing when it is not theirs."""
    values = {"sensor_id": sensor_id, "account_id": account_id, "start": window.start, "end": window.end}
    spans = []
    async with database.connection() as connection:
        rows = await fetch_all(connection, THEIRS, values)
    for row in rows:
        begins = max(row["start"], window.start)
        ends = min(row["until"] or window.end, window.end)
        # A quarter that had begun before was not all theirs.
        begins = begins if begins == quarter_start(begins) else quarter_start(begins) + QUARTER
        if begins < ends:
            spans.append(OwnSpan(row["installation_id"], Window(begins, ends)))
    return spans


async def are_all_own(
    connection: AsyncConnection[Any], segment_id: int, account_id: int | None, window: Window
) -> bool:
    """Tell whether every sensor that stood in a street during a window was an account's own all that time."""
    if account_id is None:
        return False
    values = {"segment_id": segment_id, "account_id": account_id, "start": window.start, "end": window.end}
    row = await fetch_one(connection, ALL_OF_A_STREET, values)
    return bool(row and row["are_own"])


async def read_own_periods(
    database: Database, sensor_id: int, account_id: int | None, window: Window, bucket: Bucket
) -> list[Period]:
    """Return the periods that one's own sensor has counted while it was theirs, by time; those it was blind in, too."""
    periods: list[Period] = []
    for span in await own_spans(database, sensor_id, account_id, window):
        periods += await read_periods(
            database.full, [span.installation_id], span.window, bucket, ROWS_MAX, Key.INSTALLATION
        )
    return sorted(periods, key=lambda period: period.start)
