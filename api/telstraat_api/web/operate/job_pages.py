"""`/operate/jobs`: what was deferred to workers, how far it is and who works; jobs are cancelled and tried again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.http.access import Role
from telstraat_api.web.forms import read_form, see_other, signed_in
from telstraat_api.web.operate.shared import ROWS, pager, rendered_for_operators
from telstraat_api.web.pages import page_number
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database
from telstraat_store.jobs import deferred as stored

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]

JOB_STATE_NAMES = {
    "waiting": gettext_noop("waiting"),
    "running": gettext_noop("running"),
    "done": gettext_noop("done"),
    "failed": gettext_noop("failed"),
    "cancelled": gettext_noop("cancelled"),
    "expired": gettext_noop("expired"),
}
JOB_KIND_NAMES = {
    "evaluation": gettext_noop("Evaluation"),
    "odd-sensors": gettext_noop("A look for odd sensors"),
    "upload-look": gettext_noop("A look at an upload"),
    "upload-import": gettext_noop("Import of an upload"),
}


@router.get("/operate/jobs")
async def jobs_page(request: Request) -> Response:
    """List jobs, the latest first, those of a state when one is asked for."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    state = request.query_params.get("state")
    state = state if state in JOB_STATE_NAMES else None
    number = page_number(request)
    async with database.connection() as connection:
        counts = await stored.count_jobs(connection)
        rows = await stored.list_jobs(
            connection, account_id=None, states=(state,) if state else (), limit=ROWS, offset=(number - 1) * ROWS
        )
        workers = await stored.workers_at_work(connection)
    total = counts.get(state, 0) if state else sum(counts.values())
    return await rendered_for_operators(
        request,
        "operate/jobs.html",
        rows=rows,
        pager=pager(number, len(rows), total),
        counts=counts,
        workers=workers,
        state=state,
        job_states=JOB_STATE_NAMES,
        job_kinds=JOB_KIND_NAMES,
    )


@router.post("/operate/jobs/{job_id}/cancel")
async def cancel(request: Request, job_id: Number) -> Response:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection:
        await stored.cancel_job(connection, job_id)
    return see_other("/operate/jobs")


@router.post("/operate/jobs/{job_id}/retry")
async def retry(request: Request, job_id: Number) -> Response:
    """Try a job again that has failed, was cancelled or has expired."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection:
        await stored.retry_job(connection, job_id)
    return see_other("/operate/jobs")
