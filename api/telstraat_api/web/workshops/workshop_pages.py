"""The pages of workshops: streets, days, a measure and what was said, for those who may see it and for whoever has a link."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import NotFoundError
from telstraat_api.v1.resources import audience_of, require_visible, sees
from telstraat_api.web.languages import chosen
from telstraat_api.web.measures.measure_pages import Number, answers_of, rendered
from telstraat_api.web.pages import page_reader
from telstraat_contract.languages import SOURCE, gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.places.segments import names_of, timezones_of
from telstraat_store.work.evaluations import results_of_measure
from telstraat_store.work.measures import find_measure
from telstraat_store.work.sharing_links import shared_workshop
from telstraat_store.work.workshops import find_workshop, notes_of

router = APIRouter(include_in_schema=False)
NOTE_KINDS = {
    "note": gettext_noop("Note"),
    "question": gettext_noop("Question"),
    "answer": gettext_noop("Answer"),
    "agreement": gettext_noop("Agreed"),
}


@router.get("/workshops/{workshop_id}")
async def workshop_page(request: Request, workshop_id: Number) -> Response:
    """Show a workshop: its streets and days, its measure, and what was said."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    async with database.connection() as connection:
        row = await find_workshop(connection, workshop_id)
        workshop = require_visible(row, reader, "workshop", workshop_id)
        measure = await measure_of(connection, workshop)
        if measure is not None and not sees(reader, measure):
            measure = None
        answers = []
        if measure is not None:
            answers = await answers_of(connection, audience_of(reader), measure["measure_id"], chosen(request))
        sentences = [section["sentence"] for answer in answers for section in answer["sections"]]
        context = await context_of(connection, workshop)
    return render_workshop(request, workshop, measure, sentences, context, until=None)


@router.get("/shared/{secret}")
async def shared_page(
    request: Request, secret: Annotated[str, Path(min_length=20, max_length=80, pattern=r"^tsw_[A-Za-z0-9_-]+$")]
) -> Response:
    """Show a workshop to a participant who has its link: what the link's JSON tells, as a page."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        workshop = await shared_workshop(connection, secret)
        if workshop is None:
            raise NotFoundError("this link does not work: it is unknown, has ended, or was revoked")
        measure = await measure_of(connection, workshop)
        results = await results_of_measure(connection, workshop["measure_id"])
        context = await context_of(connection, workshop)
    code = chosen(request)
    sentences = [
        answer["sentence"].get(code, answer["sentence"][SOURCE])
        for result in results
        for answer in result["evaluations"]
    ]
    response = render_workshop(request, workshop, measure, sentences, context, until=workshop["expires_at"].date())
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def measure_of(connection: AsyncConnection[Any], workshop: Row) -> Row | None:
    """Return the measure that a workshop talks about, or None."""
    return None if workshop["measure_id"] is None else await find_measure(connection, workshop["measure_id"])


async def context_of(connection: AsyncConnection[Any], workshop: Row) -> dict[str, Any]:
    """Return what the page shows beside the workshop's own row: its streets' names and time zone, and its notes."""
    zones = await timezones_of(connection, workshop["segments"])
    return {
        "names": await names_of(connection, workshop["segments"]),
        "notes": await notes_of(connection, workshop["workshop_id"]),
        "tz": zone(next(iter(zones.values()), "UTC")),
    }


def render_workshop(
    request: Request,
    workshop: Row,
    measure: Row | None,
    sentences: list[str],
    context: dict[str, Any],
    *,
    until: date | None,
) -> Response:
    """Return the page of a workshop."""
    return rendered(
        request,
        "workshops/workshop.html",
        workshop=workshop,
        measure=measure,
        sentences=sentences,
        note_kinds=NOTE_KINDS,
        until=until,
        **context,
    )
