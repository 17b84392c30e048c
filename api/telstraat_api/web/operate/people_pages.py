"""`/operate/people`: who may sign in, with which role; people are let in, given another role, locked out and let in again."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import ForbiddenError, NotFoundError
from telstraat_api.http.access import Reader, Role
from telstraat_api.http.rates import asker_of
from telstraat_api.settings import ApiSettings
from telstraat_api.sign_in.mail import MailLinks
from telstraat_api.v1.accounts import EMAIL
from telstraat_api.web.forms import PageForm, read_form, see_other, signed_in
from telstraat_api.web.languages import chosen
from telstraat_api.web.operate.shared import ROWS, pager, rendered_for_operators
from telstraat_api.web.pages import page_number
from telstraat_contract.languages import gettext_noop
from telstraat_store.accounts import people
from telstraat_store.connection import Database
from telstraat_store.errors import DuplicateError

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
ROLES = ("citizen", "professional", "operator")
NO_ADDRESS = gettext_noop("This is not a mail address.")
TAKEN = gettext_noop("There is an account of this address already.")
NO_ROLE = gettext_noop("Choose one of the roles.")


@router.get("/operate/people")
async def people_page(request: Request) -> Response:
    """List everybody who may sign in, and offer to let somebody in."""
    reader = await signed_in(request, Role.OPERATOR)
    return await render_people(request, reader, PageForm({"role": ["citizen"], "letter": ["yes"]}))


async def render_people(request: Request, reader: Reader, form: PageForm, status: int = 200) -> Response:
    """Return the page of people, with the form as it was filled in."""
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    search, number = request.query_params.get("search", "")[:100], page_number(request)
    async with database.connection() as connection:
        rows = await people.search_accounts(connection, search, offset=(number - 1) * ROWS, limit=ROWS)
    return await rendered_for_operators(
        request,
        "operate/people.html",
        status,
        rows=rows,
        pager=pager(number, len(rows), rows[0]["total"] if rows else 0),
        search=search,
        form=form,
        own=reader.account_id,
        by_mail=bool(settings.mail_host),
        changed=request.query_params.get("changed", "")[:254],
    )


@router.post("/operate/people")
async def let_somebody_in(request: Request) -> Response:
    """Make an account and, if it is wanted and possible, send its owner a link."""
    reader = await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    email = form.text("email", longest=254)
    name = form.text("name", longest=100, needed=False)
    if email and not re.match(EMAIL, email):
        form.errors["email"] = NO_ADDRESS
    if form.value("role") not in ROLES:
        form.errors["role"] = NO_ROLE
    if not form.errors:
        try:
            async with database.connection() as connection:
                row = await people.add_account(connection, email, name, form.value("role"))
        except DuplicateError:
            form.errors["email"] = TAKEN
    if form.errors:
        return await render_people(request, reader, form, 422)
    if form.value("letter") and request.app.state.settings.mail_host:
        links: MailLinks = request.app.state.mail_links
        links.ask(row["email"], asker_of(request.scope), chosen(request))
    return see_other("/operate/people", changed=row["email"])


@router.post("/operate/people/{account_id}")
async def change_person(request: Request, account_id: Number) -> Response:
    """Give somebody another role, lock them out, or let them in again. Nobody locks out themselves."""
    reader = await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    changes: dict[str, Any] = {"name": None, "role": form.value("role") or None, "disabled": None}
    if form.value("access") in {"lock", "unlock"}:
        changes["disabled"] = form.value("access") == "lock"
    if changes["role"] not in {None, *ROLES}:
        raise ForbiddenError(f"there is no role {changes['role'][:40]!r}")
    if account_id == reader.account_id and (changes["disabled"] or changes["role"] not in {None, "operator"}):
        raise ForbiddenError("ask another operator to change this: you would lock out yourself")
    async with database.connection() as connection:
        row = await people.change_account(connection, account_id, changes)
    if row is None:
        raise NotFoundError(f"there is no account {account_id}")
    return see_other("/operate/people", changed=row["email"])
