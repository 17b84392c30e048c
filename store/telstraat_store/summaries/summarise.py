"""The summary of a street from its hours: the rules of each figure, and how much it has to rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import mean

from telstraat_contract.road_users import SPEED_BIN_KMH, TOGETHER
from telstraat_contract.speeds import bin_kmh, v85_kmh
from telstraat_store.counts.period import total
from telstraat_store.summaries.counted_hours import USUAL_WEEKS, WEEKS, YEAR, HourCounts, StreetHours
from telstraat_store.summaries.street_summary import (
    DayKind,
    DrivenSpeeds,
    SchoolPeak,
    SchoolRun,
    Spread,
    StreetSummary,
    Why,
)
from telstraat_store.summaries.usual_days import (
    DAYS_MIN,
    class_shares,
    day_totals,
    everything,
    good_days,
    is_blind_at_night,
    is_working,
    latest_of_each,
    spread,
    typical_hours,
    usual_hours,
)
from telstraat_store.summaries.year_change import TwoYears, change_on_last_year

CARS_MIN = 100
"""With fewer timed cars a share above the limit is off by more than ten in a hundred (two standard errors at one half)."""
SCHOOL_HOURS = (8, 15)
"""Local hours in which schools begin and end, in Belgium and around; the analysis of school streets uses the same."""
BETWEEN = (9, 10, 11, 12, 13, 14)
SCHOOL_DAYS_MIN = 10
LAST_WEEK_MIN = 5


@dataclass(frozen=True)
class UsualDays:
    """The days that are taken for usual ones: their totals, by weekday, and what an hour of theirs brings."""

    kind: DayKind
    candidates: list[date]
    hours: tuple[int, ...]
    typical: tuple[float | None, ...]
    totals: dict[date, HourCounts]
    of_weekday: dict[int, list[date]]

    @property
    def days(self) -> list[date]:
        """All of them."""
        return [day for of in self.of_weekday.values() for day in of]

    def spread_of(self, days: Iterable[date]) -> Spread | None:
        """Return what is usual of some of these days."""
        return spread([everything(self.totals[day]) for day in days])


def usual_days(street: StreetHours, kinds: Mapping[date, DayKind]) -> UsualDays:
    """Return the days in term; those of the school holidays when there are more of them and too few in term."""
    since = street.through_day - timedelta(weeks=USUAL_WEEKS) + timedelta(days=1)
    hours = usual_hours(street, since)

    def of(kind: DayKind) -> UsualDays:
        candidates = good_days(street, kinds, kind)
        typical = typical_hours(street, candidates)
        totals = day_totals(street, candidates, hours, typical)
        return UsualDays(
            kind, candidates, hours, typical, totals, latest_of_each(day for day in candidates if day in totals)
        )

    in_term = of(DayKind.TERM)
    if all(len(days) >= DAYS_MIN for days in in_term.of_weekday.values()):
        return in_term
    in_holidays = of(DayKind.SCHOOL_HOLIDAY)
    return in_holidays if len(in_holidays.days) > len(in_term.days) else in_term


def summarise(street: StreetHours, kinds: Mapping[date, DayKind]) -> StreetSummary:
    """Return what can be said of a street; `kinds` are of all days of its weeks and of those of last year."""
    usual = usual_days(street, kinds)
    spreads = tuple(usual.spread_of(of) for of in usual.of_weekday.values())
    medians = [of.usual for of in spreads if of is not None]
    is_known = len(medians) == 7
    recent = street.through_day - timedelta(weeks=WEEKS)
    last_week, last_week_days = _last_week(street, usual)
    return StreetSummary(
        segment_id=street.segment_id,
        through_day=street.through_day,
        first_day=street.first_day,
        last_day=street.last_day,
        hours=usual.hours,
        night_blind=len(usual.totals) >= DAYS_MIN and is_blind_at_night(usual.hours),
        kind=usual.kind,
        good_days=sum(day > recent for day in usual.totals),
        day=mean(medians) if is_known else None,
        working=usual.spread_of(day for day in usual.days if is_working(day)),
        weekend=usual.spread_of(day for day in usual.days if not is_working(day)),
        weekdays=spreads,
        per_class=_per_class(usual, range(7)),
        working_per_class=_per_class(usual, range(5)),
        weekend_per_class=_per_class(usual, range(5, 7)),
        shares=class_shares([usual.totals[day] for day in usual.days]) if len(usual.days) >= DAYS_MIN else {},
        why=_why_no_day(street, is_known=is_known),
        speed=driven_speeds(street.speeds, street.limit_kmh),
        last_year=change_on_last_year(street, kinds, _two_years(street, kinds, usual)),
        school=school_run(street, usual.candidates if usual.kind is DayKind.TERM else ()),
        last_week=last_week,
        last_week_days=last_week_days,
        through=_of_day(street, usual, street.through_day),
        uptime=_uptime(street),
        typical_hours=usual.typical if usual.totals else (),
    )


def _why_no_day(street: StreetHours, *, is_known: bool) -> Why | None:
    if is_known:
        return None
    return Why.NOTHING_COUNTED if street.first_day is None else Why.TOO_FEW_DAYS


def _per_class(usual: UsualDays, weekdays: range) -> dict[str, float]:
    """Return a usual day of each class: the mean over some weekdays of their means, so that what is rare is no zero."""
    per_class: dict[str, float] = {}
    for place, kind in enumerate(TOGETHER):
        means = []
        for weekday in weekdays:
            counts = [count for day in usual.of_weekday[weekday] if (count := usual.totals[day][place]) is not None]
            means += [mean(counts)] if len(counts) >= DAYS_MIN else []
        if len(means) == len(weekdays):
            per_class[kind] = mean(means)
    return per_class


def driven_speeds(bins: Sequence[float], limit_kmh: int | None) -> DrivenSpeeds:
    """Return V85 and the share of cars above the limit, with how many cars were timed."""
    cars = sum(bins)
    if cars < CARS_MIN:
        why = Why.TOO_FEW_CARS if cars else Why.NO_SPEEDS
        return DrivenSpeeds(limit_kmh=limit_kmh, cars=int(cars), why=why, why_above=why)
    above = None if limit_kmh is None else share_above(bins, limit_kmh)
    why_above = None if above is not None else (Why.NO_LIMIT if limit_kmh is None else Why.NO_SPEEDS)
    v85 = v85_kmh(bins)
    return DrivenSpeeds(v85, above, limit_kmh, int(cars), None if v85 is not None else Why.NO_SPEEDS, why_above)


def share_above(bins: Sequence[float], limit_kmh: float) -> float | None:
    """Return the share of cars faster than a limit, in proportion inside its bin; None where the last, open bin begins below it."""
    width = bin_kmh(bins)
    open_from = (len(bins) - 1) * width
    if limit_kmh > open_from:
        return None if width != SPEED_BIN_KMH and bins[-1] else 0.0
    inside = sum(
        cars * min(1.0, max(0.0, ((place + 1) * width - limit_kmh) / width)) for place, cars in enumerate(bins[:-1])
    )
    return (inside + bins[-1]) / sum(bins)


def _two_years(street: StreetHours, kinds: Mapping[date, DayKind], usual: UsualDays) -> TwoYears:
    earlier = [street.through_day - YEAR - timedelta(days=nth) for nth in range(USUAL_WEEKS * 7)]
    alike = [day for day in earlier if kinds[day] is not DayKind.PUBLIC_HOLIDAY and day not in street.left_out]
    watched = [street.hours[day] for day in earlier[: WEEKS * 7] if day in street.hours]
    before = tuple(hour for hour in range(24) if watched and 2 * sum(hour in of for of in watched) >= len(watched))
    return TwoYears(usual.hours, before, usual.typical, typical_hours(street, alike))


def school_run(street: StreetHours, days: Sequence[date]) -> SchoolRun:
    """Return the school hours of working days in term against the hours between."""
    needed = (*SCHOOL_HOURS, *BETWEEN)
    school = [day for day in days if is_working(day) and all(hour in street.hours.get(day, {}) for hour in needed)]
    if len(school) < SCHOOL_DAYS_MIN:
        return SchoolRun(len(school), SCHOOL_HOURS, why=Why.NO_SCHOOL_DAYS)
    car, bike, pedestrian = (_peak(street, school, TOGETHER.index(kind)) for kind in ("car", "bike", "pedestrian"))
    return SchoolRun(len(school), SCHOOL_HOURS, car, bike, pedestrian)


def _peak(street: StreetHours, days: Sequence[date], place: int) -> SchoolPeak | None:
    at = [street.hours[day][hour][place] for day in days for hour in SCHOOL_HOURS]
    between = [street.hours[day][hour][place] for day in days for hour in BETWEEN]
    if None in at or None in between:
        return None
    per_hour, usual = (total(at) or 0) / len(at), (total(between) or 0) / len(between)
    return SchoolPeak(per_hour, usual, per_hour / usual if usual else None)


def _last_week(street: StreetHours, usual: UsualDays) -> tuple[dict[str, float], int]:
    """Return the mean of the last seven days by class, when most of them were watched, and how many were."""
    days = [street.through_day - timedelta(days=nth) for nth in range(7)]
    totals = day_totals(street, days, usual.hours, usual.typical)
    if len(totals) < LAST_WEEK_MIN:
        return {}, len(totals)
    sums = {kind: total(of) for kind, of in zip(TOGETHER, zip(*totals.values(), strict=True), strict=True)}
    return {kind: n / len(totals) for kind, n in sums.items() if n is not None}, len(totals)


def _of_day(street: StreetHours, usual: UsualDays, day: date) -> dict[str, float]:
    """Return a day by class; nothing when it was not watched well enough."""
    totals = day_totals(street, [day], usual.hours, usual.typical).get(day, ())
    return {kind: n for kind, n in zip(TOGETHER, totals, strict=False) if n is not None}


def _uptime(street: StreetHours) -> float | None:
    if street.first_day is None or street.first_day > street.through_day:
        return None
    days = min(28, (street.through_day - street.first_day).days + 1)
    return min(1.0, street.observed_s / (days * 86_400))
