"""The table of summaries: which are due, written and read, sorted and searched, and a street's place among the others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from psycopg import AsyncConnection, Connection, sql
from psycopg.rows import dict_row

from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Row
from telstraat_store.counts.states import ON_THE_WAY
from telstraat_store.counts.windows import zone
from telstraat_store.errors import SchemaError
from telstraat_store.queries import fetch_all, fetch_one
from telstraat_store.summaries.street_summary import StreetSummary

_LOCK = 0x7E15_0018

ZONES = "select distinct timezone from segment"
DUE = """
select s.segment_id, s.timezone, s.speed_limit_kmh, z.through_day
from segment s join unnest(%(zones)s::text[], %(days)s::date[]) as z (timezone, through_day) using (timezone)
left join street_summary y using (segment_id)
where %(all)s or y.segment_id is null or y.through_day is distinct from z.through_day or y.timezone <> s.timezone
    or y.limit_kmh is distinct from s.speed_limit_kmh
order by y.made_at nulls first, s.segment_id limit %(limit)s
"""
UPSERT = """
insert into street_summary (segment_id, through_day, timezone, limit_kmh, facts) values (%s, %s, %s, %s, %s)
on conflict (segment_id) do update
set (made_at, through_day, timezone, limit_kmh, facts) = (now(), excluded.through_day, excluded.timezone, excluded.limit_kmh, excluded.facts)
"""


def last_day_over(timezone: str, now: datetime) -> date:
    """Return the last local day whose reports should all have come."""
    return (now - ON_THE_WAY).astimezone(zone(timezone)).date() - timedelta(days=1)


def lock_refresh(connection: Connection[Any]) -> bool:
    """Tell whether this connection may refresh; one does at a time, until it is closed."""
    row = connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    return bool(row and row[0])


def unlock_refresh(connection: Connection[Any]) -> None:
    """Let another one refresh."""
    connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))


def due_streets(connection: Connection[Any], now: datetime, limit: int, *, everything: bool = False) -> list[Row]:
    """Return the streets whose summary is not of the last day that is over, those waiting longest first."""
    zones = [row[0] for row in connection.execute(ZONES)]
    days = [last_day_over(name, now) for name in zones]
    with connection.cursor(row_factory=dict_row) as cursor:
        values = {"zones": zones, "days": days, "limit": limit, "all": everything}
        return cursor.execute(DUE, values).fetchall()


def write_summaries(
    connection: Connection[Any], streets: Mapping[int, Mapping[str, Any]], summaries: Iterable[StreetSummary]
) -> None:
    """Write summaries, each over the one before."""
    with connection.cursor() as cursor:
        cursor.executemany(
            UPSERT,
            [
                (
                    summary.segment_id,
                    summary.through_day,
                    streets[summary.segment_id]["timezone"],
                    streets[summary.segment_id]["speed_limit_kmh"],
                    json.dumps(asdict(summary), default=str),
                )
                for summary in summaries
            ],
        )


def forget_summaries(connection: Connection[Any], source_id: int) -> None:
    """Have the summaries of the streets for which a source has counts made again: they have changed."""
    connection.execute(
        "update street_summary y set through_day = null"
        " where exists (select from imported m where m.segment_id = y.segment_id and m.source_id = %s)",
        (source_id,),
    )


class StreetState(StrEnum):
    """What a street's sensors do now."""

    COUNTING = "counting"
    LATE = "late"  # nothing came for three hours
    SILENT = "silent"  # nothing came for a day
    SETTING_UP = "setting_up"  # a sensor stands there, and nothing came yet
    NOT_WATCHED = "not_watched"  # no sensor any more, or counts of others
    NOTHING = "nothing"


