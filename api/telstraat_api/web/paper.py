"""What takes seconds to be set: whoever waits for it before a screen is shown at once that it is being made, programs wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from telstraat_api.evaluations.typesetting import MEDIA, TypesetForm, Typesetter
from telstraat_api.http.problems import wants_page
from telstraat_api.web.pages import Pages
from telstraat_contract.languages import gettext_noop

AT_ONCE_S = 0.6
"""What is there within this time is sent without a page in between."""

SETTING = gettext_noop(
    "It is being set, with all its charts: that takes some seconds the first time. It opens here by itself."
)
COMPUTING_IT = gettext_noop("This is being computed from the counts: that takes some seconds. It opens here by itself.")


def waiting_page(request: Request, title: str, back: str, words: str) -> Response:
    """Return the page that says that something is being made, and leads to it when it is."""
    pages: Pages = request.app.state.pages
    response = pages.render(request, "paper.html", 202, paper_title=title, back=back, words=words)
    response.headers["Cache-Control"] = "no-store"
    return response


async def is_soon_there(request: Request, task: asyncio.Future[Any]) -> bool:
    """Tell whether to answer with what a task makes: who sits before a browser waits for it a moment only, programs as long as it takes."""
    if wants_page(request):
        await asyncio.wait({task}, timeout=AT_ONCE_S)
        return task.done()
    return True


async def paper(
    request: Request,
    form: TypesetForm,
    content: Any,
    *,
    title: str,
    back: str,
    headers: Mapping[str, str],
) -> Response:
    """Return a report, or the page that says that it is being set and leads to it.

    Parameters
    ----------
    request
        Whoever takes `text/html` sits before a browser.
    form, content
        As `telstraat_api.evaluations.typesetting.Typesetter.begin` takes them.
    title
        What is being set.
    back
        The page from which one came.
    headers
        Of the report.
    """
    typesetter: Typesetter = request.app.state.typesetter
    task = typesetter.begin(form, content)
    if not await is_soon_there(request, task):
        return waiting_page(request, title, back, SETTING)
    return Response(await asyncio.shield(task), media_type=MEDIA[form], headers=dict(headers))
