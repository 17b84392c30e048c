"""An evaluation as a job, on the measure's page: begun by a button, watched while it runs, cancelled, tried again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import QueryError
from telstraat_api.evaluations.inputs import changed_inputs
from telstraat_api.evaluations.keeping import KIND, defer_evaluation
from telstraat_api.http.access import Reader, Role
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.measure_file import analysed
from telstraat_api.v1.measures import measure_shape, phase_of
from telstraat_api.v1.resources import Number, require_visible
from telstraat_api.web.forms import read_form, see_other, signed_in
from telstraat_api.web.measures import names
from telstraat_api.web.measures.answers import change_text, result_of
from telstraat_api.web.measures.form import ask_of, questions_of
from telstraat_api.web.pages import page_reader
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.jobs.deferred import LIVE, cancel_job, find_job, list_jobs, retry_job
from telstraat_store.work.measures import find_measure

router = APIRouter(include_in_schema=False)
LATEST = 20
TELLING = 0.15
"""From this share on one can tell how long the rest will take."""

NOTHING_COUNTED = gettext_noop(
    "Nothing was ever counted in the streets with the measure, so there is nothing to evaluate."
)
OTHERWISE = gettext_noop("It broke off for a reason that nobody foresaw; it stands in the server's log.")
REASONS = {
    "no-counts": gettext_noop("Nothing was counted in these streets in the weeks around the measure."),
    "not-added-up": gettext_noop("The newest counts are still being added up. Try it again in a minute."),
    "not-counted": gettext_noop("These streets were not counted for what was asked."),
    "too-long": gettext_noop("It took too long. Ask fewer questions at once, or fewer parts."),
    "too-much-memory": gettext_noop("It took more memory than there is. Ask fewer questions at once, or fewer parts."),
    "deleted": gettext_noop("What it was about was deleted meanwhile."),
}
"""What a person is told, by the word that a job has failed with."""


@dataclass(frozen=True)
class JobView:
    """The latest evaluation of a measure that is being computed, or was.

    Attributes
    ----------
    job
        As `telstraat_store.jobs.deferred.find_job` returns it.
    first
        What is known before all is: street, question, effect.
    problem
        Why it has ended without an answer, as a text that the template translates.
    """

    job: Row
    first: list[Mapping[str, Any]] = field(default_factory=list)
    problem: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether it waits or runs."""
        return self.job["state"] in LIVE

    @property
    def minutes_left(self) -> int | None:
        """Return how long it goes on if it goes on as it has, in minutes, rounded up; None while that cannot be told."""
        started, share = self.job["begun_at"], float(self.job["progress"] or 0)
        if self.job["state"] != "running" or started is None or share < TELLING:
            return None
        so_far = float((datetime.now(UTC) - started).total_seconds())
        return max(math.ceil(so_far * (1 - share) / share / 60), 1)

    @property
    def evaluation_id(self) -> int | None:
        """Return what came of it."""
        result = self.job["result"] or {}
        return result.get("evaluation_id")


def reason_of(job: Row) -> str:
    """Return why a job has no answer, as a text that the template translates; empty where it has not failed."""
    return REASONS.get(job["why"], OTHERWISE) if job["error"] else ""


async def latest_job(connection: AsyncConnection[Any], measure_id: int) -> JobView | None:
    """Return the evaluation of a measure that was asked for last, as far as it is; None when there was none."""
    jobs = await list_jobs(connection, account_id=None, measure_id=measure_id, limit=LATEST)
    number = next((job["job_id"] for job in jobs if job["kind"] == KIND), None)
    job = await find_job(connection, number) if number is not None else None
    if job is None:
        return None
    answers = (job["first_answers"] or {}).get("answers", [])
    return JobView(job, list(answers), reason_of(job))


async def changes_since(
    connection: AsyncConnection[Any], measure: Row, evaluation: Row, reader: Reader, settings: ApiSettings
) -> list[str]:
    """Return which inputs of an evaluation are other by now: `counts`, `measure`, `code`; nothing where it was not noted."""
    inputs = evaluation.get("inputs")
    if not inputs:
        return []
    shape = measure_shape(measure, reader)
    try:
        now = phase_of(shape, inputs["phase"]) if inputs.get("phase") else shape
    except QueryError:
        return ["measure"]
    return await changed_inputs(connection, inputs, await analysed(connection, now), whole=settings.quarter_min > 0)


@router.post("/measures/{measure_id}/evaluate")
async def evaluate_measure(request: Request, measure_id: Number) -> Response:
    """Let a worker evaluate a measure for what shall be asked of it; pressed twice, it is one job."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        measure = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        ask = ask_of(measure)
        try:
            await defer_evaluation(
                connection, reader.account_id, measure_shape(measure, reader), questions_of(ask), by=ask["by"]
            )
        except QueryError:
            return see_other(f"/measures/{measure_id}", nothing="counted")
    return see_other(f"/measures/{measure_id}")


@router.get("/measures/{measure_id}/run")
async def run_part(request: Request, measure_id: Number) -> Response:
    """Return the part of the page that says how far it is, for the script that looks again and again."""
    reader = await page_reader(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        measure = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        view = await latest_job(connection, measure_id)
    if reader.role < Role.PROFESSIONAL and view is not None and not view.is_live:
        view = None
    response: Response = request.app.state.pages.render(
        request, "measures/run.html", measure=measure, run=view, reader=reader, names=names, result_of=result_of, changed=change_text
    )  # fmt: skip
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@router.post("/measures/{measure_id}/run/{job_id}")
async def change_run(request: Request, measure_id: Number, job_id: Number) -> Response:
    """Cancel a job, or let it be tried again: whoever has asked for it, or an operator."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        job = await find_job(connection, job_id)
        is_own = job is not None and (job["account_id"] == reader.account_id or reader.role is Role.OPERATOR)
        if job is not None and is_own and job["measure_id"] == measure_id:
            if form.value("action") == "cancel":
                await cancel_job(connection, job_id)
            elif form.value("action") == "retry":
                await retry_job(connection, job_id)
    return see_other(f"/measures/{measure_id}")
