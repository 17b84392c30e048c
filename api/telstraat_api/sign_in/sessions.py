"""A browser's session: begun anew at every sign-in, known by a random cookie, stored as a hash, ended when it is told to."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request, Response

from telstraat_api.http.access import COOKIE
from telstraat_api.settings import LOOPBACK, ApiSettings
from telstraat_store.accounts import sessions as stored
from telstraat_store.connection import Database


def is_secure(request: Request) -> bool:
    """Tell whether a cookie must travel encrypted: everywhere but on this machine."""
    return (request.url.hostname or "") not in LOOPBACK


async def begin(request: Request, response: Response, account_id: int) -> None:
    """Begin a session, ending the one that this browser had: whoever knew the old cookie has nothing."""
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    length = timedelta(days=settings.session_days)
    async with database.connection() as connection:
        secret = await stored.begin_session(connection, account_id, length, instead_of=request.cookies.get(COOKIE))
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(length.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


async def end(request: Request, *, everywhere: bool = False) -> None:
    """End this browser's session, or every session of whoever is signed in here."""
    database: Database = request.app.state.database
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return
    async with database.connection() as connection:
        await (stored.end_all_sessions if everywhere else stored.end_session)(connection, cookie)


def forget(request: Request, response: Response) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(request))
