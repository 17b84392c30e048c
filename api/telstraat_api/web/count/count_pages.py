"""`/count`: count a street by hand, on a phone, with or without network, and see what that says of its sensor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Role
from telstraat_api.v1.segments import require_segment
from telstraat_api.web import assets
from telstraat_api.web.count.hand_comparison import beside_sensor
from telstraat_api.web.count.hand_tally import tally_in, tally_of
from telstraat_api.web.forms import read_form, see_other, signed_in
from telstraat_api.web.names import SPLIT
from telstraat_api.web.pages import Pages, page_reader
from telstraat_store.connection import Database
from telstraat_store.counts.windows import zone
from telstraat_store.places.picking import list_named
from telstraat_store.places.segments import names_of
from telstraat_store.places.sensors import sensors_of
from telstraat_store.work import hand_counts as stored

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
WORKER = "count/worker.js"
OFFERED = 50
TEXT_MAX = 200
LISTED = 50


@router.get("/count")
async def choose_page(request: Request) -> Response:
    """Offer the streets, one's own first, the others by a search, and list one's own counts."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    reader = await page_reader(request)
    text = request.query_params.get("q", "")[:TEXT_MAX].replace("\0", "").strip()
    async with database.connection() as connection:
        found_streets = await list_named(connection, text, OFFERED + 1)
        own = await sensors_of(connection, reader.account_id) if reader.account_id is not None else []
        counts = await stored.list_hand_counts(connection, reader.account_id, LISTED) if reader.account_id else []
        places = await names_of(connection, sorted({sensor["segment_id"] for sensor in own}))
    return pages.render(
        request, "count/choose.html", text=text, own=places, counts=counts, zone=zone,
        streets=[row for row in found_streets[:OFFERED] if row["segment_id"] not in places], is_cut=len(found_streets) > OFFERED,
    )  # fmt: skip


@router.get("/count/worker.js")
async def worker() -> Response:
    """Send the script that keeps the page for counting without network; it reaches what lies below `/count/`."""
    file = assets.asset(WORKER)
    return Response(file.content, media_type=file.media_type, headers={"Cache-Control": "no-cache"})


@router.get("/count/{segment_id}")
async def count_page(request: Request, segment_id: Number) -> Response:
    """Show the page for counting: alike for everybody, since a phone keeps it for when there is no network."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    async with database.connection() as connection:
        segment = await require_segment(connection, segment_id)
    return pages.render(request, "count/count.html", segment=segment, kinds=SPLIT)


@router.post("/count/{segment_id}")
async def keep_count(request: Request, segment_id: Number) -> Response:
    """Keep a count, once however often it is sent, and show what it says of the sensor."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    form = await read_form(request)
    try:
        number = UUID(form.value("number"))
    except ValueError as error:
        raise NotFoundError("number: this is no count of ours; open the page again") from error
    tally = tally_in(form.value("quarters"), datetime.now(UTC))
    assert reader.account_id is not None, "somebody is signed in"
    async with database.connection() as connection:
        await require_segment(connection, segment_id)
        await stored.add_hand_count(connection, number, reader.account_id, segment_id, tally.window, tally.plain())
    return see_other(f"/count/results/{number}")


async def require_count(request: Request, number: UUID) -> tuple[Any, dict[str, Any]]:
    """Return who asks and a count that they may see: their own, and every one for professionals."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_hand_count(connection, number)
    if row is None or (row["account_id"] != reader.account_id and reader.role < Role.PROFESSIONAL):
        raise NotFoundError("there is no such count of yours")
    return reader, row


@router.get("/count/results/{number}")
async def result_page(request: Request, number: UUID) -> Response:
    """Show what was counted by hand, and per class how far the sensor is off and how surely this count can tell."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    reader, row = await require_count(request, number)
    tally = tally_of(row["quarters"])
    beside = await beside_sensor(database, reader, row["segment_id"], tally, datetime.now(UTC))
    response = pages.render(
        request,
        "count/result.html",
        count=row,
        totals={kind: tally.total(kind) for kind in SPLIT},
        beside=beside,
        tz=zone(row["timezone"]),
        is_own=row["account_id"] == reader.account_id,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@router.post("/count/results/{number}/delete")
async def throw_away(request: Request, number: UUID) -> Response:
    """Throw away a count of one's own."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection:
        await stored.delete_hand_count(connection, number, reader.account_id)
    return see_other("/count")
