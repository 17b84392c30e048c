"""`/following/stop`: the link in a letter after which no more letters come, for people and for mail programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from telstraat_analytics.words import word
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages
from telstraat_store.connection import Database
from telstraat_store.work.followers import stop_following

router = APIRouter(include_in_schema=False)
Token = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


def stop_page(request: Request, token: str, text: str) -> Response:
    """Return the page with a question and its button, or with what was done."""
    language = chosen(request)
    pages: Pages = request.app.state.pages
    response = pages.render(
        request,
        "stop_following.html",
        title=word("follow.stop_title", language),
        said=word(text, language),
        token=token,
        asks=text == "follow.stop_ask",
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@router.get("/following/stop")
async def ask(request: Request, token: Token) -> Response:
    """Show a button: programs that only look at mails must not stop anything."""
    return stop_page(request, token, "follow.stop_ask")


@router.post("/following/stop")
async def stop(request: Request, token: Token) -> Response:
    """Stop the letters. The secret of the letter is enough: a mail program's one click comes from no page of ours."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        stopped = await stop_following(connection, token)
    return stop_page(request, token, "follow.stopped" if stopped else "follow.spent")
