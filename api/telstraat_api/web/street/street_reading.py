"""Everything that a street's page shows, read from the database for whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from telstraat_api.http.access import Reader
from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_api.web.street.shown_counts import ROWS_MAX, ShownCounts, read_shown
from telstraat_api.web.street.street_charts import CALENDAR_DAYS
from telstraat_api.web.street.street_view import StreetView, ViewPeriod, Ways
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.road_users import TOGETHER, columns_of
from telstraat_store.connection import Connections, Database, Row
from telstraat_store.counts.habits import HoursOfWeek, read_hours_of_week, read_speeds_of_day, read_watched_days
from telstraat_store.counts.period import Period
from telstraat_store.counts.reading import read_periods, read_speeds
from telstraat_store.counts.windows import Bucket, Window, local_midnight
from telstraat_store.places.installations import list_stays
from telstraat_store.places.segments import Segment, find_segment
from telstraat_store.places.sensors import sensors_at
from telstraat_store.summaries.counted_hours import USUAL_WEEKS, WEEKS
from telstraat_store.summaries.street_summary import DayKind, StreetSummary
from telstraat_store.summaries.summary_table import StreetPlace, SummaryRow, place_among, summary_of
from telstraat_store.work.events import list_events
from telstraat_store.work.hand_counts import count_hand_counts
from telstraat_store.work.published import Audience, Page

LATEST_ROWS = 12
LATEST_WITHIN = LATEST_ROWS * QUARTER
EVENTS_MAX = 50
STAYS_MAX = 50


@dataclass(frozen=True)
class StreetPage:
    """What the page of a street shows."""

    segment: Segment
    view: StreetView
    counts: ShownCounts
    other: ShownCounts | None  # another time, or another street
    other_segment: Segment | None
    row: SummaryRow | None  # the summary with how the street stands now
    place: StreetPlace | None
    week: HoursOfWeek  # of the shown classes and ways
    whole_week: HoursOfWeek  # of all
    speeds: dict[int, list[float]]  # of the last weeks, by local hour
    shown_speeds: dict[int, list[float]]  # of the shown time
    watched: dict[date, float]
    events: list[Row]
    sensors: list[Row]
    stays: list[Row]  # of sensors, past ones too, each with where its sensor stood before and stands next
    latest: list[Period]
    hand_counts: int  # checks of its sensors by people

    @property
    def summary(self) -> StreetSummary | None:
        """What is said of the street once a day; None before it is for the first time."""
        return self.row.summary if self.row else None


async def read_street(
    database: Database,
    connections: Connections,
    segment: Segment,
    view: StreetView,
    now: datetime,
    reader: Reader,
    minimum: int,
) -> StreetPage:
    """Read a street's page."""
    counts = await read_shown(connections, segment, view, now, minimum)
    view = counts.view
    other_segment, other = await read_other(database, connections, segment, view, now, minimum)
    async with database.connection() as connection:
        row = await summary_of(connection, segment.segment_id)
        place = await place_among(connection, segment.segment_id)
        sensors = await sensors_at(connection, segment.segment_id)
        stays = await list_stays(connection, segment.segment_id, STAYS_MAX)
        hand_counts = await count_hand_counts(connection, segment.segment_id)
        events = await list_events(
            connection,
            Audience(reader.account_id, sees_everything=False),
            Page(0, EVENTS_MAX),
            segment_id=segment.segment_id,
            start=view.window.start,
            end=view.window.end,
        )
    summary = row.summary if row else None
    whole_week, week = await read_weeks(connections, segment, view, summary)
    until = local_midnight(view.today, view.tz)
    last_weeks = Window(until - timedelta(weeks=WEEKS), until)
    year = Window(local_midnight(view.today - timedelta(days=CALENDAR_DAYS), view.tz), until)
    return StreetPage(
        segment=segment,
        view=view,
        counts=counts,
        other=other,
        other_segment=other_segment,
        row=row,
        place=place,
        week=week,
        whole_week=whole_week,
        speeds=await read_speeds_of_day(connections, segment.segment_id, last_weeks),
        shown_speeds=await read_shown_speeds(connections, segment, view, counts),
        watched=await read_watched_days(connections, segment.segment_id, segment.timezone, year),
        events=events,
        sensors=sensors,
        stays=stays,
        hand_counts=hand_counts,
        latest=await read_latest(connections, segment, now) if view.is_today and not connections.is_public else [],
    )


