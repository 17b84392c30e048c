"""The words of the checks: a title each, and a sentence for every reason of a verdict."""

from __future__ import annotations

from telstraat_contract.languages import gettext_noop as _

CHECK_WORDS: dict[str, str] = {
    "data_quality": _("Enough days counted"),
    "data_quality.shares": _("{before} of the days before and {after} of the days after could be used."),
    "observed": _("Observed as much"),
    "observed.shares": _("Of the compared hours, {before} was observed before and {after} after."),
    "observed.none": _("No hour is known."),
    "sensor_change": _("Same instrument"),
    "sensor_change.none": _("Nothing points to a change of the sensor in the compared time."),
    "sensor_change.found": _("{first} to {last}: {detail}."),
    "step": _("Counted in the same portions"),
    "step.same": _("Before and after, the counts came in portions of the same length."),
    "step.changed": _(
        "{street} was counted in portions of {before} minutes before and {after} after: another device or export may differ."
    ),
    "placebo_in_time": _("Placebo in time"),
    "placebo_in_time.dates": _(
        "At {dates} earlier dates without a measure, something would have been claimed {claimed} times."
    ),
    "placebo_in_time.too_short": _("The time before is too short for earlier dates ({dates})."),
    "odd_level": _("Level before"),
    "odd_level.usual": _("In the last half year before, the street did not stand apart from its usual level."),
    "odd_level.level": _(
        "From {date} until the measure the street lay {size} from its usual level, and its controls did not. Whether it would have gone back, nobody can tell: {usual} against the usual level, {last} against the last weeks before. The interval covers both."
    ),
    "odd_level.drift": _(
        "From {date} until the measure the street drifted by {size}, and its controls did not, as when a sensor learns. Whether it would have gone on, stayed or gone back, nobody can tell: {usual} against the level before, {last} against the last weeks. The interval covers them."
    ),
    "odd_level.other": _(
        "From {date} until the measure the street stood apart from its usual level, and its controls did not. Whether it would have gone back, nobody can tell; the interval covers both."
    ),
    "odd_level.last_year": _("Two stretches a year apart are compared; what lay between them is not looked at."),
    "odd_level.too_short": _("The time before is too short to know the usual level."),
    "placebo_in_space": _("Placebo in space"),
    "placebo_in_space.streets": _(
        "Tried on the control streets at the same date: {streets}. Something would have been claimed on {claimed} of them."
    ),
    "placebo_in_space.no_controls": _("There is no control street to try it on."),
    "leave_one_control_out": _("Leave one control out"),
    "leave_one_control_out.range": _("Without each of the controls the answer lies between {low} and {high}."),
    "leave_one_control_out.one_control": _("None can be left out: usable control streets: {controls}."),
    "parallel_before": _("Parallel before"),
    "parallel_before.drift": _("Over {weeks} weeks before, the street drifted {drift} against its controls."),
    "parallel_before.wide": _(
        "Over {weeks} weeks before, the street drifted {drift} against its controls: streets like it may do so by chance, but it did not run parallel."
    ),
    "parallel_before.last_year": _(
        "Two stretches a year apart are compared; how street and controls went between them is not looked at."
    ),
    "parallel_before.no_controls": _("There is no control street to run parallel with."),
    "parallel_before.too_short": _("Only {weeks} weeks before are shared with the controls."),
    "controls": _("Control streets"),
    "controls.some": _(
        "Used, of {named} that were named: {names}. The days of the nearest go with the street's by {shared}."
    ),
    "controls.last_year": _(
        "Used, of {named} that were named: {names}. What they did over the same year is taken off."
    ),
    "controls.none": _(
        "No usable control street ({named} named): a change of the whole town would pass for the measure's."
    ),
    "season": _("Season"),
    "season.last_year": _("The same weeks of the year before are in the data."),
    "season.same_season": _("Before and after lie in like parts of the year."),
    "season.other_season": _(
        "The time after lies in another part of the year; the interval allows for a season of about {allowed}."
    ),
    "holidays": _("Holidays"),
    "holidays.table": _(
        "In the model, from a table: {before} of the days before and {after} after are school holidays; public holidays are left out."
    ),
    "holidays.assumed": _(
        "Public holidays are left out; of school holidays only New Year and high summer are in the model ({before} before, {after} after)."
    ),
    "holidays.no_country": _(
        "Not in the model: no country is known for this time zone ({before} school holidays assumed before, {after} after)."
    ),
    "holidays.unknown_years": _(
        "Not all in the model: the public holidays of {where} are not known for {years} ({before} school holidays before, {after} after)."
    ),
    "holidays.table_ends": _(
        "The table of school holidays ends on {date}, before the days compared do: complete it ({before} of the days before and {after} after are in it)."
    ),
    "holidays.table_begins": _(
        "The table of school holidays begins on {date}, after the days compared do: complete it ({before} of the days before and {after} after are in it)."
    ),
    "daylight": _("Like with like"),
    "daylight.part": _(
        "Only {hours} hours of the day, {first} to {last} o'clock, were seen on both sides and are compared."
    ),
    "daylight.few": _(
        "Only {hours} hours of the day, {first} to {last} o'clock, were seen on both sides: of the others nothing is said."
    ),
    "daylight.whole_day": _("All {hours} hours are compared ({first} to {last})."),
    "daylight.none": _("No hour is known."),
    "weather": _("Weather"),
    "weather.in_model": _("In the model; at most {size} standard deviations from the season."),
    "weather.part": _(
        "Only known for {before} of the days before and {after} of those after, {first} to {last}: in the model where it is known."
    ),
    "weather.too_short": _("In the model, but too short to tell whether it was unusual."),
    "weather.not_known": _("Not in the model, and no control street shares it."),
    "weather.not_known_controls": _("Not in the model; only what the control streets share of it is taken out."),
    "other_measures": _("Other measures nearby"),
    "other_measures.near": _("Noted in the compared time: {date}, {text}."),
    "other_measures.none_noted": _("None was noted; whoever knows the street should confirm it."),
    "regression_to_the_mean": _("Chosen for a bad month"),
    "regression_to_the_mean.chosen": _(
        "The street was chosen because of a bad month: it would have become better by itself."
    ),
    "regression_to_the_mean.too_short": _("The history is too short to tell whether the time before was unusual."),
    "regression_to_the_mean.above": _("The last {weeks} weeks before lie {change} above the street's earlier level."),
    "regression_to_the_mean.below": _("The last {weeks} weeks before lie {change} below the street's earlier level."),
}
"""The title of every check, and a sentence for each of its reasons."""
