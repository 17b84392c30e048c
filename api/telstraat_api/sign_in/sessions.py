"""A browser's session: begun anew at every sign-in, known by a random cookie, stored as a hash, ended when it is told to."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request, Response

from telstraat_api.http.access import COOKIE, hashed, new_secret
from telstraat_api.settings import LOOPBACK, ApiSettings
from telstraat_store.connection import Database


def is_secure(request: Request) -> bool:
    """Tell whether a cookie must travel encrypted: everywhere but on this machine."""
    return (request.url.hostname or "") not in LOOPBACK


async def begin(request: Request, response: Response, account_id: int) -> None:
    """Begin a session, ending the one that this browser had: whoever knew the old cookie has nothing."""
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    await end(request)
    await database.execute("delete from browser_session where expires_at <= now()")
    secret = new_secret("")
    length = timedelta(days=settings.session_days)
    await database.execute(
        "insert into browser_session (hash, account_id, expires_at) values (%s, %s, now() + %s)",
        (hashed(secret), account_id, length),
    )
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
    if everywhere:
        await database.execute(
            "delete from browser_session where account_id ="
            " (select account_id from browser_session where hash = %s and expires_at > now())",
            (hashed(cookie),),
        )
    else:
        await database.execute("delete from browser_session where hash = %s", (hashed(cookie),))


def forget(request: Request, response: Response) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(request))
