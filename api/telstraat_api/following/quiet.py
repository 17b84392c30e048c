"""`/quiet`: the link in a letter about a silent sensor after which no such letters come for a while; no sign-in, one click."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from telstraat_api.web.forms import PageForm
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.pages import Pages
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import local_midnight, zone
from telstraat_store.work import sensor_letters as stored

router = APIRouter(include_in_schema=False)
Token = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
USUALLY = timedelta(days=91)
AT_MOST = timedelta(days=366)
BODY_MAX = 2000


def quiet_page(request: Request, token: str, sensor: Row | None, *, is_done: bool) -> Response:
    """Return the page with the question, or with what was done; a link that names no sensor of its reader says so."""
    pages: Pages = request.app.state.pages
    _ = page_language(chosen(request))
    until = sensor["muted_until"] if sensor else None
    response = pages.render(
        request,
        "my/quiet.html",
        200 if sensor else 404,
        token=token,
        sensor=sensor,
        is_done=is_done,
        until=_.day(until.astimezone(zone(sensor["timezone"] or "UTC")).date()) if sensor and until else "",
        suggested=(datetime.now(UTC) + USUALLY).date().isoformat(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/quiet")
async def ask(request: Request, token: Token) -> Response:
    """Show a button: programs that only look at mails must not mute anything."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        sensor = await stored.sensor_of_letter(connection, token)
    return quiet_page(request, token, sensor, is_done=False)


@router.post("/quiet")
async def be_quiet(request: Request, token: Token) -> Response:
    """Mute the letters about one sensor. The secret of the letter is enough: a mail program's one click comes from no page of ours."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        sensor = await stored.sensor_of_letter(connection, token)
        if sensor is not None:
            day = await day_in(request)
            until = datetime.now(UTC) + USUALLY
            if day is not None:
                wanted_until = local_midnight(day, zone(sensor["timezone"] or "UTC"))
                until = min(max(wanted_until, datetime.now(UTC)), datetime.now(UTC) + AT_MOST)
            await stored.mute_by_letter(connection, token, until)
            sensor = await stored.sensor_of_letter(connection, token)
    return quiet_page(request, token, sensor, is_done=True)


async def day_in(request: Request) -> date | None:
    """Return the day that a form names; a mail program's click names none."""
    body = await request.body()
    if len(body) > BODY_MAX:
        return None
    text = body.decode(errors="replace")
    form = PageForm({"until": [part.removeprefix("until=") for part in text.split("&") if part.startswith("until=")]})
    return form.day("until", needed=False)
