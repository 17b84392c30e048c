"""The texts of the answers, in English: catalogues hold the other languages."""

from __future__ import annotations

from telstraat_contract.languages import gettext_noop as _
from telstraat_contract.languages import pgettext_noop
from telstraat_contract.road_user_names import SUBJECTS

ANSWER_WORDS: dict[str, str] = {
    # what is counted, as the subject of a sentence
    **SUBJECTS,
    "motor": _("Motor traffic"),
    "active": _("Traffic on foot and by bicycle"),
    "all": _("Traffic"),
    "v85": _("The speed V85"),
    "above_limit": _("The share of cars above the limit"),
    "bike_share": _("The share of bicycles"),
    "active_share": _("The share on foot and by bicycle"),
    "motor_share": _("The share of motor traffic"),
    # where, which part
    "in_street": _("{what} in {where}"),
    "in_area": _("{what} in {streets} together"),
    "in_area_mean": _("{what}, on average over {streets},"),
    "and": _(" and "),
    "lft": _(", from A to B"),
    "rgt": _(", from B to A"),
    "hours.span": pgettext_noop("hours of the day", "{first} to {last}"),
    "hours.of": _("{spans} o'clock"),
    "hours.all": _("all 24 hours of the day"),
    "hours.differ": _("in the hours seen of each street, {least} to {most} a day"),
    "period": _(", {first} to {last}"),
    "workdays": _(", Monday to Friday"),
    "weekend": _(", at weekends"),
    # the answer
    "fell": _(
        "{subject} fell by {size} ({low} to {high}) against what would have been expected; "
        "a change this large comes about by chance in {chance} comparable periods without a measure."
    ),
    "rose": _(
        "{subject} rose by {size} ({low} to {high}) against what would have been expected; "
        "a change this large comes about by chance in {chance} comparable periods without a measure."
    ),
    "unclear": _(
        "{subject}: no change can be told from chance ({size}, between {low} and {high}); "
        "these data would have shown a fall of about {detectable} or more."
    ),
    "fell_year": _(
        "{subject} fell by {size} ({low} to {high}) against the same weeks of the year before, what the control streets did taken off; "
        "a change this large comes about by chance in {chance} comparable years without a measure."
    ),
    "rose_year": _(
        "{subject} rose by {size} ({low} to {high}) against the same weeks of the year before, what the control streets did taken off; "
        "a change this large comes about by chance in {chance} comparable years without a measure."
    ),
    "fell_year_alone": _(
        "{subject} fell by {size} ({low} to {high}) against the same weeks of the year before, with no control street to tell what the town did meanwhile; "
        "a change this large comes about by chance in {chance} comparable years without a measure."
    ),
    "rose_year_alone": _(
        "{subject} rose by {size} ({low} to {high}) against the same weeks of the year before, with no control street to tell what the town did meanwhile; "
        "a change this large comes about by chance in {chance} comparable years without a measure."
    ),
    "unclear_year": _(
        "{subject}: no change against the same weeks of the year before can be told from chance ({size}, between {low} and {high}); "
        "these data would have shown a fall of about {detectable} or more."
    ),
    "refused": _("{subject}: no answer, because these data do not allow one: {reasons}."),
    "but": _("This may not be the measure's doing: {doubts}."),
    "one_in": _("1 of {n}"),
    "rarer": _("fewer than 1 of {n}"),
    "often": _("more than 1 of 2"),
    "percent": pgettext_noop("in a report", "{number} %"),
    "points": _("{value} percentage points"),
    "points_short": _("{value} pp"),
    "moved": _(
        "Of the {left} crossings a day{hours} that left {treated}, {share} ({low} to {high}) are found on the boundary ({boundary})."
    ),
    "moved_unclear": _(
        "Whether any of the {left} crossings a day{hours} that left {treated} went to the boundary ({boundary}) cannot be told from chance: {share} of them, between {low} and {high}."
    ),
    "moved_not": _(
        "None of the {left} crossings a day{hours} that left {treated} is found on the boundary ({boundary}): there, too, {crossings} fewer a day were counted than expected ({low} to {high})."
    ),
    "evaporated": _(
        "Over {treated} and the boundary ({boundary}) together {crossings} crossings a day{hours} are missing ({low} to {high}): they evaporated, or went where nobody counts."
    ),
    "evaporated_unclear": _(
        "Whether any of it evaporated cannot be told from chance: over {treated} and the boundary ({boundary}) together {crossings} crossings a day{hours}, between {low} and {high}."
    ),
    "evaporated_not": _(
        "Nothing evaporated: over {treated} and the boundary ({boundary}) together {crossings} more crossings a day{hours} than expected ({low} to {high})."
    ),
    "plan.fall": _("a fall of {size}"),
    "plan.rise": _("a rise of {size}"),
    "plan_weeks": _(
        "{what}: to see {change} four times out of five, count {weeks} weeks before and {weeks} weeks after (treated streets with a sensor: {sensors}, others: {controls})."
    ),
    "plan_more": _(
        "{what}: to see {change} four times out of five, count {weeks} weeks before and {weeks} weeks after (treated streets with a sensor: {sensors}, others: {controls}); with {fewer} of the former, even {longest} weeks are not enough."
    ),
    "plan_never": _(
        "{what}: {change} is not seen four times out of five even with {weeks} weeks before and after (treated streets with a sensor: {sensors}, others: {controls}); one of {found} would be."
    ),
    # verdicts
    "passed": _("passed"),
    "doubt": _("doubt"),
    "failed": _("failed"),
    "unknown": _("cannot be checked"),
    # what is wrong with a sensor
    "kind.silent": _("the sensor looked but counted nothing at all"),
    "kind.dead_channel": _("one class was not counted any more although the others were"),
    "kind.moved": _("all classes jump at once: the sensor looks at something else"),
    "kind.new_instance": _("another installation of the sensor begins"),
    "kind.learning": _("a new sensor has not yet learnt to tell large vehicles from cars"),
    "kind.class_drift": _("the split of cars and large vehicles moves although their sum does not"),
    "kind.gain_drift": _(
        "motor traffic and people on foot or by bike change together against the neighbouring streets: the view has changed"
    ),
    "kind.low_uptime": _("the sensor looked for much less of the time than usual"),
    "kind.gap": _("too few hours of daylight were observed to compare the day"),
    "kind.marked": _("marked as not to be compared"),
    # why there is no answer
    "refusal.instrument": _("{where}: {kind} ({first}); before and after are not the same instrument"),
    "refusal.dead_channel": _(
        "{where}: {kind} ({first} to {last}); say closed_to in the measure if the street is closed to them"
    ),
    "refusal.not_there": _("{where}: not in the counts of these days"),
    "refusal.no_days": _("{where}: no comparable days at all{why}"),
    "refusal.few_last_year": _(
        "{where}: fewer than {needed} days can be paired with a like day of the year before{why}"
    ),
    "refusal.few_before": _("{where}: {days} comparable days before the date, at least {needed} are needed{why}"),
    "refusal.few_after": _("{where}: {days} comparable days after the date, at least {needed} are needed{why}"),
    "refusal.nothing_before": _("{where}: nothing was counted before the date, so no change in percent can be given"),
    "refusal.holidays": _("{where}: only holidays are left on one side of the date"),
}
"""Every key with its English text."""
