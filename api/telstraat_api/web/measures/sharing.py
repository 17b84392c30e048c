"""`/measures/{measure_id}/share` and the card's picture: only of what is published, so that nothing is shared that nobody may read."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import NotFoundError
from telstraat_api.evaluations.typesetting import Typesetter
from telstraat_api.http.answers import tag_of, tags
from telstraat_api.settings import ApiSettings
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.measures.answers import evaluation_view
from telstraat_api.web.measures.card import ShareCard, base_of, card_of
from telstraat_api.web.measures.measure_pages import Number, rendered
from telstraat_api.web.pages import page_reader
from telstraat_store.connection import Database, Row
from telstraat_store.places.segments import names_of
from telstraat_store.work.evaluations import find_shown
from telstraat_store.work.measures import find_measure
from telstraat_store.work.published import Audience

router = APIRouter(include_in_schema=False)
Evaluation = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
EVERYBODY = Audience(None, sees_everything=False)


async def published_card(request: Request, measure_id: int, evaluation: int | None) -> tuple[Row, int, ShareCard]:
    """Return a published measure, the number of the evaluation, and its card."""
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    async with database.connection() as connection:
        measure, row = await published(connection, measure_id, evaluation)
        called = await names_of(connection, measure["treated"])
    language = page_language(chosen(request))
    view = evaluation_view(row, language.code)
    number = row["evaluation_id"]
    address = f"{base_of(request)}/measures/{measure_id}?evaluation={number}"
    return measure, number, card_of(measure, view, called, address, settings.site_name, language)


async def published(connection: AsyncConnection[object], measure_id: int, evaluation: int | None) -> tuple[Row, Row]:
    """Return a measure and the evaluation of it that is shared, both published, or raise `NotFoundError`."""
    measure = await find_measure(connection, measure_id)
    row = await find_shown(connection, EVERYBODY, measure_id, evaluation)
    is_it = row is not None and evaluation in {None, row["evaluation_id"]}
    if measure is None or not measure["published"] or row is None or not is_it:
        raise NotFoundError(f"there is no published evaluation of measure {measure_id}")
    return measure, row


@router.get("/measures/{measure_id}/share")
async def share_page(request: Request, measure_id: Number, evaluation: Evaluation = None) -> Response:
    """Show the card with its text, to copy and to keep."""
    await page_reader(request)
    measure, number, card = await published_card(request, measure_id, evaluation)
    return rendered(request, "measures/share.html", measure=measure, number=number, card=card)


@router.get("/measures/{measure_id}/card.{form}")
async def card_picture(
    request: Request,
    measure_id: Number,
    form: Annotated[Literal["svg", "png"], Path()],
    evaluation: Evaluation = None,
) -> Response:
    """Return the card as a picture: for everybody, who needs no session to look at a link's preview."""
    _, _, card = await published_card(request, measure_id, evaluation)
    svg = card.svg()
    typesetter: Typesetter = request.app.state.typesetter
    body = svg.encode() if form == "svg" else await typesetter.body("png", {"svg": svg})
    headers = {
        "Cache-Control": "public, max-age=300",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "ETag": tag_of(body),
    }
    if headers["ETag"] in tags(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="image/svg+xml" if form == "svg" else "image/png", headers=headers)
