"""The texts of the reports: titles, table heads and captions."""

from __future__ import annotations

from telstraat_contract.languages import gettext_noop as _
from telstraat_contract.languages import pgettext_noop

REPORT_WORDS: dict[str, str] = {
    "title.answers": _("What was found"),
    "title.checks": _("The doubts: {where}"),
    "title.findings": _("What was wrong with the sensors"),
    "title.flows": _("Where the traffic went"),
    "title.plan": _("What counting can show"),
    "title.planning": _("Planning a count"),
    "title.power": _("How often the wanted effect is seen"),
    "title.streets": _("The change of each street, with its interval"),
    "title.timeline": _("The sensors over time"),
    "title.weeks": _("Observed and expected, week by week: {where}"),
    "title.report": _("Before and after"),
    "title.map": _("Where it changed: as wide as the change, pale and dashed where it cannot be told from chance"),
    "title.no_answer": _("Streets without an answer"),
    "title.method": _("How it was computed"),
    "title.short": _("In short"),
    "title.measure": _("The measure"),
    "map.fell": _("less"),
    "map.rose": _("more"),
    "map.unclear": _("cannot be told from chance"),
    "map.no_answer": _("no answer"),
    "map.control": _("control street"),
    "map.width": _("size of the change"),
    "method.compared": _(
        "The {before} days before {date} are compared with {after} days after it{transition}: only hours that were seen "
        "on both sides, only days on which most of the usual traffic was seen, no public holidays."
    ),
    "method.transition": _(", leaving out {days} days in between"),
    "method.expected": _(
        "“Expected” is what these streets would have shown without the measure: their usual week, season and holidays, "
        "and what they share with the control streets."
    ),
    "method.interval": _(
        "Streets move from week to week by themselves. The interval comes from how such streets move when nothing is done, "
        "and was tried on {placebos} dates and streets of nothing in these very data."
    ),
    "method.untried": _(
        "Streets move from week to week by themselves. The interval comes from how such streets move when nothing is done; these "
        "data are too short, or too few, to try it on dates and streets of nothing."
    ),
    "method.reading": _(
        "Where the interval includes zero, that is no proof that nothing changed: see the smallest change that these data "
        "would have shown. Of twenty questions asked, one shows a change by chance."
    ),
    "verdict.count": _(
        "Of {all} checks {passed} passed, {doubt} leave a doubt, {failed} failed and {unknown} cannot be made with these data."
    ),
    "calendar.public": _("public holidays of {where}"),
    "calendar.no_public": _("no public holidays known"),
    "calendar.table": _("school holidays from a table"),
    "calendar.usual": _("school holidays only as high summer and New Year"),
    "fact.days": _("{days} days, from {first} to {last}"),
    "foot.source": _("Counts: {source}"),
    "foot.no_source": _("Counts: source and licence were not given."),
    "finding.times": _("{kind}, {times} times"),
    "head.days_counted": _("Days"),
    "plan.cell": _("{power}, from {detectable}"),
    "plan.note": _(
        "In each cell: how often an effect of {wanted} is seen, then the smallest change that is seen four times out of five."
    ),
    "note.level": _("Observed and expected: crossings on a comparable day, {hours}."),
    "note.flows": _("Crossings on a comparable day, {hours}; below zero, fewer than expected."),
    "fact.not_counted": _("{names} (not in the counts: {missing})"),
    "plan.method": _(
        "The model is that of the evaluation, without counts: streets that move more or less, in one way or another, each as "
        "likely as published measurements of streets say. Noise of counting shrinks with weeks, the movement of streets "
        "hardly does: more streets help more than more weeks."
    ),
    "title.wanted": _("What is wanted"),
    "head.why": _("Why"),
    "plan.reading": _(
        "How often the wanted effect is seen and, behind “from”, the smallest change that is seen four times out of five; "
        "weeks before, and as many after."
    ),
    "fact.date": _("Date of the measure"),
    "fact.before": _("Before"),
    "fact.transition": _("Days of transition"),
    "fact.after": _("After"),
    "fact.treated": _("Streets with the measure"),
    "fact.boundary": _("Streets on the boundary"),
    "fact.controls": _("Control streets"),
    "fact.calendar": _("Calendar"),
    "fact.plan": _("{per_day} a day on one street, wanted effect {wanted}, {controls} control streets"),
    "head.street": _("Street"),
    "head.observed": _("Observed"),
    "head.expected": _("Expected"),
    "head.change": _("Change"),
    "head.interval": _("95 % interval"),
    "head.chance": _("By chance in"),
    "head.detectable": _("Smallest fall seen"),
    "head.days": _("Days before / after"),
    "head.area": _("Together"),
    "note.together": _(
        "All streets together are judged at once: what they have in common counts, so the last row is not the sum of the others."
    ),
    "head.mean": _("On average"),
    "head.check": _("Check"),
    "head.verdict": _("Verdict"),
    "head.found": _("What it found"),
    "head.first": pgettext_noop("first day", "From"),
    "head.last": _("To"),
    "head.finding": _("Finding"),
    "head.action": _("What was done"),
    "head.where": _("Where"),
    "head.per_day": _("Crossings a day"),
    "head.weeks": _("Weeks before and after"),
    "head.power": _("How often seen"),
    "flow.treated": _("Streets with the measure"),
    "flow.boundary": _("Streets on the boundary"),
    "flow.balance": _("Together: below zero, it evaporated"),
    "short.silent": pgettext_noop("sensor", "silent"),
    "short.dead_channel": _("one class dead"),
    "short.moved": _("moved"),
    "short.new_instance": _("new installation"),
    "short.learning": _("still learning"),
    "short.class_drift": _("classes drift"),
    "short.gain_drift": _("view changed"),
    "short.low_uptime": _("low uptime"),
    "short.gap": _("gap"),
    "short.marked": _("marked"),
    "action.left out": _("left out"),
    "action.history cut": _("nothing before it is used"),
    "action.warning": _("used, but said"),
    "verdict.yes": _("No check failed."),
    "verdict.no": _("At least one check failed: do not quote the number without it."),
    "chart.observed": _("observed"),
    "chart.expected": _("expected without the measure"),
    "chart.change_relative": _("change, %"),
    "chart.change_points": _("change, percentage points"),
    "chart.change_km/h": _("change, km/h"),
    "title.by_hour": _("Hour by hour: {where}"),
    "title.by_direction": _("One way and the other: {where}"),
    "title.by_speed": _("How the speeds shifted: share of cars that drive faster, {where}"),
    "head.part": _("Part"),
    "part.hour": _("{first} to {last} h"),
    "part.lft": _("from A to B"),
    "part.rgt": _("from B to A"),
    "part.speed": _("above {limit} km/h"),
    "chart.compared": _("compared days"),
    "chart.measure": _("measure"),
    "axis.relative": _("per comparable day"),
    "axis.day": pgettext_noop("a day, as d3-time-format writes it", "%-d %b %y"),
    "axis.short_day": pgettext_noop("a day without its year, as d3-time-format writes it", "%-d %b"),
    "axis.km/h": _("km/h"),
    "axis.points": _("share"),
    "chart.weeks": _("weeks before, and as many after"),
    "chart.power": _("seen, % of cases"),
    "foot.hash": _("Inputs of “{question}”, SHA-256: {sha}"),
    "foot.version": _(
        "Made with Telstraat {version}. Same inputs, same answer. How it is computed: docs/evaluation.md."
    ),
    "foot.plan": _("From how streets of this kind were seen to move; your own street may be calmer or wilder."),
}
"""Every key with its English text."""
