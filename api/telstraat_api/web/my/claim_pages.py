"""`/claim` and `/claim/CODE`: with the code on its box a sensor becomes somebody's, also of somebody who has no account yet.

A code of twelve random signs cannot be guessed, and may be tried a few times a minute from one address; a wrong one, a used one, one
that has ended and one of a retired sensor get the same answer. Whoever presents a code that works may have a link sent to a mail
address: it leads into the account of that address, or makes one, and the page says the same either way.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Path, Request, Response
from markupsafe import Markup

from telstraat_api.errors import NotFoundError, TooManyError
from telstraat_api.http.access import Role
from telstraat_api.http.rates import Buckets, asker_of
from telstraat_api.settings import ApiSettings
from telstraat_api.sign_in.mail import MailLinks
from telstraat_api.v1.accounts import EMAIL
from telstraat_api.web.forms import PageForm, read_form, see_other, signed_in
from telstraat_api.web.languages import chosen
from telstraat_api.web.my.own_live import SensorNumber
from telstraat_api.web.pages import Pages, page_reader
from telstraat_contract.claims import plain_code, written_code
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.places import claims as stored
from telstraat_store.places.sensors import name_of_sensor

router = APIRouter(include_in_schema=False)
WrittenCode = Annotated[str, Path(max_length=120)]
TRIES_PER_MINUTE = 6.0
TRIES_AT_ONCE = 15
NO_ADDRESS = gettext_noop("This is not a mail address.")
DOES_NOT_FIT = gettext_noop("No sensor can be claimed with this code.")


class CodeTries:
    """How often codes may be tried from one address on the net."""

    def __init__(self) -> None:
        self.of_address = Buckets(TRIES_PER_MINUTE, TRIES_AT_ONCE)

    def take(self, asker: str) -> None:
        """Count a try, or raise `TooManyError`."""
        wait = self.of_address.take(asker)
        if wait:
            raise TooManyError(f"too many codes were tried; try again in {wait:.0f} s", max(1, round(wait)))


async def claimable(request: Request, code: str) -> Row | None:
    """Return the sensor that a code can claim now, and count the try."""
    tries: CodeTries = request.app.state.code_tries
    database: Database = request.app.state.database
    tries.take(asker_of(request.scope))
    async with database.connection() as connection:
        return await stored.sensor_of_code(connection, code)


def render_claim(request: Request, state: str, status: int = 200, **context: Any) -> Response:
    """Return the page of a claim in one of its states: ask, wrong, sign_in, sent, confirm."""
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    values: dict[str, Any] = {"form": PageForm(), "code": "", "sensor": None, **context}
    response = pages.render(
        request,
        "my/claim.html",
        status,
        state=state,
        by_mail=bool(settings.mail_host),
        by_provider=bool(settings.oidc_issuer),
        **values,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def wrong_code(request: Request, code: str) -> Response:
    """Return the page about a code that does not fit, the same whatever is wrong with it."""
    form = PageForm({"code": [code]})
    form.errors["code"] = DOES_NOT_FIT
    return render_claim(request, "ask", 404, form=form)


@router.get("/claim")
async def ask_code(request: Request) -> Response:
    """Ask for the code on the box."""
    await page_reader(request)
    return render_claim(request, "ask")


@router.post("/claim")
async def take_code(request: Request) -> Response:
    """Go on with the code that was typed, however it was written."""
    await page_reader(request)
    form = await read_form(request)
    code = form.text("code", longest=60)
    if form.errors or not plain_code(code):
        form.errors.setdefault("code", DOES_NOT_FIT)
        return render_claim(request, "ask", 422, form=form)
    return see_other(f"/claim/{written_code(code)}")


@router.get("/claim/{code}")
async def claim_page(request: Request, code: WrittenCode) -> Response:
    """Show what the code is for, and how to go on: at once when one is signed in, by mail when one is not."""
    reader = await page_reader(request)
    sensor = await claimable(request, code)
    if sensor is None:
        return wrong_code(request, code)
    state = "sign_in" if reader.account_id is None else "confirm"
    return render_claim(request, state, code=written_code(code), sensor=sensor)


@router.post("/claim/{code}")
async def claim(request: Request, code: WrittenCode) -> Response:
    """Make whoever is signed in the owner; send a link to whoever is not."""
    reader = await page_reader(request)
    form = await read_form(request)
    sensor = await claimable(request, code)
    if sensor is None:
        return wrong_code(request, code)
    database: Database = request.app.state.database
    if reader.account_id is None:
        return send_welcome(request, form, written_code(code), sensor)
    async with database.connection() as connection:
        claimed = await stored.claim_sensor(connection, sensor["name"], code, reader.account_id)
    if claimed is None:  # somebody else was quicker
        return wrong_code(request, code)
    return see_other(f"/my/sensors/{sensor['sensor_id']}/place", new="yes")


def send_welcome(request: Request, form: PageForm, code: str, sensor: Row) -> Response:
    """Send a link that signs in, and leads back here; nobody learns whether the address is known."""
    links: MailLinks = request.app.state.mail_links
    settings: ApiSettings = request.app.state.settings
    if not settings.mail_host:
        raise NotFoundError("this site does not sign in by mail")
    email = form.text("email", longest=254)
    if not form.errors and not re.match(EMAIL, email):
        form.errors["email"] = NO_ADDRESS
    if form.errors:
        return render_claim(request, "sign_in", 422, form=form, code=code, sensor=sensor)
    links.welcome(email, sensor["sensor_id"], f"/claim/{code}", asker_of(request.scope), chosen(request))
    return render_claim(request, "sent", code=code, sensor=sensor)


def qr_of(text: str) -> Markup:
    """Return a QR code as SVG that a strict policy lets stand in a page."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=2, svgclass="qr", lineclass=None, dark="#000", light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704  (made of squares)


def device_page_of(name: str, code: str) -> str:
    """Return where a device is set up, in its owner's own network; what stands behind # never leaves the phone."""
    return f"http://{name}.local/#{code}"


@router.get("/claim/label/{sensor_id}")
async def label_page(request: Request, sensor_id: SensorNumber) -> Response:
    """Ask an operator before a new code is made: an older one stops working."""
    await signed_in(request, Role.OPERATOR)
    return render_label(request, await named_sensor(request, sensor_id))


@router.post("/claim/label/{sensor_id}")
async def make_label(request: Request, sensor_id: SensorNumber) -> Response:
    """Make a code and show it once, to be printed: as signs and as QR code."""
    await signed_in(request, Role.OPERATOR)
    await read_form(request)
    database: Database = request.app.state.database
    name = await named_sensor(request, sensor_id)
    async with database.connection() as connection:
        code, ends = await stored.issue_code(connection, sensor_id, name)
    return render_label(request, name, code=code, ends=ends)


async def named_sensor(request: Request, sensor_id: int) -> str:
    """Return a sensor's name, or raise `NotFoundError`."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        name = await name_of_sensor(connection, sensor_id)
    if name is None:
        raise NotFoundError(f"there is no sensor {sensor_id}")
    return name


def render_label(request: Request, name: str, *, code: str = "", ends: Any = None) -> Response:
    """Return the page to print: empty before the code is made."""
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    home = settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    link = f"{home}/claim/{code}"
    response = pages.render(
        request,
        "my/label.html",
        name=name,
        code=code,
        ends=ends,
        home=home,
        qr=qr_of(link) if code else "",
        device_page=f"http://{name}.local",
        device_qr=qr_of(device_page_of(name, code)) if code else "",
    )
    response.headers["Cache-Control"] = "no-store"
    return response
