"""The pages around the table: measures with what was found of them, and workshops with what was said.

Shown from the same objects as the JSON and the reports, so that one number stands everywhere; what one may not see is not there.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Reader, hashed
from telstraat_api.periods import zone
from telstraat_api.v1 import evaluations, events, measures, sharing, workshops
from telstraat_api.v1.resources import found, listing, sees, visible
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages, page_reader
from telstraat_contract.languages import SOURCE, gettext_noop
from telstraat_store.connection import Database, Row

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
LISTED_MAX = 200
EVALUATIONS_MAX = 20
NOTE_KINDS = {
    "note": gettext_noop("Note"),
    "question": gettext_noop("Question"),
    "answer": gettext_noop("Answer"),
    "agreement": gettext_noop("Agreed"),
}
OF_MEASURE = "and measure_id = %(measure)s"
IN_STREETS = "and segment_id = any(%(segments)s) and until_at >= %(since)s"


def rendered(request: Request, template: str, **context: Any) -> Response:
    """Return a page that depends on who asks: no cache between may keep it for others."""
    pages: Pages = request.app.state.pages
    response = pages.render(request, template, **context)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept-Language, Cookie, Authorization, X-Api-Key"
    return response


async def names_of(database: Database, numbers: list[int]) -> dict[int, str]:
    """Return the names of streets by number."""
    rows = await database.rows("select segment_id, name from segment where segment_id = any(%s)", (numbers,))
    return {row["segment_id"]: row["name"] for row in rows}


async def answers_of(request: Request, reader: Reader, measure_id: int) -> list[dict[str, Any]]:
    """Return the evaluations of a measure that the reader may see, as their report says it."""
    database: Database = request.app.state.database
    query = listing(evaluations.SELECT, "evaluation_id", OF_MEASURE)
    values = {"after": 0, "limit": EVALUATIONS_MAX, "measure": measure_id, **visible(reader)}
    code = chosen(request)
    return [
        {
            "evaluation_id": row["evaluation_id"],
            "sections": row["contents"].get(code, row["contents"][SOURCE])["sections"],
            "note": row["note"],
            "published": row["published"],
            "at": row["created_at"],
        }
        for row in await database.rows(query, values)
    ]


@router.get("/measures")
async def measures_page(request: Request) -> Response:
    """List the measures and workshops that one may see."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    values = {"after": 0, "limit": LISTED_MAX, "segment": None, **visible(reader)}
    shown = await database.rows(listing(measures.SELECT, "measure_id"), values)
    told = await database.rows(listing(workshops.SELECT, "workshop_id"), values)
    names = await names_of(database, [number for row in shown for number in row["treated"]])
    shown.sort(key=lambda row: row["first_day"], reverse=True)
    return rendered(request, "measures.html", measures=shown, workshops=told, names=names, tz=zone("UTC"))


@router.get("/measures/{measure_id}")
async def measure_page(request: Request, measure_id: Number) -> Response:
    """Show a measure: where and since when, what the counts say about it, and what else happened there."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    row = found(await measures.find_measure(database, measure_id), reader, "measure", measure_id)
    answers = await answers_of(request, reader, measure_id)
    streets = {role: row[role] for role in ("treated", "controls", "boundary")}
    numbers = [number for role in streets.values() for number in role]
    since = datetime.combine(row["first_day"], datetime.min.time(), zone(row["timezone"]))
    values = {"after": 0, "limit": LISTED_MAX, "segments": numbers, "since": since, **visible(reader)}
    marked = await database.rows(listing(events.SELECT, "event_id", IN_STREETS), values)
    return rendered(
        request,
        "measure.html",
        measure=row,
        streets=streets,
        names=await names_of(database, numbers),
        answers=answers,
        charts=charts_of(answers),
        events=marked,
        tz=zone(row["timezone"]),
    )


def charts_of(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first picture of every answer, by the name that the page gives it."""
    return {
        f"found-{one['evaluation_id']}-{at}": fitted(section["pictures"][0]["spec"])
        for one in answers
        for at, section in enumerate(one["sections"])
        if section["pictures"]
    }


def fitted(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a report's picture as wide as the page, in the page's colours and fonts instead of the paper's."""
    config = {name: value for name, value in spec.get("config", {}).items() if name == "locale"}
    return {**spec, "config": config, **({"width": "container"} if "layer" in spec or "mark" in spec else {})}


@router.get("/workshops/{workshop_id}")
async def workshop_page(request: Request, workshop_id: Number) -> Response:
    """Show a workshop: its streets and days, its measure, and what was said."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    row = found(await workshops.find_workshop(request, workshop_id), reader, "workshop", workshop_id)
    measure = None if row["measure_id"] is None else await measures.find_measure(database, row["measure_id"])
    if measure is not None and not sees(reader, measure):
        measure = None
    answers = [] if measure is None else await answers_of(request, reader, measure["measure_id"])
    sentences = [section["sentence"] for one in answers for section in one["sections"]]
    return await workshop_shown(request, row, measure, sentences, until=None)


@router.get("/shared/{secret}")
async def shared_page(
    request: Request, secret: Annotated[str, Path(min_length=20, max_length=80, pattern=r"^tsw_[A-Za-z0-9_-]+$")]
) -> Response:
    """Show a workshop to a participant who has its link: what the link's JSON tells, as a page."""
    database: Database = request.app.state.database
    row = await database.row(sharing.SHARE, (hashed(secret),))
    if row is None:
        raise NotFoundError("this link does not work: it is unknown, has ended, or was revoked")
    measure = None if row["measure_id"] is None else await measures.find_measure(database, row["measure_id"])
    told = await database.rows(
        "select result from evaluation where measure_id = %s order by evaluation_id", (row["measure_id"],)
    )
    code = chosen(request)
    sentences = [
        one["sentence"].get(code, one["sentence"][SOURCE])
        for evaluation in told
        for one in evaluation["result"]["evaluations"]
    ]
    response = await workshop_shown(request, row, measure, sentences, until=row["expires_at"].date())
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def workshop_shown(
    request: Request, row: Row, measure: Row | None, sentences: list[str], *, until: date | None
) -> Response:
    """Return the page of a workshop."""
    database: Database = request.app.state.database
    names = await names_of(database, row["segments"])
    notes = await database.rows(workshops.NOTES, (row["workshop_id"], workshops.NOTES_MAX))
    zones = await database.rows("select timezone from segment where segment_id = any(%s) limit 1", (row["segments"],))
    return rendered(
        request,
        "workshop.html",
        workshop=row,
        names=names,
        measure=measure,
        sentences=sentences,
        notes=notes,
        note_kinds=NOTE_KINDS,
        until=until,
        tz=zone(zones[0]["timezone"] if zones else "UTC"),
    )
