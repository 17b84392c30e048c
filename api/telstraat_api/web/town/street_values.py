"""What is shown of a street: a number with its unit, or what stands where a number could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from telstraat_api.web.names import STATE_NAMES
from telstraat_api.web.town.town_view import Show, TownPeriod, TownView
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_users import CLASSES, TOGETHER
from telstraat_store.connection import Connections
from telstraat_store.counts.period import both, total
from telstraat_store.counts.reading import read_periods, read_totals, read_watched
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, start_of, zone
from telstraat_store.summaries.street_summary import StreetSummary, Why
from telstraat_store.summaries.summary_table import StreetState, SummaryRow

SHARE_FROM = 20
"""Of fewer people in an hour no share is worth a colour, nor a comparison with the usual hour."""
WHY_TEXTS = {
    Why.NOTHING_COUNTED: gettext_noop("nothing counted yet"),
    Why.TOO_FEW_DAYS: gettext_noop("too few well-watched days"),
    Why.NO_SPEEDS: gettext_noop("no speeds are measured here"),
    Why.TOO_FEW_CARS: gettext_noop("too few cars timed"),
    Why.NO_LIMIT: gettext_noop("the speed limit is not known"),
    Why.NO_LAST_YEAR: gettext_noop("not counted a year ago"),
    Why.ANOTHER_SENSOR: gettext_noop("another sensor counted a year ago"),
    Why.OTHER_HOURS: gettext_noop("other hours were watched a year ago"),
    Why.TOO_FEW_WEEKS: gettext_noop("too few weeks that can be compared"),
    Why.NO_SCHOOL_DAYS: gettext_noop("too few school days"),
}
NOT_SUMMARISED = gettext_noop("being added up")
NOT_COUNTED_HERE = gettext_noop("not counted here")
FEW_PEOPLE = gettext_noop("too few people in that hour")
NO_USUAL_HOUR = gettext_noop("no usual hour is known")
SENSOR_TEXTS = {
    StreetState.LATE: gettext_noop("late"),
    StreetState.SILENT: gettext_noop("silent"),
    StreetState.SETTING_UP: gettext_noop("being set up"),
    StreetState.NOT_WATCHED: gettext_noop("not watched now"),
    StreetState.NOTHING: gettext_noop("nothing yet"),
}
NIGHT_BLIND = gettext_noop("blind in the dark")


@dataclass(frozen=True)
class ShownValue:
    """A street's value, or the reason why it has none."""

    value: float | None
    why: str = ""


@dataclass(frozen=True)
class LastHour:
    """The last full hour of a street, corrected counts by class, or what it is without them."""

    counts: Mapping[str, float | None]
    state: State


def value_of(view: TownView, row: SummaryRow, hours: Mapping[int, LastHour], ended_at: datetime) -> ShownValue:
    """Return what a view shows of a street; `hours` are the last ones, which ended at `ended_at`."""
    summary = row.summary
    if view.is_live and view.show not in {Show.SPEED, Show.ABOVE, Show.CHANGE}:
        return live_value(view, row, hours.get(row.segment_id), ended_at)
    if summary is None:
        return ShownValue(None, NOT_SUMMARISED)
    if view.show is Show.SPEED:
        return ShownValue(summary.speed.v85_kmh, reason(summary.speed.why))
    if view.show is Show.ABOVE:
        return ShownValue(summary.speed.above_limit, reason(summary.speed.why_above))
    if view.show is Show.CHANGE:
        return ShownValue(summary.last_year.change, reason(summary.last_year.why))
    counts = counts_of(view.period, summary)
    if not counts:
        return ShownValue(None, reason(summary.why or Why.TOO_FEW_DAYS))
    if view.show is Show.ALL:
        return ShownValue(whole_day(view.period, summary))
    return of_counts(view.show, counts)


def counts_of(period: TownPeriod, summary: StreetSummary) -> Mapping[str, float]:
    """Return the counts of a period by class; empty when there are too few days."""
    return {
        TownPeriod.WORKING: summary.working_per_class,
        TownPeriod.WEEKEND: summary.weekend_per_class,
        TownPeriod.WEEK: summary.last_week,
    }.get(period, summary.per_class)


def whole_day(period: TownPeriod, summary: StreetSummary) -> float | None:
    """Return all that passed on a day of a period."""
    if period is TownPeriod.WORKING:
        return None if summary.working is None else summary.working.usual
    if period is TownPeriod.WEEKEND:
        return None if summary.weekend is None else summary.weekend.usual
    return summary.total_of_last_week if period is TownPeriod.WEEK else summary.day


