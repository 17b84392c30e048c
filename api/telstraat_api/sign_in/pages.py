"""`/sign-in`: the page, the link of a mail, the way to the provider and back, and signing out."""

from __future__ import annotations

import hmac
import re
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from telstraat_api.errors import NotFoundError, SignInError
from telstraat_api.http.access import Reader, Role
from telstraat_api.http.rates import asker_of
from telstraat_api.settings import ApiSettings
from telstraat_api.sign_in.mail import MailLinks
from telstraat_api.sign_in.provider import Provider
from telstraat_api.sign_in.sessions import begin, end, forget, is_secure
from telstraat_api.v1.accounts import EMAIL
from telstraat_api.web.forms import SEE_OTHER, local_path, read_form, see_other
from telstraat_api.web.languages import chosen
from telstraat_api.web.pages import Pages, page_reader
from telstraat_contract.languages import gettext_noop
from telstraat_store.accounts.own_data import remember_language
from telstraat_store.connection import Database

router = APIRouter(include_in_schema=False)
STATE_COOKIE = "telstraat_sign_in"
STATE_S = 600
WAY_BACK_COOKIE = "telstraat_next"
WAY_BACK_S = 1800
TITLES = (
    gettext_noop("Signing in did not work"),
    gettext_noop("Too many requests"),
    gettext_noop("This is not allowed"),
)
Token = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


def render_sign_in(request: Request, reader: Reader, state: str = "ask", status: int = 200) -> Response:
    """Return the sign-in page."""
    pages: Pages = request.app.state.pages
    settings: ApiSettings = request.app.state.settings
    response = pages.render(
        request,
        "sign_in/sign_in.html",
        status,
        state="in" if reader.role is not Role.PUBLIC else state,
        reader=reader,
        by_mail=bool(settings.mail_host),
        provider=(settings.oidc_name or "OpenID Connect") if settings.oidc_issuer else "",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def remember_way_back(request: Request, response: Response, path: str) -> None:
    """Have the browser keep where its reader wanted to go, through the mail or the provider."""
    response.set_cookie(
        WAY_BACK_COOKIE,
        quote(local_path(path), safe=""),
        max_age=WAY_BACK_S,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


async def let_in(request: Request, account_id: int, way_back: str = "") -> Response:
    """Return the answer that begins a session and shows the page which its reader wanted, or what is theirs."""
    database: Database = request.app.state.database
    response = see_other(local_path(way_back or unquote(request.cookies.get(WAY_BACK_COOKIE, "/my"))))
    response.delete_cookie(WAY_BACK_COOKIE, path="/")
    async with database.connection() as connection:
        await remember_language(connection, account_id, chosen(request))
    await begin(request, response, account_id)
    return response


@router.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    """Show the ways to sign in, or who is signed in and the way out."""
    response = render_sign_in(request, await page_reader(request))
    if "next" in request.query_params:
        remember_way_back(request, response, request.query_params["next"])
    return response


@router.post("/sign-in")
async def ask_for_link(request: Request) -> Response:
    """Send a link to an address. The answer is the same whether or not anybody of that address may sign in."""
    links: MailLinks = request.app.state.mail_links
    settings: ApiSettings = request.app.state.settings
    form = await read_form(request)
    if not settings.mail_host:
        raise NotFoundError("this site does not sign in by mail")
    email = form.value("email").strip()
    if not re.match(EMAIL, email) or len(email) > 254:
        return render_sign_in(request, Reader(), "odd", 422)
    links.ask(email, asker_of(request.scope), chosen(request))
    return render_sign_in(request, Reader(), "sent")


@router.get("/sign-in/link")
async def link_page(
    request: Request, token: Token, way_back: Annotated[str, Query(alias="next", max_length=200)] = ""
) -> Response:
    """Show a button that uses the link: programs that only look at mails must not spend it."""
    pages: Pages = request.app.state.pages
    response = pages.render(request, "sign_in/sign_in_link.html", token=token, way_back=way_back)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@router.post("/sign-in/link")
async def use_link(request: Request) -> Response:
    """Spend a link and begin a session."""
    links: MailLinks = request.app.state.mail_links
    form = await read_form(request)
    account = await links.use(form.value("token"))
    return await let_in(request, account, form.value("next"))


@router.get("/sign-in/provider")
async def to_provider(request: Request) -> Response:
    """Send the browser to the operator's provider."""
    settings: ApiSettings = request.app.state.settings
    provider: Provider = request.app.state.provider
    if not settings.oidc_issuer:
        raise NotFoundError("this site has no provider to sign in with")
    departure = await provider.depart()
    response = RedirectResponse(departure.url, SEE_OTHER)
    response.set_cookie(
        STATE_COOKIE,
        departure.state,
        max_age=STATE_S,
        path="/sign-in",
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return response


@router.get("/sign-in/provider/return")
async def from_provider(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Take what the browser brings back: only to the browser that left, once, and only when the provider vouches."""
    provider: Provider = request.app.state.provider
    carried = request.cookies.get(STATE_COOKIE, "")
    if not state or not hmac.compare_digest(carried.encode(), state.encode()):
        raise SignInError(gettext_noop("this sign-in was begun in another browser, or too long ago: begin again"))
    if error or not code:
        raise SignInError(gettext_noop("the provider did not let you in; begin again, or sign in by mail"))
    account = await provider.arrive(state, code)
    response = await let_in(request, account)
    response.delete_cookie(STATE_COOKIE, path="/sign-in")
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End this browser's session, or all of one's own."""
    form = await read_form(request)
    await end(request, everywhere=form.value("everywhere") == "yes")
    response = see_other("/")
    forget(request, response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
