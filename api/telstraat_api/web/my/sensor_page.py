"""`/my/sensors/{sensor_id}`: one's own sensor, with its lights, today, what was marked, how long it watched, and where it stood."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Reader
from telstraat_api.web.forms import PageForm, signed_in
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.my.lights import lights_of
from telstraat_api.web.my.own_chart import day_figure
from telstraat_api.web.my.own_day import OwnDay, read_own_day
from telstraat_api.web.my.own_live import SensorNumber
from telstraat_api.web.pages import Pages
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.places.own_sensors import find_own_sensor, own_installations
from telstraat_store.work.events import list_events
from telstraat_store.work.published import Audience, Page
from telstraat_store.work.sensor_letters import absences_since

router = APIRouter(include_in_schema=False)
MARKS_MAX = 200
REASONS = {
    "covered": ("sensor_trouble", gettext_noop("Something stood before the camera")),
    "moved": ("sensor_trouble", gettext_noop("The camera was moved")),
    "off": ("sensor_trouble", gettext_noop("The sensor was off or being cleaned")),
    "works": ("road_works", gettext_noop("Road works before the lens")),
    "wrong": ("sensor_trouble", gettext_noop("The numbers cannot be right")),
    "other": ("other", gettext_noop("Something else")),
}
"""Why a time was bad, to choose from: the kind of event that it becomes, and its words."""


async def require_own_sensor(request: Request, sensor_id: int) -> tuple[Reader, Row]:
    """Return who reads and their sensor; what is another's is answered as if it were not there."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await find_own_sensor(connection, sensor_id, reader.account_id)
    if row is None:
        raise NotFoundError(f"there is no sensor {sensor_id} of yours")
    return reader, row


async def own_marks(request: Request, reader: Reader, segments: set[int]) -> list[Row]:
    """Return what somebody has marked in some streets, the latest first."""
    database: Database = request.app.state.database
    audience = Audience(reader.account_id, sees_everything=False)
    rows: list[Row] = []
    async with database.connection() as connection:
        for segment_id in sorted(segments):
            rows += await list_events(connection, audience, Page(0, MARKS_MAX), segment_id=segment_id, only_own=True)
    return sorted(rows, key=lambda row: row["from_at"], reverse=True)


def day_of(text: str | None) -> date | None:
    """Read the day asked for."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"day={text!r} is not a date; write 2026-03-01") from error
    if not 2000 <= day.year < 2200:
        raise QueryError(f"day={text!r} lies outside of the years 2000 to 2199")
    return day


@router.get("/my/sensors/{sensor_id}")
async def sensor_page(
    request: Request, sensor_id: SensorNumber, day: Annotated[str | None, Query(max_length=10)] = None
) -> Response:
    """Show one's own sensor."""
    reader, row = await require_own_sensor(request, sensor_id)
    return await render_sensor(request, reader, row, PageForm(), day=day_of(day))


async def render_sensor(
    request: Request, reader: Reader, row: Row, form: PageForm, *, day: date | None = None, status: int = 200
) -> Response:
    """Return the page of a sensor, with the form to mark a bad time as it was sent."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    _ = page_language(chosen(request))
    now = datetime.now(UTC)
    async with database.connection() as connection:
        places = await own_installations(connection, row["sensor_id"], reader.account_id)
        absences = await absences_since(connection, now - timedelta(days=7))
    marks = await own_marks(request, reader, {place["segment_id"] for place in places})
    own_day: OwnDay | None = None
    if places:
        latest = places[0]
        own_day = await read_own_day(
            database, row["sensor_id"], reader.account_id, latest["timezone"], row["owned_since"], now, day
        )
    response = pages.render(
        request,
        "my/sensor.html",
        status,
        sensor=row,
        lights=lights_of(row, now, _),
        places=places,
        marks=marks,
        absences=absences,
        day=own_day,
        figure=day_figure(own_day, row, marks, _) if own_day else "",
        form=form,
        tz=zone(row["timezone"] or (places[0]["timezone"] if places else "UTC")),
        zone_of=zone,
        moved=moved_from(places),
        now=now,
        weeks=weeks_of(own_day),
        reasons=REASONS,
        message=request.query_params.get("did", ""),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def moved_from(places: list[Row]) -> Row | None:
    """Return where a sensor stood before it came to its street; None when it has always stood there."""
    is_elsewhere = len(places) > 1 and places[1]["segment_id"] != places[0]["segment_id"]
    return places[1] if is_elsewhere and places[0]["until_at"] is None else None


def weeks_of(own_day: OwnDay | None) -> list[list[Any]]:
    """Return the calendar of uptime in weeks of seven days, the last as long as it is so far."""
    days = own_day.calendar if own_day else []
    return [days[at : at + 7] for at in range(0, len(days), 7)]
