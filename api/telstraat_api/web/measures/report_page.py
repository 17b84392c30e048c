"""`/measures/{measure_id}/report.pdf` and `.html`: the report of an evaluation for people, who see at once that it is being set."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.evaluations.typesetting import MEDIA
from telstraat_api.v1.evaluations import REPORT_POLICY
from telstraat_api.v1.resources import audience_of, require_visible
from telstraat_api.web.languages import chosen
from telstraat_api.web.measures.measure_pages import Number
from telstraat_api.web.pages import page_reader
from telstraat_api.web.paper import paper
from telstraat_contract.languages import SOURCE
from telstraat_store.connection import Database
from telstraat_store.work.evaluations import find_report, find_shown, keep_report
from telstraat_store.work.measures import find_measure

router = APIRouter(include_in_schema=False)


@router.get("/measures/{measure_id}/report.{form}")
async def report_page(
    request: Request,
    measure_id: Number,
    form: Annotated[Literal["pdf", "html"], Path()],
    evaluation: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Return the report of the evaluation that is asked for, or of the one that the measure's page shows."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    async with database.connection() as connection:
        measure = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        row = await find_shown(connection, audience_of(reader), measure_id, evaluation)
        if row is None:
            raise NotFoundError(f"there is no evaluation of measure {measure_id} yet")
        number = row["evaluation_id"]
        language = chosen(request) if chosen(request) in row["contents"] else SOURCE
        known = await find_report(connection, number, language, form)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": REPORT_POLICY,
        "Content-Disposition": f'inline; filename="evaluation-{number}-{language}.{form}"',
    }
    if known is not None:
        return Response(known, media_type=MEDIA[form], headers=headers)
    back = f"/measures/{measure_id}?evaluation={number}"
    content = row["contents"][language]
    response = await paper(request, form, content, title=measure["name"], back=back, headers=headers)
    if response.status_code == 200:
        async with database.connection() as connection:
            await keep_report(connection, number, language, form, bytes(response.body))
    return response
