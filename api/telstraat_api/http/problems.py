"""Errors on the wire: RFC 9457 problem documents for programs, a plain page for people; nothing of the inside leaks."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from telstraat_api.errors import ApiError, SignInNeededError
from telstraat_api.http.problem import MEDIA_TYPE
from telstraat_api.telraam.envelope import failed, forbidden, speaks_telraam
from telstraat_store.errors import (
    BadValueError,
    ClosedRoomError,
    DuplicateError,
    ExportsBusyError,
    NoSuchRecordError,
    StaleRecordError,
    TelstraatStoreError,
    TooOftenError,
    UnavailableError,
)

log = logging.getLogger("telstraat.api")


class ProblemKind(NamedTuple):
    """What an error of the store means to whoever sent the request."""

    status: int
    kind: str
    title: str
    retry_after_s: int | None = None


OF_THE_STORE = {
    NoSuchRecordError: ProblemKind(404, "not-found", "There is nothing here"),
    DuplicateError: ProblemKind(409, "conflict", "This exists already"),
    StaleRecordError: ProblemKind(412, "changed", "This has changed"),
    BadValueError: ProblemKind(422, "bad-parameter", "A parameter cannot be used"),
    ClosedRoomError: ProblemKind(409, "closed", "This is closed now"),
    TooOftenError: ProblemKind(429, "too-many-requests", "Too many requests", retry_after_s=20),
    ExportsBusyError: ProblemKind(503, "busy", "The server is busy", retry_after_s=60),
    UnavailableError: ProblemKind(503, "database", "The database does not answer", retry_after_s=10),
}
"""The one table of the store's errors; one that is not in it is our own mistake."""


def problem(request: Request, status: int, kind: str, title: str, detail: str) -> Response:
    """Return the answer that says what went wrong."""
    body: dict[str, Any] = {
        "type": f"/problems/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    return Response(orjson.dumps(body), status, media_type=MEDIA_TYPE)


def complaint(error: RequestValidationError) -> str:
    """Say in one line which parameters cannot be read and why."""
    parts = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0])
        parts.append(f"{where}: {item['msg']}")
    return "; ".join(parts)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(SignInNeededError, to_sign_in)

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> Response:
        response = await answer(request, error.status, error.kind, error.title, str(error))
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        if error.retry_after_s is not None:
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response

    @app.exception_handler(TelstraatStoreError)
    async def store_error(request: Request, error: TelstraatStoreError) -> Response:
        kind = next((OF_THE_STORE[base] for base in type(error).__mro__ if base in OF_THE_STORE), None)
        if kind is None:
            return await unforeseen(request, error)
        response = await answer(request, kind.status, kind.kind, kind.title, str(error))
        if kind.retry_after_s is not None:
            response.headers["Retry-After"] = str(kind.retry_after_s)
        return response

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> Response:
        return await unreadable(request, error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        kind = phrase.lower().replace(" ", "-")
        response = await answer(request, error.status_code, kind, phrase, str(error.detail))
        response.headers.update(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            methods = allowed(app, request.url.path)
            if methods:
                response.headers["Allow"] = ", ".join(methods)
        return response

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen error at %s", request.url.path, exc_info=error)
        return await answer(request, 500, "internal", ApiError.title, "this was written to the server's log")


async def unreadable(request: Request, error: RequestValidationError) -> Response:
    """Return the answer to an address that cannot be read: for people in our own words, for programs with what is wrong."""
    pages = getattr(request.app.state, "pages", None)
    if pages is not None and wants_page(request) and not speaks_telraam(request.url.path):
        page: Response = pages.wrong_address(request, [item["loc"] for item in error.errors()])
        return page
    return await answer(request, 422, "bad-parameter", "A parameter cannot be used", complaint(error))


async def to_sign_in(request: Request, error: Exception) -> Response:
    """Send a browser to sign in, from where it comes back; somebody who has typed something is shown it, to send it when signed in."""
    assert isinstance(error, SignInNeededError)
    pages = getattr(request.app.state, "pages", None)
    if error.fields and pages is not None and wants_page(request):
        page: Response = pages.keep_typed(request, error.fields)
        return page
    if error.fields is not None and "application/json" in request.headers.get("accept", ""):
        # A script that followed to the page for signing in would take its 200 for "saved".
        return problem(request, error.status, error.kind, error.title, str(error))
    return RedirectResponse(f"/sign-in?{urlencode({'next': error.path})}", HTTPStatus.SEE_OTHER)


def allowed(app: FastAPI, path: str) -> list[str]:
    """Return every method of an address; two routes may share it."""
    paths = app.openapi()["paths"]
    if path in paths:
        return sorted(method.upper() for method in paths[path])
    methods: set[str] = set()
    for template, operations in paths.items():
        pattern = "[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", template))
        if re.fullmatch(pattern, path):
            methods.update(method.upper() for method in operations)
    return sorted(methods)


async def answer(request: Request, status: int, kind: str, title: str, detail: str) -> Response:
    """Return a page to somebody with a browser and a problem document to everybody else."""
    if speaks_telraam(request.url.path):
        if status == HTTPStatus.UNAUTHORIZED:
            return forbidden()
        return failed(400 if status == HTTPStatus.UNPROCESSABLE_ENTITY else status, detail)
    pages = getattr(request.app.state, "pages", None)
    if pages is not None and wants_page(request):
        page: Response = pages.error(request, status, title, detail)
        return page
    return problem(request, status, kind, title, detail)


def wants_page(request: Request) -> bool:
    """Tell whether a person reads the answer: a page's address, asked for by a browser."""
    path = request.url.path
    if path.startswith(("/api/", "/healthz", "/static/")):
        return False
    return "text/html" in request.headers.get("accept", "")
