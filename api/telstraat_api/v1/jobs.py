"""`/api/v1/jobs`: what was deferred to workers, how far it is, first answers, results; cancelled and tried again from here."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from telstraat_api.errors import ConflictError, NotFoundError
from telstraat_api.http.access import Contributor, Reader, Role, SignedIn, needs
from telstraat_api.http.answers import stamp
from telstraat_api.v1.resources import BIGGEST, Limit, Number, filtered_path, maker, owns, private
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import JobList, JobShape, JobState
from telstraat_contract.languages import LANGUAGES
from telstraat_contract.languages.catalogue import language
from telstraat_store.connection import Database, Row
from telstraat_store.jobs import deferred as stored

router = APIRouter(prefix="/api/v1", tags=["jobs"])
PATH = "/api/v1/jobs"
LOOK_AGAIN_S = 0.5
WAIT_MAX_S = 60
WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*(\d{1,6})\s*(?:$|[,;])")

FIRST_ANSWER = {
    "question": {"what": "car", "direction": "", "hours": [], "days": "all", "against": "before"},
    "segment": "1001",
    "street": "Lindenstraat",
    "role": "treated",
    "effect": {"estimate": -0.38, "low": -0.49, "high": -0.25, "unit": "relative"},
    "refused": [],
    "controls": ["1004", "1005"],
}
JOB: dict[str, Any] = {
    "job_id": 7,
    "kind": "evaluation",
    "state": "running",
    "progress": 0.4,
    "doing": {"en": "Looking where the traffic went"},
    "ahead": None,
    "first": {"answers": [FIRST_ANSWER]},
    "result": None,
    "error": "",
    "measure_id": 1,
    "tries": 1,
    "mine": True,
    "created_by": "someone@example.org",
    "created_at": "2026-06-01T09:00:00Z",
    "begun_at": "2026-06-01T09:00:01Z",
    "ended_at": None,
    "expires_at": "2026-06-02T09:00:00Z",
    "links": {"self": f"{PATH}/7", "measure": "/api/v1/measures/1"},
}


def job_shape(row: Row, reader: Reader) -> dict[str, Any]:
    """Return a job as the reader may see it."""
    links = {"self": f"{PATH}/{row['job_id']}"}
    if row["measure_id"] is not None:
        links["measure"] = f"/api/v1/measures/{row['measure_id']}"
    if row["result"] and "evaluation_id" in row["result"]:
        links["evaluation"] = f"/api/v1/evaluations/{row['result']['evaluation_id']}"
    doing = row["doing"] if row["state"] == "running" else ""
    return {
        "job_id": row["job_id"],
        "kind": row["kind"],
        "state": row["state"],
        "progress": round(row["progress"], 3),
        "doing": {code: language(code).gettext(doing) for code in LANGUAGES} if doing else {},
        "ahead": row["ahead"],
        "first": row["first_answers"],
        "result": row["result"],
        "error": row["error"],
        "measure_id": row["measure_id"],
        "tries": row["run"],
        **maker(reader, row),
        "created_at": stamp(row["deferred_at"]),
        "begun_at": stamp(row["begun_at"]),
        "ended_at": stamp(row["ended_at"]),
        "expires_at": stamp(row["expires_at"]),
        "links": links,
    }


def require_own(row: Row | None, reader: Reader, job_id: int) -> Row:
    """Return a job that is the reader's, or any to an operator; to others there is none."""
    if row is None or not (owns(reader, row) or reader.role is Role.OPERATOR):
        raise NotFoundError(f"there is no job {job_id}")
    return row


def waits_s(headers: Mapping[str, str]) -> int:
    """Return for how long whoever asks wants to wait (`Prefer: wait=30`, RFC 7240): a minute at most, and not at all without."""
    match = WAIT.search(headers.get("prefer", "").lower())
    return min(int(match[1]), WAIT_MAX_S) if match else 0


async def awaited(database: Database, row: Row, wait_s: float) -> Row:
    """Return a job as it is when it has ended, or after so long; nothing is held meanwhile."""
    until = time.monotonic() + wait_s
    while row["state"] in stored.LIVE and time.monotonic() < until:
        await asyncio.sleep(LOOK_AGAIN_S)
        async with database.connection() as connection:
            await stored.look_at(connection, row["job_id"])
            latest = await stored.find_job(connection, row["job_id"])
        if latest is None:  # went with its measure or its account
            break
        row = latest
    return row


@router.get(
    "/jobs",
    summary="What was deferred to workers",
    responses=described(JobList, {"jobs": [{**JOB, "first": None}], "next": None}, 401, 403, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def list_jobs(
    request: Request,
    reader: SignedIn,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST, description="Go on before this number.")] = None,
    limit: Limit = 100,
    state: Annotated[JobState | None, Query(description="Only those in this state.")] = None,
    measure: Annotated[int | None, Query(ge=1, le=BIGGEST, description="Only about this measure.")] = None,
) -> Response:
    """Return one's own jobs, the latest first, without first answers; operators see everybody's. Follow `next`."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_jobs(
            connection,
            account_id=None if reader.role is Role.OPERATOR else reader.account_id,
            states=(state,) if state else (),
            measure_id=measure,
            before=before,
            limit=limit + 1,
        )
    path = filtered_path(PATH, state=state, measure=measure)
    join = "&" if "?" in path else "?"
    listed = rows[:limit]
    following = f"{path}{join}before={listed[-1]['job_id']}&limit={limit}" if len(rows) > limit else None
    return private(request, {"jobs": [job_shape(row, reader) for row in listed], "next": following})


@router.get(
    "/jobs/{job_id}",
    summary="How far a job is",
    responses=described(JobShape, JOB, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def one_job(request: Request, job_id: Number, reader: SignedIn) -> Response:
    """Return a job: state, progress, first answers, result or error. With `Prefer: wait=30` the answer comes when it has ended, or after that."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await stored.look_at(connection, job_id)
        row = require_own(await stored.find_job(connection, job_id), reader, job_id)
    return private(request, job_shape(await awaited(database, row, waits_s(request.headers)), reader))


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job",
    responses=described(JobShape, {**JOB, "state": "cancelled"}, 401, 403, 404, 409, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def cancel_job(request: Request, job_id: Number, reader: Contributor) -> Response:
    """End a job that waits or runs; what it was computing ends within seconds. One that has ended already is left as it is (409)."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_own(await stored.find_job(connection, job_id), reader, job_id)
        is_cancelled = await stored.cancel_job(connection, job_id)
        row = require_own(await stored.find_job(connection, job_id), reader, job_id)
    if not is_cancelled and row["state"] != "cancelled":
        raise ConflictError(f"job {job_id} has ended already: {row['state']}")
    return private(request, job_shape(row, reader))


@router.post(
    "/jobs/{job_id}/retry",
    summary="Let a job be tried again",
    responses=described(JobShape, {**JOB, "state": "waiting"}, 401, 403, 404, 409, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def retry_job(request: Request, job_id: Number, reader: Contributor) -> Response:
    """Let a job wait again that has failed, was cancelled or has expired; one that is done, or under way again, is not (409)."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_own(await stored.find_job(connection, job_id), reader, job_id)
        is_waiting = await stored.retry_job(connection, job_id)
        row = require_own(await stored.find_job(connection, job_id), reader, job_id)
    if not is_waiting and row["state"] not in stored.LIVE:
        state = "is done" if row["state"] == "done" else "is under way again as another job"
        raise ConflictError(f"job {job_id} {state}")
    return private(request, job_shape(row, reader))