async def read_other(
    database: Database, connections: Connections, segment: Segment, view: StreetView, now: datetime, minimum: int
) -> tuple[Segment | None, ShownCounts | None]:
    """Read what the view is compared with; a street that is not there is compared with nothing."""
    compared = view.compared()
    if compared is None:
        return None, None
    other = segment
    if view.other_id is not None:
        async with database.connection() as connection:
            known = await find_segment(connection, view.other_id)
        if known is None or known.segment_id == segment.segment_id:
            return None, None
        other = known
    return other, await read_shown(connections, other, compared, now, minimum)


async def read_weeks(
    connections: Connections, segment: Segment, view: StreetView, summary: StreetSummary | None
) -> tuple[HoursOfWeek, HoursOfWeek]:
    """Read the hours of usual weeks, of everything and of what is shown; days are those that the summary takes for usual."""
    last = view.today - timedelta(days=1)
    days = usual_days_of(segment.timezone, last, summary.kind if summary else DayKind.TERM)
    window = Window(local_midnight(last - timedelta(weeks=USUAL_WEEKS), view.tz), local_midnight(view.today, view.tz))
    segment_id = segment.segment_id
    everything = [column for kind in TOGETHER for column in columns_of(kind)]
    whole_week = await read_hours_of_week(connections, segment_id, window, everything, days)
    if view.is_whole_picture or (view.ways is Ways.APART and not view.hidden):
        return whole_week, whole_week
    ways = {Ways.FORTH: (0,), Ways.BACK: (1,)}.get(view.ways, (0, 1))
    columns = [columns_of(kind)[way] for kind in view.kinds for way in ways]
    return whole_week, await read_hours_of_week(connections, segment_id, window, columns, days)


@lru_cache(maxsize=64)
def usual_days_of(timezone: str, last: date, kind: DayKind) -> Sequence[date]:
    """Return the days of a kind in the weeks that end with a day."""
    days = [last - timedelta(days=n) for n in range(USUAL_WEEKS * 7)]
    return tuple(day for day, of in zip(days, kinds_of_days(timezone, days), strict=True) if of is kind)


async def read_shown_speeds(
    connections: Connections, segment: Segment, view: StreetView, counts: ShownCounts
) -> dict[int, list[float]]:
    """Read the cars per bin of speed of the shown time by local hour: of a day also what waits to be added up."""
    over = Window(view.window.start, min(view.window.end, counts.until))
    if over.start >= over.end:
        return {}
    if view.period is not ViewPeriod.DAY:
        return await read_speeds_of_day(connections, segment.segment_id, over)
    speeds = await read_speeds(connections, [segment.segment_id], over, Bucket.HOUR)
    of_day = {start.astimezone(view.tz).hour: [float(n) for n in cars] for (_, start), cars in speeds.items()}
    for period in await imported_hours(connections, segment, over):
        if period.car_speed:
            of_day.setdefault(period.start.astimezone(view.tz).hour, list(period.car_speed))
    return of_day


async def imported_hours(connections: Connections, segment: Segment, over: Window) -> list[Period]:
    """Read the hours of a window that others have counted."""
    hours = await read_periods(connections, [segment.segment_id], over, Bucket.HOUR, ROWS_MAX)
    return [hour for hour in hours if hour.source_id is not None]


async def read_latest(connections: Connections, segment: Segment, now: datetime) -> list[Period]:
    """Read the latest quarters, the newest first."""
    until = quarter_start(now)
    quarters = await read_periods(
        connections, [segment.segment_id], Window(until - LATEST_WITHIN, until), Bucket.QUARTER, ROWS_MAX
    )
    return list(reversed(quarters))
