"""`/my`: what belongs to whoever is signed in, what they may do, and what is known of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from telstraat_api.http.access import Reader
from telstraat_api.sign_in.sessions import forget
from telstraat_api.web.forms import PageForm, read_form, see_other, signed_in
from telstraat_api.web.languages import COOKIE as LANGUAGE_COOKIE
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.my.lights import lights_of
from telstraat_api.web.pages import YEAR_S, Pages
from telstraat_contract.languages import LANGUAGES, gettext_noop
from telstraat_store.accounts.keys import list_keys, make_key, revoke_key
from telstraat_store.accounts.own_data import (
    delete_account,
    describe_account,
    everything_known,
    own_work,
    say_who,
)
from telstraat_store.connection import Database
from telstraat_store.errors import NoSuchRecordError
from telstraat_store.places.own_sensors import own_sensors
from telstraat_store.work.followers import unfollow

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
KEYS_MAX = 50
DAYS = {"30": 30, "365": 365, "": None}
NOT_THE_WORD = gettext_noop("Type your mail address, as it stands above.")
ONLY_OPERATOR = gettext_noop("You are the only operator: make somebody else one first.")
TOO_MANY_KEYS = gettext_noop("You have fifty keys that work: revoke one first.")


async def render_my(
    request: Request, reader: Reader, form: PageForm, *, secret: str = "", status: int = 200
) -> Response:
    """Return one's own page; a key's secret is shown once, in the answer that made it."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    _ = page_language(chosen(request))
    now = datetime.now(UTC)
    async with database.connection() as connection:
        sensors = await own_sensors(connection, reader.account_id)
        work = await own_work(connection, reader.account_id)
        keys = await list_keys(connection, reader.account_id)
        account = await describe_account(connection, reader.account_id)
    response = pages.render(
        request,
        "my/my.html",
        status,
        reader=reader,
        account=account,
        sensors=[(row, lights_of(row, now, _)) for row in sensors],
        work=work,
        keys=[
            key for key in keys if key["revoked_at"] is None and (key["expires_at"] is None or key["expires_at"] > now)
        ],
        form=form,
        secret=secret,
        message=request.query_params.get("did", ""),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/my")
async def my_page(request: Request) -> Response:
    """Show whoever is signed in what is theirs."""
    return await render_my(request, await signed_in(request), PageForm())


@router.post("/my/name")
async def change_name(request: Request) -> Response:
    """Change one's own name, and the language of pages and letters."""
    reader = await signed_in(request)
    form = await read_form(request)
    name, language = form.text("name", longest=100, needed=False), form.value("language")
    if language not in LANGUAGES:
        language = chosen(request)
    if form.errors:
        return await render_my(request, reader, form, status=422)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await say_who(connection, reader.account_id, " ".join(name.split()), language)
    response = see_other("/my", did="named")
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, samesite="lax", httponly=True)
    return response


@router.post("/my/keys")
async def add_key(request: Request) -> Response:
    """Make a key and show its secret, once."""
    reader = await signed_in(request)
    form = await read_form(request)
    label = form.text("label", longest=100)
    days = DAYS.get(form.value("days"), 365)
    scopes = ["read", "write"] if form.value("write") == "yes" else ["read"]
    database: Database = request.app.state.database
    async with database.connection() as connection:
        known = await list_keys(connection, reader.account_id)
        if sum(key["revoked_at"] is None for key in known) >= KEYS_MAX:
            form.errors["label"] = TOO_MANY_KEYS
        if form.errors:
            return await render_my(request, reader, form, status=422)
        expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
        key = await make_key(
            connection, " ".join(label.split()), scopes, account_id=reader.account_id, expires_at=expires
        )
    return await render_my(request, reader, PageForm(), secret=key[1] if key else "")


@router.post("/my/keys/{key_id}/revoke")
async def end_key(request: Request, key_id: Number) -> Response:
    """Revoke one of one's own keys: it never works again."""
    reader = await signed_in(request)
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await revoke_key(connection, key_id, reader.account_id)
    return see_other("/my", did="revoked")


@router.post("/my/follows/{measure_id}/stop")
async def stop_letters(request: Request, measure_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Response:
    """Follow a measure no more."""
    reader = await signed_in(request)
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await unfollow(connection, measure_id, reader.account_id)
    return see_other("/my", did="unfollowed")


def written(value: Any) -> Any:
    """Return what JSON has no word for as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


@router.get("/my/data.json")
async def my_data(request: Request) -> Response:
    """Return everything that is known of whoever asks, as a file."""
    reader = await signed_in(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        known = await everything_known(connection, reader.account_id)
    body = orjson.dumps(known, default=written, option=orjson.OPT_INDENT_2)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)


@router.get("/my/delete")
async def ask_delete(request: Request) -> Response:
    """Say what happens to what is theirs, and ask."""
    return render_delete(request, await signed_in(request), PageForm())


def render_delete(request: Request, reader: Reader, form: PageForm, status: int = 200) -> Response:
    """Return the page that asks before an account is deleted."""
    pages: Pages = request.app.state.pages
    response = pages.render(request, "my/delete.html", status, reader=reader, form=form)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/my/delete")
async def delete_me(request: Request) -> Response:
    """Delete the account of whoever has typed its address."""
    reader = await signed_in(request)
    form = await read_form(request)
    if form.text("email", longest=254).lower() != (reader.email or ""):
        form.errors["email"] = NOT_THE_WORD
        return render_delete(request, reader, form, 422)
    database: Database = request.app.state.database
    try:
        async with database.connection() as connection:
            await delete_account(connection, reader.account_id)
    except NoSuchRecordError:
        form.errors["email"] = ONLY_OPERATOR
        return render_delete(request, reader, form, 422)
    response = see_other("/")
    forget(request, response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
