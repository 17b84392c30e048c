"""The pages of measures: what was done, and what was found of it.

Shown from the same objects as the JSON and the reports, so that one number stands everywhere; what one may not see is not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from psycopg import AsyncConnection

from telstraat_api.http.access import Role
from telstraat_api.v1.resources import audience_of, owns, require_visible
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages, page_reader
from telstraat_contract.languages import SOURCE
from telstraat_store.connection import Database
from telstraat_store.counts.windows import zone
from telstraat_store.places.segments import names_of
from telstraat_store.work.evaluations import list_evaluations
from telstraat_store.work.events import list_events_in
from telstraat_store.work.measures import find_measure, list_measures
from telstraat_store.work.published import Audience, Page
from telstraat_store.work.workshops import list_workshops

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
LISTED = Page(after=0, limit=200)
EVALUATIONS = Page(after=0, limit=20)


def rendered(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page that depends on who asks: no cache between may keep it for others."""
    pages: Pages = request.app.state.pages
    response = pages.render(request, template, status, **context)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


async def answers_of(
    connection: AsyncConnection[Any], audience: Audience, measure_id: int, language: str
) -> list[dict[str, Any]]:
    """Return the evaluations of a measure that the reader may see, as their report says it."""
    return [
        {
            "evaluation_id": row["evaluation_id"],
            "sections": row["contents"].get(language, row["contents"][SOURCE])["sections"],
            "note": row["note"],
            "published": row["published"],
            "at": row["created_at"],
        }
        for row in await list_evaluations(connection, audience, EVALUATIONS, measure_id)
    ]


@router.get("/measures")
async def measures_page(request: Request) -> Response:
    """List the measures and workshops that one may see."""
    database: Database = request.app.state.database
    audience = audience_of(await page_reader(request))
    async with database.connection() as connection:
        measures = await list_measures(connection, audience, LISTED)
        workshops = await list_workshops(connection, audience, LISTED)
        names = await names_of(connection, [number for measure in measures for number in measure["treated"]])
    measures.sort(key=lambda measure: measure["first_day"], reverse=True)
    return rendered(
        request, "measures/measures.html", measures=measures, workshops=workshops, names=names, tz=zone("UTC")
    )


@router.get("/measures/{measure_id}")
async def measure_page(request: Request, measure_id: Number) -> Response:
    """Show a measure: where and since when, what the counts say about it, and what else happened there."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    audience = audience_of(reader)
    async with database.connection() as connection:
        measure = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        tz = zone(measure["timezone"])
        answers = await answers_of(connection, audience, measure_id, chosen(request))
        streets = {role: measure[role] for role in ("treated", "controls", "boundary")}
        numbers = [number for role in streets.values() for number in role]
        since = datetime.combine(measure["first_day"], datetime.min.time(), tz)
        events = await list_events_in(connection, audience, LISTED, numbers, since)
        names = await names_of(connection, numbers)
    return rendered(
        request,
        "measures/measure.html",
        measure=measure,
        may_change=owns(reader, measure) or reader.role is Role.OPERATOR,
        streets=streets,
        names=names,
        answers=answers,
        charts=charts_of(answers),
        events=events,
        tz=tz,
    )


def charts_of(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first picture of every answer, by the name that the page gives it."""
    return {
        f"found-{answer['evaluation_id']}-{at}": fitted(section["pictures"][0]["spec"])
        for answer in answers
        for at, section in enumerate(answer["sections"])
        if section["pictures"]
    }


def fitted(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a report's picture as wide as the page, in the page's colours and fonts instead of the paper's."""
    config = {name: value for name, value in spec.get("config", {}).items() if name == "locale"}
    return {**spec, "config": config, **({"width": "container"} if "layer" in spec or "mark" in spec else {})}
