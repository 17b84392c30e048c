"""`/operate/published`: what people have published, the newest first, and a button that takes it off the pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Role
from telstraat_api.web.forms import read_form, see_other, signed_in
from telstraat_api.web.operate.shared import ROWS, pager, rendered_for_operators
from telstraat_api.web.pages import page_number
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database
from telstraat_store.work.moderation import KINDS, list_published, unpublish

router = APIRouter(include_in_schema=False)
KIND_NAMES = {
    "measure": gettext_noop("Measure"),
    "evaluation": gettext_noop("Evaluation"),
    "event": gettext_noop("Event in a street"),
    "workshop": gettext_noop("Workshop"),
}


@router.get("/operate/published")
async def published_page(request: Request) -> Response:
    """List what is published."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    number, kind = page_number(request), request.query_params.get("kind")
    kind = kind if kind in KINDS else None
    async with database.connection() as connection:
        rows = await list_published(connection, kind=kind, offset=(number - 1) * ROWS, limit=ROWS)
    return await rendered_for_operators(
        request,
        "operate/published.html",
        rows=rows,
        pager=pager(number, len(rows), rows[0]["total"] if rows else 0),
        kind=kind,
        kind_names=KIND_NAMES,
    )


@router.post("/operate/published/{kind}/{number}")
async def take_off(request: Request, kind: str, number: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Response:
    """Take something off the pages; its maker keeps it."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    if kind not in KINDS:
        raise NotFoundError(f"nothing of the kind {kind[:40]!r} is published here")
    async with database.connection() as connection:
        await unpublish(connection, kind, number)
    return see_other("/operate/published")
