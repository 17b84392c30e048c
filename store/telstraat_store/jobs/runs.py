"""Jobs as a worker sees them: begun, reported on, ended, handed back; and what is done about workers that have gone.

Whoever begins a job gets the number of its run. Everything written later names it, and counts only while the job is in that run: a
worker that was held still for an hour, whose job has been taken by another, is refused, so that no job has two results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.jobs.deferred import enqueue
from telstraat_store.queries import execute, fetch_all, fetch_one

SWEEP_LOCK = 0x7E15_70B5  # any number, as long as it stays the same


@dataclass(frozen=True)
class Swept:
    """What a look at all jobs has done: how many expired, were taken from workers that have gone, and were forgotten."""

    expired: int = 0
    requeued: int = 0
    failed: int = 0
    dropped: int = 0


async def begin(connection: AsyncConnection[Any], job_id: int, queue_id: int, worker: str) -> Row | None:
    """Begin a job that was taken from the queue and return it; None when it is not to be run any more."""
    return await fetch_one(
        connection,
        """
        update job set state = 'running', run = run + 1, worker = %(worker)s, begun_at = now(), heard_at = now(), progress = 0, doing = '',
            first_answers = null
        where job_id = %(job_id)s and queue_id = %(queue_id)s and state = 'waiting' and expires_at > now()
        returning *
        """,
        {"job_id": job_id, "queue_id": queue_id, "worker": worker},
    )


async def report(
    connection: AsyncConnection[Any], job: Row, progress: float, doing: str, first_answers: bytes | None = None
) -> bool:
    """Say how far a job is, and what is known already (JSON); False when this run of it is over: cancelled, expired, taken."""
    changed = await execute(
        connection,
        """
        update job set heard_at = now(), progress = greatest(progress, %(progress)s), doing = %(doing)s,
            first_answers = coalesce(%(first)s::json, first_answers)
        where job_id = %(job_id)s and run = %(run)s and state = 'running'
        """,
        {"job_id": job["job_id"], "run": job["run"], "progress": min(max(progress, 0.0), 1.0), "doing": doing,
         "first": first_answers.decode() if first_answers else None},
    )  # fmt: skip
    return bool(changed)


async def hold(connection: AsyncConnection[Any], job: Row) -> bool:
    """Hold a job until the transaction ends, so that it cannot be cancelled in between; False when this run of it is over."""
    row = await fetch_one(
        connection,
        "select 1 from job where job_id = %(job_id)s and run = %(run)s and state = 'running' for update",
        {"job_id": job["job_id"], "run": job["run"]},
    )
    return row is not None


async def end_well(connection: AsyncConnection[Any], job: Row, result: Any) -> bool:
    """Note the result of a job (plain values); False when this run of it is over, and then nothing is noted."""
    changed = await execute(
        connection,
        "update job set state = 'done', progress = 1, result = %(result)s::json, ended_at = now() where job_id = %(job_id)s and run = %(run)s and state = 'running'",
        {"job_id": job["job_id"], "run": job["run"], "result": orjson.dumps(result).decode()},
    )
    return bool(changed)


async def end_badly(connection: AsyncConnection[Any], job: Row, error: str, why: str = "") -> bool:
    """Note why a job has no result, in words for who waits for it and as a word for programs; trying again would say the same."""
    changed = await execute(
        connection,
        "update job set state = 'failed', error = %(error)s, why = %(why)s, ended_at = now()"
        " where job_id = %(job_id)s and run = %(run)s and state = 'running'",
        {"job_id": job["job_id"], "run": job["run"], "error": error, "why": why},
    )
    return bool(changed)


async def hand_back(
    connection: AsyncConnection[Any], job: Row, *, crashes_max: int, is_crash: bool, wait_s: float = 0.0
) -> bool:
    """Let a job wait again that was not finished; after `crashes_max` crashes it has failed. False when the run is over."""
    async with connection.transaction():
        row = await fetch_one(
            connection,
            """
            update job set crashes = crashes + %(crash)s, worker = '',
                state = case when crashes + %(crash)s > %(most)s then 'failed' else 'waiting' end,
                ended_at = case when crashes + %(crash)s > %(most)s then now() end,
                error = case when crashes + %(crash)s > %(most)s then %(error)s else '' end
            where job_id = %(job_id)s and run = %(run)s and state = 'running' returning state
            """,
            {"job_id": job["job_id"], "run": job["run"], "crash": int(is_crash), "most": crashes_max,
             "error": broken_off(crashes_max + 1)},
        )  # fmt: skip
        if row is not None and row["state"] == "waiting":
            await enqueue(connection, job["job_id"], wait_s)
    return row is not None


def broken_off(times: int) -> str:
    """Return why a job is not tried again."""
    return f"the computation broke off {times} times, and is not tried again by itself; the server's log says more"


async def sweep(
    connection: AsyncConnection[Any],
    *,
    silent_s: float,
    crashes_max: int,
    forget_days: int = 30,
    was_there: bool = True,
) -> Swept:
    """Look after all jobs: let those expire that nobody waits for, and take those back whose worker has gone.

    Parameters
    ----------
    connection
        With all rights.
    silent_s
        A job of which nothing was heard for so long has lost its worker; the clock is the database's.
    crashes_max
        Times that a job may break off before it has failed.
    forget_days
        Jobs that ended before are dropped; what they made stays.
    was_there
        Whether the database has answered for so long; if not, its workers may have been silent for no other reason.

    Returns
    -------
    Swept
        Zeros when another worker is at it.
    """
    async with connection.transaction():
        free = await fetch_one(connection, "select pg_try_advisory_xact_lock(%s) as is_mine", (SWEEP_LOCK,))
        if free is None or not free["is_mine"]:
            return Swept()
        expired = await execute(
            connection,
            """
            update job set state = 'expired', ended_at = now() where (state = 'waiting' and expires_at <= now())
                or (state in ('waiting', 'running') and looked_at + make_interval(secs => gone_after_s) < now())
            """,
        )
        requeued, failed = await _take_back(connection, silent_s, crashes_max) if was_there else (0, 0)
        dropped = await execute(
            connection, "delete from job where ended_at < now() - make_interval(days => %s)", (forget_days,)
        )
        await execute(
            connection,
            """
            delete from procrastinate_jobs entry where (
                status not in ('todo', 'doing') or not exists (select from job where job.queue_id = entry.id)
            ) and not exists (
                select from procrastinate_workers where id = entry.worker_id
                    and last_heartbeat >= now() - make_interval(secs => %s))
            """,
            (silent_s,),
        )
    return Swept(expired, requeued, failed, dropped)


async def _take_back(connection: AsyncConnection[Any], silent_s: float, crashes_max: int) -> tuple[int, int]:
    """Let jobs wait again that have no place in the queue any more, or whose worker has gone; return how many, and how many failed."""
    lost = await fetch_all(
        connection,
        """
        select job.* from job left join procrastinate_jobs entry on entry.id = job.queue_id
        left join procrastinate_workers worker on worker.id = entry.worker_id
        where (job.state = 'running' and job.heard_at < now() - make_interval(secs => %(silent_s)s))
            or (job.state = 'waiting' and (entry.id is null or entry.status not in ('todo', 'doing') or (
                entry.status = 'doing' and (
                    worker.id is null or worker.last_heartbeat < now() - make_interval(secs => %(silent_s)s)))))
        for update of job skip locked
        """,
        {"silent_s": silent_s},
    )
    failed = 0
    for job in lost:
        await execute(connection, "delete from procrastinate_jobs where id = %s", (job["queue_id"],))
        if job["state"] == "waiting":  # its worker had taken it from the queue, and has not begun
            await enqueue(connection, job["job_id"])
            continue
        await hand_back(connection, job, crashes_max=crashes_max, is_crash=True)
        failed += job["crashes"] >= crashes_max
    return len(lost) - failed, failed
