"""`/take-part`: how somebody gets a sensor or an account, and what a sensor is and never does."""

from __future__ import annotations

from email.utils import parseaddr

from fastapi import APIRouter, Request, Response

from telstraat_api.settings import ApiSettings
from telstraat_api.web.pages import Pages, page_reader

router = APIRouter(include_in_schema=False)


@router.get("/take-part")
async def take_part_page(request: Request) -> Response:
    """Say how to take part, and whom to ask."""
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    await page_reader(request)
    contact = settings.contact or parseaddr(settings.mail_from)[1]
    href = contact if contact.startswith(("https://", "http://")) else f"mailto:{contact}" if contact else ""
    whole_hours = settings.quarter_min > 0
    return pages.render(request, "data/take_part.html", contact=contact, href=href, whole_hours=whole_hours)
