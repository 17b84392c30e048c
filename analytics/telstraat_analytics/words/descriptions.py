"""The words of a description of streets."""

from __future__ import annotations

from telstraat_contract.languages import gettext_noop as _
from telstraat_contract.languages import pgettext_noop
from telstraat_contract.road_user_names import MODES

DESCRIPTION_WORDS: dict[str, str] = {
    "title.description": _("How streets are used"),
    "title.counted": _("What was counted"),
    "title.beside": _("Streets beside each other: per hour in which all were seen"),
    "title.not_comparable": _("What is not comparable"),
    "title.through": _(
        "Hints of through traffic: of 100 cars more at the first, so many more at the second in the same hour"
    ),
    "title.week": _("The typical week: cars per hour"),
    "title.profile": _("A working day, hour by hour"),
    "title.split": _("Who passes"),
    "title.peaks": _("The busiest hours of a working day: cars"),
    "title.speeds": _("How fast: cars"),
    "title.marks": _("How much of each month was counted"),
    "describe.street": _(
        "In {street}, {car} cars, {bike} bicycles and {pedestrian} people on foot pass on a working day, {hours} ({first} to {last})."
    ),
    "describe.school_more": _(
        "On school days, {hours}, car traffic in {street} is {size} more than on working days without school ({first} to {last})."
    ),
    "describe.school_less": _(
        "On school days, {hours}, car traffic in {street} is {size} less than on working days without school ({first} to {last})."
    ),
    "describe.school_same": _(
        "On school days, {hours}, car traffic in {street} is the same as on working days without school ({first} to {last})."
    ),
    "describe.speeding": _(
        "In {street}, {hours} ({first} to {last}), {above} of the cars drive faster than {limit} km/h, {well_above} by 10 km/h or more; V85 is {v85} km/h."
    ),
    "describe.reading": _(
        "These are counts as they came, corrected for the share of the hour that was observed. Whether a measure changed them is "
        "another question: telstraat evaluate."
    ),
    "describe.hint": _(
        "A hint, no proof: a queue or an event next door moves both streets, too. What is common to the hour of the week and to the "
        "day has been taken out."
    ),
    "describe.large": _("“Large vehicles” are what looks large to the sensor, vans included: many more than lorries."),
    "describe.table_ends": _(
        "The table of school holidays ends on {date}, before the days described do: after it holidays were taken for school days. Complete it."
    ),
    "describe.table_begins": _(
        "The table of school holidays begins on {date}, after the days described do: before it holidays were taken for school days. Complete it."
    ),
    "fact.period": _("Period"),
    "fact.streets": _("Streets"),
    "fact.span": pgettext_noop("first and last day", "{first} to {last}"),
    "head.class": _("Who"),
    "head.share": _("Share"),
    "head.per_hour": _("Per hour"),
    "head.hour": _("Hour"),
    "head.of_day": _("Of the day seen"),
    "head.month": _("Month"),
    "head.mark": _("Mark"),
    "head.above": _("Above {limit} km/h"),
    "head.uptime": _("Observed"),
    "head.first_street": _("First"),
    "head.second_street": _("Second"),
    "peak.morning": _("morning"),
    "peak.evening": _("evening"),
    **{f"class.{name}": text for name, text in MODES.items()},
    "caveat.few_days_first": _("The first period has counts on {share} of its days."),
    "caveat.few_days_second": _("The second period has counts on {share} of its days."),
    "caveat.holidays": _("{first} of the first period and {second} of the second are school holidays."),
    "caveat.seasons": _("The periods lie in different seasons."),
    "caveat.few_hours": _("Only {share} of the hours of the street that was seen least were seen in all streets."),
    "caveat.uptime": _(
        "In the hours in which all streets were seen, the sensors looked for different shares of the hour, from {low} to {high}: perhaps of different kinds, which count differently."
    ),
    "caveat.sensor": _("The sensor of {street} was not itself at times: {kind}."),
}
"""Every key with its English text."""