STATE = sql.SQL("""
left join lateral (
    select count(*)::int as sensors, bool_or(h.online) as online, max(last.hour_start) + interval '1 hour' as counted_until,
        coalesce(bool_or(latest.is_dark), false) as says_dark
    from installation i left join sensor_health h using (sensor_id)
    left join lateral (
        select r.hour_start from rollup_hour r where r.installation_id = i.installation_id order by r.hour_start desc limit 1
    ) last on true
    -- Whoever has counted nothing for an hour is asked why: only then are its latest reports looked at. One that has just begun
    -- again has a new epoch, and its first quarter may not say that it is dark.
    left join lateral (
        select bool_or(r.observed_s = 0 and (r.flags & 128) <> 0) as is_dark
        from (select epoch_no from stream where stream.sensor_id = i.sensor_id order by epoch_no desc limit 3) newest
        join public.report r on r.sensor_id = i.sensor_id and r.epoch_no = newest.epoch_no
        where last.hour_start < %(now)s - interval '2 hours' and r.period_start > %(now)s - interval '3 hours'
    ) latest on true
    where i.segment_id = s.segment_id and i.until_at is null
) now_there on true
cross join lateral (
    select case
        when now_there.sensors = 0 then case when y.facts ->> 'first_day' is null then 'nothing' else 'not_watched' end
        when counted_until is null then 'setting_up'
        when counted_until > %(now)s - interval '3 hours' then 'counting'
        when counted_until > %(now)s - interval '1 day' then case when says_dark or (y.night_blind and online) then 'counting' else 'late' end
        else 'silent' end as state,
        says_dark or (y.night_blind and not y.facts -> 'hours' @> to_jsonb(extract(hour from %(now)s at time zone s.timezone)::int)) as is_dark
) as stands
""")
PLACES = sql.SQL("""
from segment s left join street_summary y using (segment_id) {state}
where (%(name)s = '' or strpos(lower(s.name), lower(%(name)s)) > 0 or s.segment_id::text = %(name)s) and (%(ids)s::bigint[] is null or s.segment_id = any(%(ids)s))
    and (%(box)s::box is null or line_box(s.geometry) && %(box)s::box) {states}
""")
# Only when states are asked for are those of all streets looked at.
STATES = sql.SQL(
    "and (stands.state = any(%(states)s) or (%(night_blind)s and (y.night_blind or stands.is_dark)))"
    " and not (%(seeing)s and coalesce(stands.is_dark, false))"
)
ROWS = sql.SQL("""
with listed as (
    select s.segment_id, row_number() over (order by {order}, s.segment_id) as place, count(*) over () as rows
    {places} order by {order}, s.segment_id limit %(limit)s offset %(offset)s
)
select s.segment_id, s.name, s.geometry, s.timezone, s.speed_limit_kmh, y.made_at, y.facts,
    stands.state, coalesce(stands.is_dark, false) as is_dark, now_there.counted_until, listed.rows
from listed join segment s using (segment_id) left join street_summary y using (segment_id) {state} order by listed.place
""")
CLUSTERS = sql.SQL("""
select count(*)::int as streets, avg(m.at[0]) as lon, avg(m.at[1]) as lat,
    min(m.at[0]) as west, min(m.at[1]) as south, max(m.at[0]) as east, max(m.at[1]) as north
from (select center(line_box(s.geometry)) as at {places} offset 0) as m  -- each line is looked at once, not for every column
where m.at is not null
group by floor((m.at[0] - %(west)s) / %(wide)s), floor((m.at[1] - %(south)s) / %(high)s)
""")
# Degrees of longitude are shorter: a box around the middle is enough to leave out what lies elsewhere.
NEAR = sql.SQL("""
with m as materialized (select center(line_box(s.geometry)) as at {places}),
middle as (
    select percentile_disc(0.5) within group (order by m.at[0]) as lon, percentile_disc(0.5) within group (order by m.at[1]) as lat
    from m where m.at is not null
)
select middle.lon, middle.lat, min(m.at[0]) as west, min(m.at[1]) as south, max(m.at[0]) as east, max(m.at[1]) as north
from middle join m on abs(m.at[1] - middle.lat) <= %(near)s
    and abs(m.at[0] - middle.lon) * greatest(0.1, cos(radians(middle.lat))) <= %(near)s
group by middle.lon, middle.lat
""")
SORTS = {
    "name": "lower(s.name)", "day": "y.day", "working": "y.working", "weekend": "y.weekend",
    "pedestrian": "y.day_pedestrian", "bike": "y.day_bike", "car": "y.day_car", "heavy": "y.day_heavy",
    "pedestrian_share": "y.share_pedestrian", "bike_share": "y.share_bike", "car_share": "y.share_car",
    "heavy_share": "y.share_heavy", "v85": "y.v85_kmh", "above": "y.above_limit", "change": "y.change",
    "school": "y.school", "uptime": "y.uptime",
}  # fmt: skip
"""What streets can be sorted by; those without such a figure come last either way."""


for _period, _facts in (("working", "working_per_class"), ("weekend", "weekend_per_class"), ("week", "last_week")):
    SORTS |= {f"{_period}_{_kind}": f"(y.facts #>> '{{{_facts},{_kind}}}')::double precision" for _kind in TOGETHER}
SORTS["week"] = "(select sum(value::double precision) from jsonb_each_text(y.facts -> 'last_week'))"
API_SORTS = tuple(name for name in SORTS if not name.startswith(("working_", "weekend_", "week")) or name == "weekend")
Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""


