"""The minutes of a workshop as page, PDF and CSV: for those who may see it, and as a page for whoever has a link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import EVERYBODY, Reader, Role
from telstraat_api.v1.resources import audience_of, owns, require_visible, sees
from telstraat_api.web.charts import Chart, Mark, render
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.measures.measure_pages import Number, rendered
from telstraat_api.web.pages import page_reader
from telstraat_api.web.paper import paper
from telstraat_api.web.workshops.expectations import Outcome, outcomes
from telstraat_api.web.workshops.minutes import Minutes, as_csv, minutes_of
from telstraat_api.web.workshops.minutes_pdf import minutes_content
from telstraat_api.web.workshops.room_chart import LookedAt, first_look, looked_at_of, read_chart
from telstraat_contract.languages import SOURCE, gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.places.segments import find_segment, names_of, timezones_of
from telstraat_store.work.evaluations import results_of_measure
from telstraat_store.work.measures import find_measure
from telstraat_store.work.rooms import find_room, turnout
from telstraat_store.work.sharing_links import shared_workshop
from telstraat_store.work.workshops import find_workshop, groups_of, notes_of

router = APIRouter(include_in_schema=False)
CHARTS_MAX = 4
PINS_MAX = 40
BODY_OF_A_PIN = 80
FACTS = {
    "place": gettext_noop("Place"),
    "held": gettext_noop("Held"),
    "streets": gettext_noop("Streets"),
    "people": gettext_noop("Took part"),
    "voters": gettext_noop("Voted"),
    "measure": gettext_noop("Measure"),
}


@dataclass(frozen=True)
class WorkshopReading:
    """A workshop as somebody may read it: its rows, its minutes, and what was found of its measure."""

    workshop: Row
    room: Row | None
    measure: Row | None
    sentences: list[str]
    outcomes: list[Outcome]
    minutes: Minutes
    notes: list[Row]
    groups: list[Row]
    names: dict[int, str]
    tz: ZoneInfo


@router.get("/workshops/{workshop_id}")
async def workshop_page(request: Request, workshop_id: Number) -> Response:
    """Show the minutes of a workshop: what it asked, what was looked at, said, voted and agreed."""
    reader = await page_reader(request)
    reading = await read_visible(request, reader, workshop_id)
    return await minutes_page(request, reading, reader, shared_until=None)


@router.get("/shared/{secret}")
async def shared_page(
    request: Request, secret: Annotated[str, Path(min_length=20, max_length=80, pattern=r"^tsw_[A-Za-z0-9_-]+$")]
) -> Response:
    """Show the minutes of a workshop to somebody who has a link to them: what the link's JSON tells, as a page."""
    database: Database = request.app.state.database
    _ = page_language(chosen(request))
    async with database.connection() as connection:
        workshop = await shared_workshop(connection, secret)
        if workshop is None:
            raise NotFoundError("this link does not work: it is unknown, has ended, or was revoked")
        measure = await measure_of(connection, workshop)
        results = await results_of_measure(connection, workshop["measure_id"])
        reading = await read_workshop(connection, workshop, measure, results, _)
    response = await minutes_page(request, reading, EVERYBODY, shared_until=workshop["expires_at"])
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@router.get("/workshops/{workshop_id}/minutes.pdf")
async def minutes_on_paper(request: Request, workshop_id: Number) -> Response:
    """Return the minutes as PDF, in the page's language."""
    reader = await page_reader(request)
    reading = await read_visible(request, reader, workshop_id)
    _ = page_language(chosen(request))
    workshop = reading.workshop
    charts = await charts_of(request, reading, _)
    content = minutes_content(
        workshop["title"], workshop["question"], facts_of(reading, _), reading.minutes, charts, reading.outcomes, _
    )
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="workshop-{workshop_id}.pdf"',
    }
    back = f"/workshops/{workshop_id}"
    return await paper(request, "pdf", content, title=workshop["title"], back=back, headers=headers)


@router.get("/workshops/{workshop_id}/notes.csv")
async def notes_table(request: Request, workshop_id: Number) -> Response:
    """Return the notes with groups, votes and pins as a table."""
    reader = await page_reader(request)
    reading = await read_visible(request, reader, workshop_id)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="workshop-{workshop_id}.csv"',
    }
    body = as_csv(reading.notes, reading.groups, reading.names)
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


