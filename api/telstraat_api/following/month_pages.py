"""A letter a month about a street: asked for on its page, confirmed by mail, stopped with one click; no account is needed."""

from __future__ import annotations

import asyncio
import logging
import re
import smtplib
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.following.months import asking_letter
from telstraat_api.http.rates import asker_of
from telstraat_api.mail import send
from telstraat_api.settings import ApiSettings
from telstraat_api.sign_in.mail import MailLinks
from telstraat_api.v1.accounts import EMAIL
from telstraat_api.v1.segments import require_segment
from telstraat_api.web.forms import PageForm, read_form
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages, page_reader
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.errors import TelstraatStoreError
from telstraat_store.work import month_letters as stored

log = logging.getLogger("telstraat.api")
router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Token = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
NO_ADDRESS = gettext_noop("This is not a mail address.")


def months_page(
    request: Request, step: str, street: Row | None, status: int = 200, token: str = "", form: PageForm | None = None
) -> Response:
    """Return the page at one of the steps: ask, look, confirm, confirmed, stop, stopped; or that a link has been used."""
    pages: Pages = request.app.state.pages
    response = pages.render(
        request, "street/months.html", status, step=step, street=street, token=token, form=form or PageForm()
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


async def street_row(request: Request, segment_id: int) -> Row:
    """Return number and name of a street, where this site sends letters at all."""
    settings: ApiSettings = request.app.state.settings
    database: Database = request.app.state.database
    if not settings.mail_host:
        raise NotFoundError("this site sends no letters")
    async with database.connection() as connection:
        segment = await require_segment(connection, segment_id)
    return {"segment_id": segment.segment_id, "street": segment.name}


@router.get("/street/{segment_id}/letters")
async def asking_page(request: Request, segment_id: Number) -> Response:
    """Offer a letter a month about a street."""
    reader = await page_reader(request)
    street = await street_row(request, segment_id)
    return months_page(request, "ask", street, form=PageForm({"email": [reader.email or ""]}))


@router.post("/street/{segment_id}/letters")
async def ask_for_letters(request: Request, segment_id: Number) -> Response:
    """Write to an address whether it wants the months; the answer is the same for every address."""
    await page_reader(request)
    street = await street_row(request, segment_id)
    form = await read_form(request)
    email = form.text("email", longest=254)
    if email and not re.match(EMAIL, email):
        form.errors["email"] = NO_ADDRESS
    if form.errors:
        return months_page(request, "ask", street, 422, form=form)
    links: MailLinks = request.app.state.mail_links
    links.begin(note_and_write(request, street, email, chosen(request)), asker_of(request.scope))
    return months_page(request, "look", street)


async def note_and_write(request: Request, street: Row, email: str, language: str) -> None:
    """Note the wish and send the letter that asks; what depends on the address happens after the answer has gone."""
    settings: ApiSettings = request.app.state.settings
    database: Database = request.app.state.database
    try:
        async with database.connection() as connection:
            secret = await stored.ask_for_months(connection, street["segment_id"], email, language, datetime.now(UTC))
        if secret is not None:
            letter = asking_letter(settings, email.lower(), street["street"], secret, language)
            await asyncio.to_thread(send, settings, letter)
    except (OSError, smtplib.SMTPException, TelstraatStoreError) as error:
        log.error("a letter that asks could not be sent: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter


@router.get("/months/{step}")
async def look_at_link(request: Request, step: str, token: Token) -> Response:
    """Show a button: programs that only look at mails must not confirm or stop anything."""
    require_step(step)
    await page_reader(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        street = await stored.street_to_confirm(connection, token)
    return months_page(request, step if street else "spent", street, 200 if street else 404, token)


@router.post("/months/{step}")
async def use_link(request: Request, step: str, token: Token) -> Response:
    """Confirm or stop. The secret of the letter is enough: a mail program's one click comes from no page of ours."""
    require_step(step)
    await page_reader(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        if step == "confirm":
            street = await stored.confirm_months(connection, token, datetime.now(UTC))
        else:
            street = await stored.stop_months(connection, token)
    ending = {"confirm": "confirmed", "stop": "stopped"}[step]
    return months_page(request, ending if street else "spent", street, 200 if street else 404)


def require_step(step: str) -> None:
    """Refuse an address that is none of the two."""
    if step not in {"confirm", "stop"}:
        raise NotFoundError("there is no such page")
