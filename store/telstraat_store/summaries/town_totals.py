"""What is said of the town as a whole: how many streets count, who passed on the last day, which street is busiest, where most drive too fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from psycopg import AsyncConnection, sql

from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Row
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.summaries.summary_table import STATE, StreetState

STATES = sql.SQL("""
select stands.state, count(*)::int as streets, (count(*) filter (where stands.is_dark))::int as dark from segment s left join street_summary y using (segment_id) {state} group by 1
""").format(state=STATE)
# A street of which any class is there was watched well enough that day.
SUMS = sql.SQL("""
select y.through_day as day, count(*)::int as streets, count(distinct y.timezone) as zones, min(y.timezone) as timezone, {sums}
from street_summary y where y.through_day is not null and coalesce({all}) is not null
group by 1 order by 1 desc limit 1
""").format(
    sums=sql.SQL(", ").join(
        sql.SQL("sum({column}) as {name}").format(
            column=sql.Identifier("y", f"through_{kind}"), name=sql.Identifier(kind)
        )
        for kind in TOGETHER
    ),
    all=sql.SQL(", ").join(sql.Identifier("y", f"through_{kind}") for kind in TOGETHER),
)
BUSIEST = """
select s.segment_id, s.name, y.day as value from street_summary y join segment s using (segment_id)
where y.day is not null order by y.night_blind, y.day desc limit 2
"""
FASTEST = """
select s.segment_id, s.name, y.above_limit as value, y.limit_kmh from street_summary y join segment s using (segment_id)
where y.above_limit is not null order by y.above_limit desc, y.v85_kmh - y.limit_kmh desc limit 1
"""


@dataclass(frozen=True)
class TownTotals:
    """The town as a whole.

    `passed` is by class of the last day that is over; who passes two streets is in it twice. `watched` streets it rests on.
    """

    states: dict[str, int]
    day: date | None
    timezone: str
    watched: int
    passed: dict[str, float]
    busiest: Row | None
    compared: int  # streets with a usual day, of two at least
    fastest: Row | None
    dark: int = 0  # of those that count: how many are blind at this hour

    @property
    def streets(self) -> int:
        """How many there are."""
        return sum(self.states.values())


async def town_totals(connection: AsyncConnection[Any]) -> TownTotals:
    """Return what can be said of all streets together."""
    rows = await fetch_all(connection, STATES, {"now": datetime.now(UTC)})
    sums = await fetch_one(connection, SUMS)
    busiest = await fetch_all(connection, BUSIEST)
    return TownTotals(
        states={row["state"]: row["streets"] for row in rows},
        day=sums["day"] if sums else None,
        timezone=sums["timezone"] if sums else "UTC",
        watched=sums["streets"] if sums else 0,
        passed={kind: sums[kind] for kind in TOGETHER if sums[kind] is not None} if sums else {},
        busiest=busiest[0] if len(busiest) > 1 else None,
        compared=len(busiest),
        fastest=await fetch_one(connection, FASTEST),
        dark=sum(row["dark"] for row in rows if row["state"] == StreetState.COUNTING),
    )


async def counted_since(connection: AsyncConnection[Any]) -> date | None:
    """Return the first day on which anything was counted, as the summaries know it; None without any."""
    row = await fetch_one(connection, "select min((facts ->> 'first_day')::date) as day from street_summary")
    return row["day"] if row else None