async def read_visible(request: Request, reader: Reader, workshop_id: int) -> WorkshopReading:
    """Return a workshop that the reader may see, with what they may see of its measure."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await find_workshop(connection, workshop_id)
        workshop = require_visible(row, reader, "workshop", workshop_id)
        measure = await measure_of(connection, workshop)
        results: list[dict[str, Any]] = []
        if measure is not None and sees(reader, measure):
            results = await results_of_measure(connection, measure["measure_id"], audience_of(reader))
        else:
            measure = None
        return await read_workshop(connection, workshop, measure, results, page_language(chosen(request)))


async def measure_of(connection: AsyncConnection[Any], workshop: Row) -> Row | None:
    """Return the measure that a workshop talks about, or None."""
    return None if workshop["measure_id"] is None else await find_measure(connection, workshop["measure_id"])


async def read_workshop(
    connection: AsyncConnection[Any],
    workshop: Row,
    measure: Row | None,
    results: list[dict[str, Any]],
    _: PageLanguage,
) -> WorkshopReading:
    """Return a workshop with its minutes and what became of what was expected."""
    zones = await timezones_of(connection, workshop["segments"])
    tz = zone(next(iter(zones.values()), "UTC"))
    names = await names_of(connection, workshop["segments"])
    notes = await notes_of(connection, workshop["workshop_id"])
    groups = await groups_of(connection, workshop["workshop_id"])
    people = await turnout(connection, workshop["workshop_id"])
    sentences = [
        str(answer["sentence"].get(_.code, answer["sentence"][SOURCE]))
        for result in results
        for answer in result["evaluations"]
    ]
    return WorkshopReading(
        workshop, await find_room(connection, workshop["workshop_id"]), measure, sentences,
        outcomes(notes, results, _), minutes_of(notes, groups, people, names, tz, _), notes, groups, names, tz,
    )  # fmt: skip


async def charts_of(request: Request, reading: WorkshopReading, _: PageLanguage) -> list[Chart]:
    """Return what was looked at, and each street that has notes pinned to a time, with the notes' numbers as pins."""
    database: Database = request.app.state.database
    workshop = reading.workshop
    look = looked_at_of(reading.room["looked_at"] if reading.room else first_look(workshop, datetime.now(UTC).date()))
    start = looked_at_of(first_look(workshop, datetime.now(UTC).date()))
    if start is None:
        return []
    pinned = [row["pin"] for row in reading.notes if row["pin"] and row["pin"].get("from")]
    streets = [pin["segment_id"] for pin in pinned if pin.get("segment_id") in reading.names]
    looks = [look] if look else []
    looks += [
        LookedAt(n, start.first, start.last)
        for n in workshop["segments"]  # in the order in which the streets are named above
        if n in streets and (not look or n != look.segment_id)
    ]
    charts = []
    for number, each in enumerate(looks[:CHARTS_MAX]):
        async with database.connection() as connection:
            segment = await find_segment(connection, each.segment_id)
        if segment is not None:
            chart = await read_chart(database, request.app.state.settings, segment, each, _)
            charts.append(replace(chart, name=f"minutes-{number}", marks=marks_of(reading, each.segment_id)))
    return charts


def marks_of(reading: WorkshopReading, segment_id: int) -> list[Mark]:
    """Return the pins of the notes that are about a time at a street; their numbers are those of the minutes."""
    numbers = {note.note_id: note for group in reading.minutes.groups for note in group.notes}
    return [
        Mark(
            numbers[row["note_id"]].number,
            numbers[row["note_id"]].body[:BODY_OF_A_PIN],
            middle(row["pin"]),
            address=f"#note-{row['note_id']}",
        )
        for row in reading.notes
        if row["note_id"] in numbers
        and row["pin"]
        and row["pin"].get("from")
        and row["pin"].get("segment_id", segment_id) == segment_id
    ][:PINS_MAX]


def middle(pin: dict[str, Any]) -> datetime:
    """Return the middle of the time that a note is pinned to."""
    start, end = (datetime.fromisoformat(pin[name]) for name in ("from", "until"))
    return start + (end - start) / 2


def facts_of(reading: WorkshopReading, _: PageLanguage) -> list[tuple[str, str]]:
    """Return what stands at the head of the minutes."""
    workshop, minutes = reading.workshop, reading.minutes
    facts = {
        "place": workshop["place"],
        "held": _.moment(workshop["held_at"], reading.tz) if workshop["held_at"] else "",
        "streets": ", ".join(reading.names.values()),
        "measure": reading.measure["name"] if reading.measure else "",
        "people": _.number(minutes.people) if minutes.people else "",
        "voters": _.number(minutes.voters) if minutes.voters else "",
    }
    return [(_(FACTS[name]), value) for name, value in facts.items() if value]


async def minutes_page(
    request: Request, reading: WorkshopReading, reader: Reader, *, shared_until: datetime | None
) -> Response:
    """Return the minutes as a page; `shared_until` is when the link ends by which somebody reads them."""
    _ = page_language(chosen(request))
    charts = await charts_of(request, reading, _)
    leads = owns(reader, reading.workshop) or reader.role is Role.OPERATOR
    return rendered(
        request, "workshops/workshop.html", reading=reading, workshop=reading.workshop,
        charts=[(chart.title, render(chart, _)) for chart in charts], leads=leads,
        until=shared_until.date() if shared_until else None, today=datetime.now(UTC).date(),
    )  # fmt: skip
