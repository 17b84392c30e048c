"""A bad time of one's own sensor, marked with a reason: evaluations leave it out, and charts show it as a band."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.web.forms import PageForm, read_form, see_other
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.my.moments import local_moment
from telstraat_api.web.my.own_live import SensorNumber
from telstraat_api.web.my.sensor_page import REASONS, render_sensor, require_own_sensor
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.places.own_sensors import own_installations
from telstraat_store.work.events import add_event, delete_event, find_event

router = APIRouter(include_in_schema=False)
LONGEST = timedelta(days=400)

ENDS_FIRST = gettext_noop("The end must come after the beginning.")
TOO_LONG_A_TIME = gettext_noop("This is longer than a year: mark a shorter time.")
NOT_YET_OVER = gettext_noop("This lies more than a month ahead.")
NOT_YOURS_THEN = gettext_noop("Your sensor did not stand in one street for all of this time, or was not yours yet.")
NO_REASON = gettext_noop("Choose a reason.")


@router.post("/my/sensors/{sensor_id}/marks")
async def mark(request: Request, sensor_id: SensorNumber) -> Response:
    """Mark a bad time."""
    reader, row = await require_own_sensor(request, sensor_id)
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        places = await own_installations(connection, sensor_id, reader.account_id)
    tz = zone(row["timezone"] or (places[0]["timezone"] if places else "UTC"))
    start, end = local_moment(form, "from", tz), local_moment(form, "until", tz)
    reason, words = form.text("reason", longest=20), form.text("words", longest=150, needed=False)
    if reason not in REASONS:
        form.errors["reason"] = NO_REASON
    place = place_in(form, places, start, end)
    if form.errors or place is None or start is None or end is None:
        return await render_sensor(request, reader, row, form, status=422)
    kind, text = REASONS[reason]
    title = page_language(chosen(request))(text)
    values = {
        "segment_id": place["segment_id"],
        "kind": kind,
        "title": f"{title}: {' '.join(words.split())}" if words else title,
        "from_at": start,
        "until_at": end,
        "excludes": True,
        "published": form.value("published") == "yes",
    }
    async with database.connection() as connection:
        await add_event(connection, reader.account_id, values, once=True)
    return see_other(f"/my/sensors/{sensor_id}", did="marked", day=start.astimezone(tz).date().isoformat())


def place_in(form: PageForm, places: list[Row], start: datetime | None, end: datetime | None) -> Row | None:
    """Return where the sensor stood for all of a time that can be marked; what is wrong is said beside the fields."""
    if start is None or end is None:
        return None
    if end <= start:
        form.errors["until"] = ENDS_FIRST
    elif end - start > LONGEST:
        form.errors["until"] = TOO_LONG_A_TIME
    elif end > datetime.now(UTC) + timedelta(days=31):
        form.errors["until"] = NOT_YET_OVER
    if form.errors:
        return None
    for place in places:
        # A quarter of an hour before it stood there is where a drag over a chart may begin.
        if place["theirs_from"] - timedelta(minutes=15) <= start and (
            place["until_at"] is None or end <= place["until_at"] + timedelta(minutes=15)
        ):
            return place
    form.errors["from"] = NOT_YOURS_THEN
    return None


@router.post("/my/sensors/{sensor_id}/marks/{event_id}/remove")
async def unmark(
    request: Request, sensor_id: SensorNumber, event_id: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> Response:
    """Take back what one has marked: evaluations count that time again."""
    reader, _ = await require_own_sensor(request, sensor_id)
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        event = await find_event(connection, event_id)
        if event is None or event["account_id"] is None or event["account_id"] != reader.account_id:
            raise NotFoundError("you have not marked this, or not any more")
        await delete_event(connection, event_id)
    return see_other(f"/my/sensors/{sensor_id}", did="unmarked")
