"""The first sentence of a street's page: how busy it is, today against usual, among the others, and how fast; doubts included."""

from __future__ import annotations

from babel.dates import get_day_names

from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.street.shown_counts import ShownCounts
from telstraat_api.web.street.street_view import ViewPeriod
from telstraat_contract.languages import gettext_noop
from telstraat_store.counts.states import State
from telstraat_store.places.segments import Segment
from telstraat_store.summaries.street_summary import StreetSummary, Why
from telstraat_store.summaries.summary_table import StreetPlace

EXPECTED_MIN = 50
"""With fewer usual road users so far a per cent more or less says nothing: their chance alone is 14 %."""
ALIKE = 0.02
NOTHING_USUAL = {
    Why.NOTHING_COUNTED: gettext_noop("Nothing has been counted here yet."),
    Why.TOO_FEW_DAYS: gettext_noop(
        "What is usual here cannot be said yet: too few days have been watched well enough."
    ),
}


def rounded(count: float) -> float:
    """Return a count as it is said: to two or three digits."""
    step = 100 if count >= 5000 else 10 if count >= 100 else 1
    return round(count / step) * step


def street_sentence(
    segment: Segment,
    counts: ShownCounts,
    summary: StreetSummary | None,
    place: StreetPlace | None,
    so_far: tuple[float, float] | None,
    _: PageLanguage,
) -> list[str]:
    """Return the sentences, in their order."""
    sentences = [usual_sentence(segment, counts, summary, _)]
    if counts.view.period is ViewPeriod.DAY and counts.state is State.COUNTED and counts.total is not None:
        sentences.append(day_sentence(counts, so_far, _))
    elif counts.view.period is not ViewPeriod.DAY and counts.state is State.COUNTED and counts.total is not None:
        n, share = _.number(counts.total), _.percent(counts.observed_share)
        sentences.append(_("In the time shown {n}, in the {share} of it that was watched.", n=n, share=share))
    if place is not None:
        sentences.append(
            _("Busier than {n} of the {others} other streets here.", n=place.busier_than, others=place.others)
        )
    speed = summary.speed if summary else None
    if speed is not None and speed.above_limit is not None and speed.limit_kmh:
        share = _.percent(speed.above_limit)
        sentences.append(_("{share} of the cars drive over {limit} km/h.", share=share, limit=speed.limit_kmh))
    elif speed is not None and speed.v85_kmh is not None:
        sentences.append(_("85 of 100 cars drive slower than {v85} km/h.", v85=_.number(speed.v85_kmh)))
    if summary is not None and summary.night_blind and summary.hours:
        sentences.append(
            _(
                "It is watched from {first} to {last} only.",
                first=f"{summary.hours[0]}:00",
                last=f"{summary.hours[-1] + 1}:00",
            )
        )
    return sentences


def usual_sentence(segment: Segment, counts: ShownCounts, summary: StreetSummary | None, _: PageLanguage) -> str:
    """Return what a usual day of that weekday brings, or why that cannot be said."""
    if segment.first_report is None:
        return _(NOTHING_USUAL[Why.NOTHING_COUNTED])
    if counts.view.period is not ViewPeriod.DAY:
        return usual_day(summary, _)
    weekday = counts.view.day.weekday()
    usual = summary.weekdays[weekday] if summary else None
    if usual is None:
        return _(NOTHING_USUAL[Why.TOO_FEW_DAYS])
    numbers = {name: _.number(rounded(getattr(usual, name))) for name in ("usual", "low", "high")}
    day = get_day_names("wide", locale=_.locale)[weekday]
    return _("A usual {weekday}: {usual} ({low} to {high}).", weekday=day, **numbers)


def usual_day(summary: StreetSummary | None, _: PageLanguage) -> str:
    """Return what a usual day brings whatever its weekday, as in the town's table, and on working days and weekends."""
    if summary is None or summary.day is None:
        return _(NOTHING_USUAL[Why.TOO_FEW_DAYS])
    if summary.working is None or summary.weekend is None:
        return _("A usual day: {n}.", n=_.number(summary.day))
    return _(
        "A usual day: {n}; on working days {working}, on the weekend {weekend}.",
        n=_.number(summary.day),
        working=_.number(summary.working.usual),
        weekend=_.number(summary.weekend.usual),
    )


def day_sentence(counts: ShownCounts, so_far: tuple[float, float] | None, _: PageLanguage) -> str:
    """Return what the day has brought, against the same hours of usual days of its weekday."""
    assert counts.total is not None
    n = _.number(counts.total)
    is_today = counts.view.is_today
    if so_far is None or so_far[1] < EXPECTED_MIN:
        return _("Today so far {n}.", n=n) if is_today else _("On this day {n}.", n=n)
    change = so_far[0] / so_far[1] - 1
    share = _.percent(abs(change))
    if abs(change) < ALIKE:
        return _("Today so far {n}, as usual.", n=n) if is_today else _("On this day {n}, as usual.", n=n)
    if change > 0:
        more = (
            gettext_noop("Today so far {n}, {share} more than usual."),
            gettext_noop("On this day {n}, {share} more than usual."),
        )
        return _(more[0] if is_today else more[1], n=n, share=share)
    less = (
        gettext_noop("Today so far {n}, {share} less than usual."),
        gettext_noop("On this day {n}, {share} less than usual."),
    )
    return _(less[0] if is_today else less[1], n=n, share=share)
