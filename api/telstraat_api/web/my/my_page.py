"""`/my`: what belongs to whoever is signed in, and what they may do."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from telstraat_api.web.forms import signed_in
from telstraat_api.web.pages import Pages

router = APIRouter(include_in_schema=False)


@router.get("/my")
async def my_page(request: Request) -> Response:
    """Show whoever is signed in what is theirs."""
    pages: Pages = request.app.state.pages
    reader = await signed_in(request)
    return pages.render(request, "my/my.html", reader=reader)
