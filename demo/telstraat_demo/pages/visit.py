"""What a visitor of the demo town gets beside the product's pages: the part of somebody who lives there, and how full the town is."""

from __future__ import annotations

import hashlib
import ipaddress
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from jinja2 import PackageLoader

from telstraat_api.additions import Additions
from telstraat_api.errors import ForbiddenError, NotFoundError, QueryError
from telstraat_api.settings import LOOPBACK
from telstraat_api.sign_in.pages import let_in
from telstraat_api.web.forms import read_form
from telstraat_contract.languages import gettext_noop
from telstraat_demo.town.fill import FillProgress, read_fill_progress
from telstraat_demo.town.people import VISITORS
from telstraat_store.accounts.people import find_account
from telstraat_store.connection import Database

PREFIX = "/demo"
STATIC = {"visit.css": "text/css; charset=utf-8", "visit.js": "application/javascript"}
PARTS = {
    "citizen": (gettext_noop("A citizen"), gettext_noop("has two sensors at the window, and one of them is silent")),
    "officer": (
        gettext_noop("A mobility officer"),
        gettext_noop("compares streets, evaluates the circulation plan and plans a school street"),
    ),
    "facilitator": (gettext_noop("A facilitator"), gettext_noop("holds a workshop with neighbours and the school")),
    "operator": (gettext_noop("An operator"), gettext_noop("looks after people, sensors and imports")),
}
"""What each person whose part one may play is, and does."""


def additions_of(town_folder: Path) -> Additions:
    """Return what the demo adds to the pages of one town."""

    def fill_progress() -> FillProgress:
        return read_fill_progress(town_folder)

    return Additions(
        routers=(router_of(town_folder),),
        templates=PackageLoader("telstraat_demo.pages"),
        on_every_page="demo_banner.html",
        on_sign_in="demo_sign_in.html",
        style=address("visit.css"),
        context={
            "fill_progress": fill_progress,
            "demo_script": address("visit.js"),
            "demo_visitors": [(person, *PARTS[person.part]) for person in VISITORS],
        },
    )


def router_of(town_folder: Path) -> APIRouter:
    """Return the demo's own addresses."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False)

    @router.post("/sign-in")
    async def play(request: Request) -> Response:
        """Sign in as one of the town's people."""
        require_this_computer(request)
        form = await read_form(request)
        email = next((person.email for person in VISITORS if person.part == form.value("part")), None)
        if email is None:
            raise QueryError("nobody of the town plays this part")
        database: Database = request.app.state.database
        async with database.connection() as connection:
            account = await find_account(connection, email)
        if account is None:
            raise NotFoundError("the town's people have not moved in yet: try again in a moment")
        if account["disabled_at"] is not None:
            raise NotFoundError("the operator has locked this person out")
        return await let_in(request, account["account_id"])

    @router.get("/progress")
    async def progress() -> dict[str, int | bool]:
        """Tell how far the town's history is."""
        known = read_fill_progress(town_folder)
        return {"percent": known.percent, "full": known.is_full, "stories": known.stories}

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        """Send a file of the demo's own."""
        if name not in STATIC:
            raise NotFoundError(f"there is no file {name!r} here")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content_of(name), media_type=STATIC[name], headers=headers)

    return router


def require_this_computer(request: Request) -> None:
    """Refuse whoever does not sit at this computer, or was led here under another name."""
    client = request.client.host if request.client else ""
    try:
        is_near = ipaddress.ip_address(client).is_loopback
    except ValueError:
        is_near = False
    if not is_near or (request.url.hostname or "") not in LOOPBACK:
        raise ForbiddenError("the demo's one-click sign-in is for the computer on which it runs")


def content_of(name: str) -> bytes:
    """Return a file of the demo's own."""
    return (files("telstraat_demo.pages") / "static" / name).read_bytes()


def address(name: str) -> str:
    """Return the address of such a file; it changes with the content."""
    digest = hashlib.blake2b(content_of(name), digest_size=8).hexdigest()
    return f"{PREFIX}/static/{name}?v={digest}"
