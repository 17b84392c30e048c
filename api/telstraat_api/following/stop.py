"""`/following/stop`: the link in a letter after which no more letters come, for people and for mail programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from telstraat_analytics.words import word
from telstraat_api.http.access import hashed
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages
from telstraat_store.connection import Database

router = APIRouter(include_in_schema=False)
Token = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
STOP = """
delete from measure_follower f using measure_letter l
where l.stop_hash = %s and (f.measure_id, f.account_id) = (l.measure_id, l.account_id)
"""


def shown(request: Request, token: str, said: str) -> Response:
    """Return the page with a question and its button, or with what was done."""
    language = chosen(request)
    pages: Pages = request.app.state.pages
    response = pages.render(
        request,
        "stop_following.html",
        title=word("follow.stop_title", language),
        said=word(said, language),
        token=token,
        asks=said == "follow.stop_ask",
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@router.get("/following/stop")
async def ask(request: Request, token: Token) -> Response:
    """Show a button: programs that only look at mails must not stop anything."""
    return shown(request, token, "follow.stop_ask")


@router.post("/following/stop")
async def stop(request: Request, token: Token) -> Response:
    """Stop the letters. The secret of the letter is enough: a mail program's one click comes from no page of ours."""
    database: Database = request.app.state.database
    stopped = await database.execute(STOP, (hashed(token),))
    return shown(request, token, "follow.stopped" if stopped else "follow.spent")
