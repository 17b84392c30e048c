"""What the operator's pages have in common: their tabs, lists a page at a time, and that no cache keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from telstraat_api.web.pages import Pages
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database
from telstraat_store.counts.windows import zone
from telstraat_store.places.segments import town_timezone

TABS = (
    ("/operate", gettext_noop("Overview")),
    ("/operate/sensors", gettext_noop("Sensors")),
    ("/operate/people", gettext_noop("People")),
    ("/operate/uploads", gettext_noop("Uploads")),
    ("/operate/published", gettext_noop("Published")),
    ("/operate/quarantine", gettext_noop("Refused messages")),
    ("/operate/jobs", gettext_noop("Jobs")),
)
ROWS = 50


@dataclass(frozen=True)
class Pager:
    """Where a page of a list lies: `first` to `last` of `total`, and the pages before and after it (None at the ends)."""

    first: int
    last: int
    total: int
    before: int | None
    after: int | None


def pager(number: int, rows: int, total: int) -> Pager:
    """Return where a page lies."""
    offset = (number - 1) * ROWS
    last = offset + rows
    return Pager(
        offset + 1 if rows else 0, last, total, number - 1 if number > 1 else None, number + 1 if last < total else None
    )


async def rendered_for_operators(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page that only operators may see, in the town's own time: no cache keeps it."""
    pages: Pages = request.app.state.pages
    database: Database = request.app.state.database
    async with database.connection() as connection:
        town_tz = zone(await town_timezone(connection))
    response = pages.render(request, template, status, tabs=TABS, town_tz=town_tz, **context)
    response.headers["Cache-Control"] = "private, no-store"
    return response
