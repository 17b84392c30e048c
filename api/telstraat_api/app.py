"""The application: settings in, an ASGI app out; the parts are put together here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from telstraat_api.additions import NOTHING, Additions
from telstraat_api.evaluations.evaluator import Evaluator
from telstraat_api.evaluations.typesetting import Typesetter
from telstraat_api.following import month_pages, months, quiet, silence, stop
from telstraat_api.following.rounds import LetterRounds
from telstraat_api.http import health, problems, well_known
from telstraat_api.http.access import SCHEMES, check_key
from telstraat_api.http.bodies import BodyLimit
from telstraat_api.http.headers import HardeningHeaders
from telstraat_api.http.rates import Buckets, RateLimit
from telstraat_api.http.response_cache import ForgetAfterChanges, ResponseCache
from telstraat_api.http.slashes import TrailingSlashes
from telstraat_api.install import device_files
from telstraat_api.jobs.worker import Worker
from telstraat_api.live import LiveHub
from telstraat_api.settings import ApiSettings, database_of, read_settings
from telstraat_api.sign_in import pages as sign_in
from telstraat_api.sign_in.mail import MailLinks
from telstraat_api.sign_in.provider import Provider
from telstraat_api.summaries.keeping_fresh import SummaryKeeper
from telstraat_api.telraam import instances as cameras
from telstraat_api.telraam import legacy, places, snapshots, traffic, typical, welcome
from telstraat_api.telraam import summaries as totals
from telstraat_api.v1 import (
    accounts,
    claims,
    device,
    evaluations,
    events,
    exports,
    followers,
    ground,
    instances,
    jobs,
    measures,
    registry,
    reports,
    segments,
    sharing,
    streams,
    summaries,
    workshops,
)
from telstraat_api.web import assets, docs_page, pages, tiles
from telstraat_api.web.compare import compare_page
from telstraat_api.web.count import count_pages
from telstraat_api.web.data import data_page, take_part_page
from telstraat_api.web.measures import acting, making, measure_pages, report_page, running
from telstraat_api.web.measures import sharing as measure_sharing
from telstraat_api.web.my import (
    claim_pages,
    marks,
    my_page,
    own_live,
    place_pages,
    sensor_changes,
    sensor_page,
)
from telstraat_api.web.operate import (
    job_pages,
    overview_page,
    people_pages,
    published_pages,
    quarantine_pages,
    sensor_pages,
    upload_pages,
)
from telstraat_api.web.street import month_page, street_page
from telstraat_api.web.tiles import with_tiles
from telstraat_api.web.town import finding, town_page
from telstraat_api.web.workshops import room_leading, room_pages, room_writing, workshop_forms, workshop_pages
from telstraat_api.web.workshops.room_chart import RoomCharts
from telstraat_api.web.workshops.room_hub import RoomHub
from telstraat_store.connection import Database
from telstraat_store.export.files import Exporter


class Application(FastAPI):
    """Describes itself when that is first asked for, since it takes half a second; `serve` asks before it listens to anybody."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, the ways to sign in named in it."""
        document = super().openapi()
        document.setdefault("components", {})["securitySchemes"] = SCHEMES
        return document


def letter_rounds(database: Database, settings: ApiSettings) -> tuple[LetterRounds, LetterRounds]:
    """Return what sends letters for as long as the service runs."""
    return (
        LetterRounds("letters about silent sensors", silence.go_silence_round, silence.EVERY_S, database, settings),
        LetterRounds("letters with months", months.go_month_round, months.EVERY_S, database, settings),
    )


def create_app(settings: ApiSettings | None = None, additions: Additions = NOTHING) -> FastAPI:
    """Return the application; it opens the database when it starts and closes it when it stops.

    `additions` come from a program that contains it, never from a setting.
    """
    settings, tile_file = with_tiles(settings or read_settings())
    database = database_of(settings)
    live = LiveHub(database, settings)
    rooms = RoomHub(database)
    beside = (SummaryKeeper(settings), live, rooms, *letter_rounds(database, settings))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.open()
        for part in beside:
            part.start()
        worker = Worker(database, settings, settings.jobs_at_once)
        working = asyncio.create_task(worker.run()) if settings.jobs_at_once else None
        try:
            yield
        finally:
            worker.stop()
            if working is not None:
                await working
            for part in beside:
                await part.stop()
            await app.state.mail_links.stop()
            await database.close()

    app = Application(
        title=f"{settings.site_name} API",
        version=version("telstraat"),
        description="Counts of street traffic: who passed, in which direction, and how much of the time was observed.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.tile_file = tile_file
    app.state.live = live
    app.state.rooms = rooms
    app.state.room_charts = RoomCharts(database, settings)
    app.state.exporter = Exporter(settings.exports_max, settings.licence, settings.attribution)
    app.state.evaluator = Evaluator(settings)
    app.state.typesetter = Typesetter(app.state.evaluator)
    app.state.mail_links = MailLinks(database, settings)
    app.state.provider = Provider(database, settings)
    app.state.claim_tries = claims.ClaimTries()
    app.state.enrol_tries = device.EnrolTries()
    app.state.code_tries = claim_pages.CodeTries()
    app.state.pages = pages.Pages(settings, additions)
    app.state.response_cache = cache = ResponseCache(settings.keep_s)
    problems.install(app)
    wrap(app, settings, cache)
    add_routes(app, additions)
    return app


def add_routes(app: FastAPI, additions: Additions) -> None:
    """Add every address; on those of Telraam's clients a key is looked at where none is needed."""
    resources = (instances, claims, device, measures, evaluations, jobs, followers, events, workshops, sharing)
    # What ends in any word comes after what ends in one of its own.
    mine = (my_page, own_live, sensor_page, marks, place_pages, sensor_changes, claim_pages)
    ours = (
        health,
        well_known,
        device_files,
        segments,
        ground,
        summaries,
        reports,
        exports,
        streams,
        accounts,
        registry,
        *resources,
        assets,
        tiles,
        sign_in,
        stop,
        quiet,
        month_pages,
        town_page,
        finding,
        compare_page,
        data_page,
        take_part_page,
        street_page,
        month_page,
        making,
        acting,
        running,
        measure_sharing,
        report_page,
        measure_pages,
        workshop_forms,
        room_pages,
        room_writing,
        room_leading,
        workshop_pages,
        *mine,
        count_pages,
        overview_page,
        people_pages,
        sensor_pages,
        published_pages,
        quarantine_pages,
        upload_pages,
        job_pages,
        docs_page,
    )
    for part in ours:
        app.include_router(part.router)
    for part in (welcome, traffic, snapshots, totals, typical, places, cameras, legacy):
        app.include_router(part.router, dependencies=[Depends(check_key)])
    for router in additions.routers:
        app.include_router(router)


def wrap(app: FastAPI, settings: ApiSettings, cache: ResponseCache) -> None:
    """Put around the application what every request passes; what is added last comes first."""
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["*"], expose_headers=["ETag"]
    )
    app.add_middleware(ForgetAfterChanges, cache=cache)
    app.add_middleware(BodyLimit)
    app.add_middleware(TrailingSlashes)
    if settings.rate_per_minute:
        app.add_middleware(RateLimit, buckets=Buckets(settings.rate_per_minute, settings.rate_burst))
    app.add_middleware(HardeningHeaders)
