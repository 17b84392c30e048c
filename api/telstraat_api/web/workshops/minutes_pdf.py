"""The minutes of a workshop on paper: set by the typesetter that sets the reports of evaluations, with the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from telstraat_analytics.report.content import Content, Picture, ReportTable, Section
from telstraat_analytics.report.minutes_chart import minutes_chart
from telstraat_api.web.charts import Chart, TimeAxis
from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.names import STATE_NAMES
from telstraat_api.web.workshops.expectations import Outcome
from telstraat_api.web.workshops.minutes import Minutes
from telstraat_contract.languages import gettext_noop
from telstraat_store.counts.states import State

KIND = gettext_noop("Minutes of a workshop")
LOOKED = gettext_noop("What was agreed, and looked at")
AGREED = gettext_noop("What was agreed")
AGAIN = gettext_noop("Expected, and what happened")
NOTHING_AGREED = gettext_noop("Nothing was written down as agreed.")
HEADS = (gettext_noop("Note"), gettext_noop("Kind"), gettext_noop("Where and when"), gettext_noop("Votes"))
GROUP_HEAD = gettext_noop("{title} (votes: {n})")
EXPECTED_HEADS = (
    gettext_noop("Proposal"),
    gettext_noop("Expected"),
    gettext_noop("What happened"),
    gettext_noop("Votes"),
)
SOURCE_OF_COUNTS = gettext_noop("Counts: as everybody may see them. Notes: as they were written, hidden ones left out.")


def minutes_content(
    title: str,
    question: str,
    facts: Sequence[tuple[str, str]],
    minutes: Minutes,
    charts: Sequence[Chart],
    outcomes: Sequence[Outcome],
    _: PageLanguage,
) -> Content:
    """Return the minutes as the report's content: question first, then what was agreed, looked at, said and expected."""
    written = tuple((f"{n}.", body) for n, body in enumerate(minutes.agreed, 1))
    agreed = ReportTable(_(AGREED), ("", ""), written or (("", _(NOTHING_AGREED)),))
    tables = [
        ReportTable(
            _(GROUP_HEAD, title=group.title, n=_.number(group.votes)),
            tuple(_(head) for head in HEADS),
            tuple(
                (f"{note.number}. {note.body} {note.expects}".strip(), note.kind, note.where, _.number(note.votes))
                for note in group.notes
            ),
            numbers=(3,),
        )
        for group in minutes.groups
        if group.notes
    ]
    if outcomes:
        rows = tuple(
            (outcome.body, outcome.expected, outcome.happened, _.number(outcome.votes)) for outcome in outcomes
        )
        tables.insert(0, ReportTable(_(AGAIN), tuple(_(head) for head in EXPECTED_HEADS), rows, numbers=(3,)))
    pictures = tuple(Picture(chart.title, picture_of(chart, _)) for chart in charts)
    section = Section(_(LOOKED), question, (agreed,), pictures, "")
    return Content(
        language=_.code, title=title, facts=tuple(facts), sections=(section,), tables=tuple(tables), pictures=(),
        foot=(_(SOURCE_OF_COUNTS),), kind=_(KIND),
    )  # fmt: skip


def picture_of(chart: Chart, _: PageLanguage) -> dict[str, Any]:
    """Return the chart that was looked at as a picture for paper, with the numbers of the notes that are pinned to it."""
    assert isinstance(chart.axis, TimeAxis)
    rows = [
        {
            "at": local(slot.start + (slot.end - slot.start) / 2, chart.axis),
            "series": series.name,
            "value": value,
        }
        for series in chart.series
        for slot, value in zip(chart.axis.slots, series.values, strict=True)
        if value is not None
    ]
    names = {series.key: series.name for series in chart.series}
    pins = [
        {"at": local(mark.at, chart.axis), "number": str(mark.number)}
        for mark in chart.marks
        if not isinstance(mark.at, int)
    ]
    gaps = [
        {"from": local(slot.start, chart.axis), "until": local(slot.end, chart.axis), "state": _(STATE_NAMES[state])}
        for slot, state in zip(chart.axis.slots, chart.states, strict=True)
        if state is not State.COUNTED
    ]
    return minutes_chart(rows, names, pins, gaps, chart.unit, _.code)


def local(at: datetime, axis: TimeAxis) -> str:
    """Return a time by the clock of the street, as charts on paper read it."""
    return at.astimezone(axis.tz).strftime("%Y-%m-%dT%H:%M:%S")