@dataclass(frozen=True)
class SummaryQuery:
    """Which summaries, in which order."""

    sort: str = "name"
    descending: bool = False
    name: str = ""
    states: tuple[StreetState, ...] = ()
    night_blind: bool = False  # also those that are blind in the dark, beside `states`
    seeing: bool = False  # none that is blind at this hour
    segments: tuple[int, ...] | None = None
    box: Box | None = None
    limit: int = 100
    offset: int = 0

    @property
    def places(self) -> sql.Composed:
        """Return the part of a query that says which streets."""
        has_states = bool(self.states) or self.night_blind
        return PLACES.format(state=STATE if has_states else sql.SQL(""), states=STATES if has_states else sql.SQL(""))

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of that part."""
        west, south, east, north = self.box or (0, 0, 0, 0)
        return {
            "name": self.name.replace("\0", "").strip(),
            "ids": None if self.segments is None else list(self.segments),
            "states": list(self.states),
            "night_blind": self.night_blind,
            "seeing": self.seeing,
            "box": None if self.box is None else f"(({east},{north}),({west},{south}))",
            "limit": self.limit,
            "offset": self.offset,
            "now": datetime.now(UTC),
        }


@dataclass(frozen=True)
class SummaryRow:
    """A street with its summary, which is None before it is made for the first time."""

    segment_id: int
    name: str
    geometry: dict[str, Any]
    timezone: str
    speed_limit_kmh: int | None
    made_at: datetime | None
    summary: StreetSummary | None
    state: StreetState
    counted_until: datetime | None
    is_dark: bool = False  # its sensor sees nothing at this hour, and is well


async def read_summaries(connection: AsyncConnection[Any], query: SummaryQuery) -> tuple[list[SummaryRow], int]:
    """Return a page of streets with their summaries, and how many there are on all pages."""
    way = sql.SQL("desc nulls last" if query.descending else "asc nulls last")
    order = sql.SQL(SORTS[query.sort]) + sql.SQL(" ") + way
    rows = await fetch_all(connection, ROWS.format(places=query.places, state=STATE, order=order), query.values)
    return [summary_row(row) for row in rows], rows[0]["rows"] if rows else 0


async def figures_at(connection: AsyncConnection[Any], sort: str, shares: Sequence[float]) -> list[float]:
    """Return the figures below which these shares of all streets of the town lie; nothing where no street has that figure."""
    query = sql.SQL(
        "select percentile_disc(%(shares)s::double precision[]) within group (order by {figure}) as figures"
        " from segment s join street_summary y using (segment_id)"
    ).format(figure=sql.SQL(SORTS[sort]))
    row = await fetch_one(connection, query, {"shares": list(shares)})
    return [float(figure) for figure in (row and row["figures"]) or () if figure is not None]


async def read_clusters(connection: AsyncConnection[Any], query: SummaryQuery, box: Box, cells: int) -> list[Row]:
    """Return how many streets lie in each cell of a box, with their middle and their bounds; cells without any are absent."""
    west, south, east, north = box
    grid = {"west": west, "south": south, "wide": (east - west) / cells, "high": (north - south) / cells}
    return await fetch_all(connection, CLUSTERS.format(places=query.places), {**query.values, **grid})


@dataclass(frozen=True)
class StreetsMiddle:
    """Where most streets lie: longitude and latitude of the middle one, and the box of the middles of those around it."""

    place: tuple[float, float]
    box: Box


async def middle_of(connection: AsyncConnection[Any], query: SummaryQuery, near_degrees: float) -> StreetsMiddle | None:
    """Return where the streets of a question lie, those farther than so many degrees left out; None without any."""
    row = await fetch_one(connection, NEAR.format(places=query.places), {**query.values, "near": near_degrees})
    if row is None:
        return None
    return StreetsMiddle((row["lon"], row["lat"]), (row["west"], row["south"], row["east"], row["north"]))


async def summary_of(connection: AsyncConnection[Any], segment_id: int) -> SummaryRow | None:
    """Return a street with its summary; None when there is no such street."""
    rows, _ = await read_summaries(connection, SummaryQuery(segments=(segment_id,)))
    return rows[0] if rows else None


def summary_row(row: Row) -> SummaryRow:
    """Return what a row of the database says."""
    facts = row["facts"]
    try:
        summary = None if facts is None else msgspec.convert(facts, StreetSummary)
    except msgspec.ValidationError as error:
        raise SchemaError("summaries of another version are stored; run: telstraat db summaries") from error
    return SummaryRow(
        row["segment_id"], row["name"], row["geometry"], row["timezone"], row["speed_limit_kmh"], row["made_at"],
        summary, StreetState(row["state"]), row["counted_until"], row["is_dark"],
    )  # fmt: skip


@dataclass(frozen=True)
class StreetPlace:
    """How busy a street is among those that are watched for as much of the day: busier than `busier_than` of `others`."""

    busier_than: int
    others: int


async def place_among(connection: AsyncConnection[Any], segment_id: int) -> StreetPlace | None:
    """Return a street's place by its usual day; None where that is not known, or of no other street.

    A street that is not watched in the dark is compared with others that are not.
    """
    row = await fetch_one(
        connection,
        """
        select count(*) filter (where other.day < mine.day) as busier_than, count(*) as others
        from street_summary mine join street_summary other on other.segment_id <> mine.segment_id
            and other.night_blind = mine.night_blind
        where mine.segment_id = %s and mine.day is not null and other.day is not null
        """,
        (segment_id,),
    )
    return StreetPlace(row["busier_than"], row["others"]) if row and row["others"] else None
