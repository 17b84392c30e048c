"""The chart of a day of one's own sensor, by quarters, with the times that were marked as bands."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from telstraat_api.web.charts import Band, Chart, Series, TimeAxis, render
from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.my.own_day import OwnDay
from telstraat_contract.quarters import QUARTER, QUARTER_S
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Row
from telstraat_store.counts.windows import Bucket, Window


def day_figure(own: OwnDay, sensor: Row, marks: Sequence[Row], _: PageLanguage) -> Markup:
    """Return a day as a figure: a bar per quarter of an hour, stacked by class, and a band for each bad time; none before it was theirs."""
    if not own.starts:
        return Markup()
    slots = [Window(start, start + QUARTER) for start in own.starts]
    quarters = [own.by_start.get(start) for start in own.starts]
    pale = frozenset(n for n, quarter in enumerate(quarters) if quarter and quarter.observed_s < QUARTER_S / 2)
    series = [
        Series(
            kind,
            _(PLURALS[kind]),
            [quarter.both(kind) if quarter and quarter.observed_s else None for quarter in quarters],
            tone=kind,
            pale=pale,
        )
        for kind in TOGETHER
    ]
    window = Window(own.begins, own.window.end)
    bands = [
        Band(Window(max(mark["from_at"], window.start), min(mark["until_at"], window.end)), mark["title"])
        for mark in marks
        if mark["from_at"] < window.end and mark["until_at"] > window.start
    ]
    chart = Chart(
        name="own-day",
        title=_("What {name} counted in each quarter of an hour, by class.", name=sensor["name"]),
        axis=TimeAxis(window, own.tz, Bucket.QUARTER, slots),
        series=series,
        unit=_("road users per quarter of an hour"),
        states=[own.state_at(start) for start in own.starts],
        bands=bands,
    )
    return render(chart, _)