def of_counts(show: Show, counts: Mapping[str, float | None]) -> ShownValue:
    """Return a class's count, or the share of bicycles, from counts by class."""
    if show is Show.ALL:
        return ShownValue(total(counts.values()))
    if show is Show.BIKE_SHARE:
        named = total(counts.get(kind) for kind in CLASSES)
        bikes = counts.get("bike")
        return ShownValue(None, NOT_COUNTED_HERE) if not named or bikes is None else ShownValue(bikes / named)
    count = counts.get(show.value)
    return ShownValue(count, NOT_COUNTED_HERE if count is None else "")


def live_value(view: TownView, row: SummaryRow, hour: LastHour | None, ended_at: datetime) -> ShownValue:
    """Return what the last hour brought, or how it stands against the usual one."""
    if row.state in {StreetState.SETTING_UP, StreetState.NOTHING} and (hour is None or hour.state is State.MISSING):
        return ShownValue(None, STATE_NAMES[State.NOT_YET])
    if (hour is None or hour.state is State.MISSING) and is_blind_at(row, ended_at - timedelta(hours=1)):
        return ShownValue(None, NIGHT_BLIND)
    if hour is None or hour.state is not State.COUNTED:
        return ShownValue(None, STATE_NAMES[State.MISSING if hour is None else hour.state])
    everybody = total(hour.counts.values()) or 0
    if view.show is Show.BIKE_SHARE and everybody < SHARE_FROM:
        return ShownValue(None, FEW_PEOPLE)
    now = of_counts(view.show, hour.counts)
    if view.period is TownPeriod.LIVE or view.show is Show.BIKE_SHARE or now.value is None:
        return now
    usual = usual_hour(view.show, row, ended_at)
    if usual is None:
        return ShownValue(None, NO_USUAL_HOUR)
    if usual < SHARE_FROM:
        return ShownValue(None, FEW_PEOPLE)
    return ShownValue(now.value / usual - 1)


def is_blind_at(row: SummaryRow, at: datetime) -> bool:
    """Tell whether a street's sensor is of those that see nothing in the dark, and it is dark at a time."""
    summary = row.summary
    return row.is_dark or (
        summary is not None and summary.night_blind and at.astimezone(zone(row.timezone)).hour not in summary.hours
    )


def usual_hour(show: Show, row: SummaryRow, ended_at: datetime) -> float | None:
    """Return what the hour that ended then usually brings, on a working day or on the weekend."""
    local = (ended_at - timedelta(hours=1)).astimezone(zone(row.timezone))
    if row.summary is None:
        return None
    kinds = TOGETHER if show is Show.ALL else (show.value,)
    return total(row.summary.typical(local.hour, kind, working=local.weekday() < 5) for kind in kinds)


def reason(why: Why | None) -> str:
    """Return the reason in words; nothing without one."""
    return "" if why is None else WHY_TEXTS[why]


async def last_hours(connections: Connections, segments: Sequence[int], ended_at: datetime) -> dict[int, LastHour]:
    """Return the last full hour of streets, as far as whoever asks may read it."""
    window = Window(ended_at - timedelta(hours=1), ended_at)
    storage = await storage_state_of(connections, segments, window)
    hours: dict[int, LastHour] = {}
    if storage.has_imported:
        for period in await read_periods(
            connections, segments, window, Bucket.HOUR, len(segments) * 2, storage=storage
        ):
            counts: dict[str, float | None] = {kind: period.both(kind) for kind in TOGETHER}
            if total(counts.values()) is not None:
                hours[period.segment_id] = LastHour(counts, State.COUNTED)
    else:
        for place, (_, sums) in (await read_totals(connections, segments, window, storage)).items():
            hours[place] = LastHour({kind: both(sums, kind) for kind in TOGETHER}, State.COUNTED)
    rest = [place for place in segments if place not in hours]
    watched = await read_watched(connections, rest, window) if rest else []
    seen = {quarter.segment_id for quarter in watched if quarter.observed_s}
    return hours | {
        place: LastHour({}, State.WITHHELD if place in seen and connections.is_public else State.MISSING)
        for place in rest
    }


def last_full_hour(now: datetime) -> datetime:
    """Return the end of the last hour that is over and whose reports should have come: ten minutes are left to them."""
    return start_of(now - timedelta(minutes=10), Bucket.HOUR, zone("UTC")).astimezone(UTC)
