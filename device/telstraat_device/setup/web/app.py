"""The application: which address is which screen, and who may see it."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from telstraat_contract.languages import LANGUAGES
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER
from telstraat_device.errors import AimOverError, NotOwnerError, SetupError, TriesError
from telstraat_device.setup.progress import SCREENS
from telstraat_device.setup.site import SetupSite
from telstraat_device.setup.status import read_status
from telstraat_device.setup.web.guard import Guard
from telstraat_device.setup.web.page import LANGUAGE_COOKIE, SESSION_COOKIE, Handler, Visit, form_of, go_to
from telstraat_device.setup.web.screens import Screens

STEP_S = 1.0
YEAR_S = 365 * 86_400
OWN_ADDRESS = "http://10.42.0.1/"
"""Where NetworkManager puts the sensor in a network of its own."""
log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


class Entrance:
    """Lets phones in, and shows each page to whom it is for."""

    def __init__(self, site: SetupSite) -> None:
        self.site = site

    def behind(self, handler: Handler) -> Endpoint:
        """Return a page for the owner alone."""

        async def answer(request: Request) -> Response:
            visit = await self._visit(request)
            if visit.session is None:
                if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                    return go_to("/")
                return PlainTextResponse("give the code of the sensor first", 403)
            if request.method == "POST" and not hmac.compare_digest(
                visit.form.get("token", "").encode(), visit.session.form_token.encode()
            ):
                return PlainTextResponse("the page was too old: load it again", 403)
            return await run_in_threadpool(answered, handler, visit)

        return answer

    def open(self, handler: Handler) -> Endpoint:
        """Return a page for everybody in the local network."""

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(answered, handler, await self._visit(request))

        return answer

    async def _visit(self, request: Request) -> Visit:
        key = request.cookies.get(SESSION_COOKIE)
        session = self.site.gate.session(key)
        if session is not None:
            self.site.reachable.used()
        form = form_of(await request.body()) if request.method == "POST" else {}
        address = request.client.host if request.client else ""
        screen = {"screens": SCREENS, "passed": self.site.progress.passed, "finished": self.site.progress.finished}
        return Visit(request, form, key, session, address, screen)

    def home(self, visit: Visit) -> Response:
        """Show the entrance, or go on where set-up is."""
        if visit.session is None:
            return visit.page("enter.html", name=self.site.name)
        return go_to("/status" if self.site.progress.finished else f"/{self.site.progress.next_screen}")

    def enter(self, visit: Visit) -> Response:
        """Let somebody in who has the code."""
        try:
            key = self.site.gate.enter(visit.form.get("code", ""), visit.address)
        except (NotOwnerError, TriesError) as error:
            status = 429 if isinstance(error, TriesError) else 403
            return visit.page("enter.html", status, error, name=self.site.name)
        self.site.reachable.used()
        response = go_to("/")
        response.set_cookie(SESSION_COOKIE, key, httponly=True, samesite="strict", path="/")
        return response

    def leave(self, visit: Visit) -> Response:
        """Forget this phone."""
        self.site.gate.leave(visit.key)
        response = go_to("/")
        response.delete_cookie(SESSION_COOKIE)
        return response

    def speak(self, visit: Visit) -> Response:
        """Choose a language."""
        path = visit.form.get("back", "/")
        response = go_to(path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/")
        code = visit.form.get("language", "")
        if code in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, code, max_age=YEAR_S, samesite="strict", path="/")
        return response

    def status(self, visit: Visit) -> Response:
        """Show how the sensor is; no picture."""
        site, device = self.site, self.site.settings.device
        now = datetime.now(UTC).astimezone()
        is_running = site.service.is_running()
        status = read_status(
            Path(device.state), Path(device.health_file), now, is_running=is_running, reach=site.reachable.reach
        )
        return visit.page(
            "status.html",
            now=status,
            classes=TOGETHER,
            class_names=PLURALS,
            sensor=site.sensor,
            town=site.town_address,
            street=site.progress.street,
            name=site.name,
        )


def answered(handler: Handler, visit: Visit) -> Response:
    """Return a handler's answer, or what stopped it as a program reads it."""
    try:
        return handler(visit)
    except AimOverError as error:
        return JSONResponse({"trouble": visit.say(error.text)}, 410)
    except NotOwnerError as error:
        return JSONResponse({"trouble": visit.say(error.text)}, 403)
    except SetupError as error:
        return JSONResponse({"trouble": visit.say(error.text, **error.values)}, 409)


def routes(site: SetupSite) -> list[Route | Mount]:
    """Return which address is which page."""
    entrance, screens = Entrance(site), Screens(site)
    get = {
        "/network": screens.network,
        "/aim": screens.aim,
        "/aim/picture": screens.picture,
        "/street": screens.street,
        "/account": screens.account,
        "/test": screens.test,
        "/test/crossings": screens.crossings,
        "/status": entrance.status,
    }
    post = {
        "/network": screens.join,
        "/aim": screens.keep_aim,
        "/aim/open": screens.open_picture,
        "/aim/turn": screens.turn,
        "/street": screens.keep_street,
        "/account": screens.enrol,
        "/test/open": screens.open_test,
        "/finish": screens.finish,
        "/leave": entrance.leave,
    }
    return [
        Route("/", entrance.open(entrance.home)),
        Route("/enter", entrance.open(entrance.enter), methods=["POST"]),
        Route("/language", entrance.open(entrance.speak), methods=["POST"]),
        *(Route(path, entrance.behind(handler), methods=["GET"]) for path, handler in get.items()),
        *(Route(path, entrance.behind(handler), methods=["POST"]) for path, handler in post.items()),
        Mount("/static", StaticFiles(packages=[("telstraat_device.setup.web", "static")])),
    ]


def make_app(site: SetupSite) -> Starlette:
    """Return the application of a sensor's set-up."""

    async def steps() -> None:
        while True:
            await asyncio.sleep(STEP_S)
            try:
                await run_in_threadpool(site.step)
            except Exception as error:  # noqa: BLE001 - the outermost loop of the process
                log.warning("%s", type(error).__name__)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(steps())
        try:
            yield
        finally:
            task.cancel()
            await run_in_threadpool(site.desk.end)

    names = frozenset({site.name, f"{site.name}.local"})

    def portal() -> str | None:
        return OWN_ADDRESS if site.reachable.reach == "own" else None

    return Starlette(routes=routes(site), middleware=[Middleware(Guard, names=names, portal=portal)], lifespan=lifespan)
