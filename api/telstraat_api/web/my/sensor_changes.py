"""What an owner can do with a sensor: mute its letters, hand it over, retire it, delete it; each says first what happens to the counts."""

from __future__ import annotations

import asyncio
import logging
import re
import smtplib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Reader
from telstraat_api.http.rates import asker_of
from telstraat_api.mail import new_letter, send
from telstraat_api.settings import ApiSettings
from telstraat_api.sign_in.mail import MailLinks
from telstraat_api.v1.accounts import EMAIL
from telstraat_api.web.forms import PageForm, read_form, see_other
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.my.claim_pages import NO_ADDRESS
from telstraat_api.web.my.own_live import SensorNumber
from telstraat_api.web.my.sensor_page import require_own_sensor
from telstraat_api.web.pages import Pages
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import local_midnight, zone
from telstraat_store.places.claims import issue_code
from telstraat_store.places.own_sensors import is_owner, mute, retire_own_sensor

log = logging.getLogger("telstraat.api")
router = APIRouter(include_in_schema=False)
MUTED_AT_MOST = timedelta(days=366)
OVER = gettext_noop("Choose a day that is still to come, within a year.")
Handler = Callable[[Request, Reader, Row, PageForm], Awaitable[Response | None]]


def render_ask(request: Request, row: Row, what: str, form: PageForm, status: int = 200) -> Response:
    """Return the page that says what happens, and asks once."""
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    tz = zone(row["timezone"] or "UTC")
    response = pages.render(
        request,
        "my/change.html",
        status,
        sensor=row,
        what=what,
        form=form,
        by_mail=bool(settings.mail_host),
        tomorrow=(datetime.now(tz) + timedelta(days=1)).date().isoformat(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def mute_sensor(request: Request, reader: Reader, row: Row, form: PageForm) -> Response | None:
    """Write no letters until a day."""
    day = form.day("until")
    tz = zone(row["timezone"] or "UTC")
    until = local_midnight(day, tz) if day else None
    if until is not None and not datetime.now(UTC) < until < datetime.now(UTC) + MUTED_AT_MOST:
        form.errors["until"] = OVER
    if form.errors or until is None:
        return None
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await mute(connection, row["sensor_id"], reader.account_id, until)
    return see_other(f"/my/sensors/{row['sensor_id']}", did="muted")


async def unmute_sensor(request: Request, reader: Reader, row: Row, _form: PageForm) -> Response | None:
    """Let letters come again; a silence counts from now on."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await mute(connection, row["sensor_id"], reader.account_id, datetime.now(UTC))
    return see_other(f"/my/sensors/{row['sensor_id']}", did="unmuted")


async def hand_over(request: Request, reader: Reader, row: Row, form: PageForm) -> Response | None:
    """Send a new code to somebody else; whoever owns the sensor does so until it is used."""
    settings: ApiSettings = request.app.state.settings
    database: Database = request.app.state.database
    links: MailLinks = request.app.state.mail_links
    if not settings.mail_host:
        raise NotFoundError("this site sends no mail: ask its operator for a new code")
    email = form.text("email", longest=254)
    if not form.errors and not re.match(EMAIL, email):
        form.errors["email"] = NO_ADDRESS
    if form.errors:
        return None
    async with database.connection() as connection:
        if not await is_owner(connection, row["sensor_id"], reader.account_id):
            raise NotFoundError("this sensor is not yours any more")
        code, _ = await issue_code(connection, row["sensor_id"], row["name"])
    letter = hand_over_letter(settings, row, email, code, page_language(chosen(request)), chosen(request))
    links.begin(deliver(settings, letter), asker_of(request.scope))
    return see_other(f"/my/sensors/{row['sensor_id']}", did="handed")


async def deliver(settings: ApiSettings, letter: EmailMessage) -> None:
    """Send a letter; what goes wrong is for the operator's log."""
    try:
        await asyncio.to_thread(send, settings, letter)
    except (OSError, smtplib.SMTPException) as error:
        log.error("a letter could not be sent: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter


def hand_over_letter(
    settings: ApiSettings, row: Row, email: str, code: str, _: PageLanguage, language: str
) -> EmailMessage:
    """Return the letter to a sensor's next owner. It does not say who sends it, and nothing of the street."""
    lines = [
        _("Its owner hands the sensor {name} over to you. With this link it becomes yours:", name=row["name"]),
        "",
        f"{settings.public_url}/claim/{code}?lang={language}",
        "",
        _("The link works for 60 days, once. If you know nothing of a sensor, do nothing: it stays whose it is."),
    ]
    return new_letter(settings, email, _("A sensor of {site} is handed over to you", site=settings.site_name), lines)


async def retire(request: Request, reader: Reader, row: Row, _form: PageForm) -> Response | None:
    """End the sensor; it stays on its owner's page."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await retire_own_sensor(connection, row["sensor_id"], reader.account_id)
    return see_other(f"/my/sensors/{row['sensor_id']}", did="retired")


async def delete(request: Request, reader: Reader, row: Row, _form: PageForm) -> Response | None:
    """End the sensor, and drop everything that tells whose it was."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await retire_own_sensor(connection, row["sensor_id"], reader.account_id, forget=True)
    return see_other("/my", did="deleted")


CHANGES: dict[str, Handler] = {
    "mute": mute_sensor,
    "unmute": unmute_sensor,
    "hand-over": hand_over,
    "retire": retire,
    "delete": delete,
}
What = Annotated[str, Path(pattern="^(mute|unmute|hand-over|retire|delete)$")]


@router.get("/my/sensors/{sensor_id}/{what}")
async def ask_change(request: Request, sensor_id: SensorNumber, what: What) -> Response:
    """Say what would happen, and ask."""
    _, row = await require_own_sensor(request, sensor_id)
    return render_ask(request, row, what, PageForm())


@router.post("/my/sensors/{sensor_id}/{what}")
async def change(request: Request, sensor_id: SensorNumber, what: What) -> Response:
    """Do it."""
    reader, row = await require_own_sensor(request, sensor_id)
    form = await read_form(request)
    done = await CHANGES[what](request, reader, row, form)
    return done or render_ask(request, row, what, form, 422)
