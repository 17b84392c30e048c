"""What everybody in a room looks at: a street's counts over some days as the pages' chart, or the streets as a map.

Everybody sees what the public sees: a phone on the table shows nothing that is withheld elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup

from telstraat_api.settings import ApiSettings
from telstraat_api.web.charts import Chart, Series, TimeAxis, render, slots_of
from telstraat_api.web.languages import PageLanguage
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_store.connection import Database, Row
from telstraat_store.counts.reading import read_watched
from telstraat_store.counts.states import State, due_at, gaps, period_state
from telstraat_store.counts.suppression import finalised, read_for
from telstraat_store.counts.windows import Bucket, Window, local_day, zone
from telstraat_store.places.segments import Segment, find_segment

DAYS_MAX = 400
HOURS_DAYS_MAX = 8
ROWS_MAX = 2000
KEPT_S = 20.0
NAME = "room-chart"
TITLE = gettext_noop("{street}, {first} to {last}: road users by class.")
TITLE_OF_DAY = gettext_noop("{street}, {first}: road users by class.")
PER_HOUR = gettext_noop("road users per hour")
PER_DAY = gettext_noop("road users per day")


@dataclass(frozen=True)
class LookedAt:
    """A street and its days, both included."""

    segment_id: int
    first: date
    last: date

    @property
    def bucket(self) -> Bucket:
        """How long the bars are."""
        return Bucket.HOUR if (self.last - self.first).days < HOURS_DAYS_MAX else Bucket.DAY


def first_look(workshop: Row, today: date) -> dict[str, Any]:
    """Return what a room looks at when it is opened: its first street, its days or the two weeks before today."""
    last = workshop["last_day"] or today - timedelta(days=1)
    first = workshop["first_day"] or last - timedelta(days=13)
    first = max(first, last - timedelta(days=DAYS_MAX - 1))
    if not workshop["segments"]:
        return {"view": "map"}
    return {
        "view": "street",
        "segment_id": workshop["segments"][0],
        "first": first.isoformat(),
        "last": last.isoformat(),
    }


def looked_at_of(shown_there: Mapping[str, Any]) -> LookedAt | None:
    """Return the street and days that a room looks at; None when it is the map."""
    if shown_there.get("view") != "street":
        return None
    return LookedAt(
        shown_there["segment_id"], date.fromisoformat(shown_there["first"]), date.fromisoformat(shown_there["last"])
    )


class RoomCharts:
    """Figures of rooms, each read once for a hundred phones that ask for it at the same moment."""

    def __init__(self, database: Database, settings: ApiSettings) -> None:
        self.database = database
        self.settings = settings
        self._figures: dict[tuple[LookedAt, str], tuple[float, Markup]] = {}
        self._reading = asyncio.Lock()

    async def figure(self, look: LookedAt, _: PageLanguage) -> Markup:
        """Return the figure of a street's days in a language."""
        key = (look, _.code)
        async with self._reading:
            until, figure = self._figures.get(key, (0.0, Markup("")))
            if until > time.monotonic():
                return figure
            figure = await self._drawn(look, _)
            self._figures = {k: v for k, v in self._figures.items() if v[0] > time.monotonic()}
            self._figures[key] = (time.monotonic() + KEPT_S, figure)
            return figure

    async def _drawn(self, look: LookedAt, _: PageLanguage) -> Markup:
        async with self.database.connection() as connection:
            segment = await find_segment(connection, look.segment_id)
        if segment is None:
            return Markup("")
        chart = await read_chart(self.database, self.settings, segment, look, _)
        return Markup('<p class="look-title">{}</p>{}').format(chart.title, render(chart, _))


async def read_chart(
    database: Database, settings: ApiSettings, segment: Segment, look: LookedAt, _: PageLanguage
) -> Chart:
    """Return the chart of a street's days as everybody may see it."""
    tz = zone(segment.timezone)
    window = Window(local_day(look.first, tz).start, local_day(look.last, tz).end)
    now = datetime.now(UTC)
    zones = {segment.segment_id: segment.timezone}
    periods = await read_for(database.public, zones, look.bucket, window, ROWS_MAX, settings.quarter_min)
    counted = {period.start: period for period in periods if period_state(period) is State.COUNTED}
    watched = await read_watched(database.public, [segment.segment_id], window)
    due = min(due_at(now, online=bool(segment.online)), finalised(window, look.bucket, zones, now).end)
    empty = gaps(window, look.bucket, tz, sorted(counted), (quarter.start for quarter in watched), due)
    slots = slots_of(window, look.bucket, tz)
    rows = [counted.get(slot.start.astimezone(UTC)) for slot in slots]
    states = [
        State.COUNTED
        if row is not None
        else next((gap.state for gap in empty if gap.window.start <= slot.start < gap.window.end), State.MISSING)
        for row, slot in zip(rows, slots, strict=True)
    ]
    series = [
        Series(kind, _(PLURALS[kind]), [None if row is None else row.both(kind) for row in rows], tone=kind)
        for kind in TOGETHER
    ]
    title = TITLE if look.last > look.first else TITLE_OF_DAY
    return Chart(
        name=NAME,
        title=_(title, street=segment.name, first=_.short_day(look.first), last=_.short_day(look.last)),
        unit=_(PER_HOUR if look.bucket is Bucket.HOUR else PER_DAY),
        axis=TimeAxis(window, tz, look.bucket, slots),
        series=series,
        states=states,
    )
