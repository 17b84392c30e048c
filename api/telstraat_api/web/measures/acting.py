"""What readers and officers do on a measure's page: follow it, publish what was found, take it back; and how long one must count."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from telstraat_api.http.access import Role
from telstraat_api.v1.measures import measure_shape
from telstraat_api.v1.resources import require_changeable, require_visible
from telstraat_api.web.forms import read_form, see_other, signed_in
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.measures import names, pictures
from telstraat_api.web.measures.form import ask_of
from telstraat_api.web.measures.measure_pages import Number, may_change, rendered
from telstraat_api.web.measures.prospects import Prospects, prospects_of
from telstraat_api.web.pages import page_reader
from telstraat_api.web.paper import COMPUTING_IT, is_soon_there, waiting_page
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_users import CLASSES
from telstraat_store.connection import Database
from telstraat_store.work.evaluations import change_evaluation, delete_evaluation, find_evaluation
from telstraat_store.work.followers import follow, unfollow
from telstraat_store.work.measures import find_measure

router = APIRouter(include_in_schema=False)
HOW_LONG = gettext_noop("How long must we count?")
UNDER_WAY: set[asyncio.Task[Prospects]] = set()
"""What goes on for a browser that was shown the page that waits for it."""


@router.post("/measures/{measure_id}/follow")
async def follow_measure(request: Request, measure_id: Number) -> Response:
    """Get letters about a measure, or no more of them."""
    reader = await signed_in(request)
    form = await read_form(request)
    what = form.value("what")
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        if what in CLASSES:
            await follow(connection, measure_id, reader.account_id, what, chosen(request))
        else:
            await unfollow(connection, measure_id, reader.account_id)
    return see_other(f"/measures/{measure_id}")


@router.post("/measures/{measure_id}/evaluations/{evaluation_id}")
async def change_found(request: Request, measure_id: Number, evaluation_id: Number) -> Response:
    """Publish an evaluation, take it back, or delete it."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    action = form.value("action")
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_changeable(await find_evaluation(connection, evaluation_id), reader, "evaluation", evaluation_id)
        if row["measure_id"] == measure_id and action == "delete":
            await delete_evaluation(connection, evaluation_id)
        elif row["measure_id"] == measure_id and action in {"publish", "withdraw"}:
            await change_evaluation(connection, row, {"published": action == "publish"})
    return see_other(f"/measures/{measure_id}")


@router.get("/measures/{measure_id}/plan")
async def plan_page(request: Request, measure_id: Number) -> Response:
    """Say how small a change would be seen after how many weeks in the streets of a measure, and what more streets would bring."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    async with database.connection() as connection:
        measure = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
    what = next(iter(ask_of(measure)["what"]), "car")
    looking = asyncio.create_task(prospects_of(request, measure_shape(measure, reader), what, datetime.now(UTC).date()))
    if not await is_soon_there(request, looking):
        looking.add_done_callback(lambda task: task.cancelled() or task.exception())
        UNDER_WAY.add(looking)
        looking.add_done_callback(UNDER_WAY.discard)
        title = page_language(chosen(request))(HOW_LONG)
        return waiting_page(request, title, f"/measures/{measure_id}", COMPUTING_IT)
    prospects = await looking
    return rendered(
        request,
        "measures/plan.html",
        measure=measure,
        prospects=prospects,
        may_change=may_change(reader, measure),
        names=names,
        pictures=pictures,
        percent_text=page_language(chosen(request)).percent,
    )
