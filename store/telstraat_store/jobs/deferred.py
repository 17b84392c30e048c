"""Jobs as whoever wants them sees them: deferred, looked at, cancelled, tried again. The row in the queue follows in the same transaction.

    row, is_new = await defer(connection, NewJob("evaluation", {"measure_id": 7}, account_id=3, measure_id=7, key="..."))

What a kind of job computes stands in `telstraat_api.jobs.kinds`; who runs it, in `telstraat_store.jobs.runs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one

DAY_S = 86400.0
TRIES: Final = 3
LIVE: Final = frozenset({"waiting", "running"})
"""States of a job that something may still come of."""


@dataclass(frozen=True)
class NewJob:
    """A job to be deferred.

    Attributes
    ----------
    kind
        One of `telstraat_api.jobs.kinds.KINDS`. A worker that does not know it, of an older version say, leaves it to others.
    arguments
        What the kind needs, as JSON: numbers of rows rather than their content, so that what is computed is what is there then.
    account_id, measure_id
        Who wants it (None: the server itself), and which measure it is about. The job goes with either.
    key
        Deferred again while it waits or runs, a job of the same key is the same job.
    lock
        Jobs of one lock run one after the other.
    priority
        Higher comes first.
    expires_s
        Not begun after so long, it is not begun any more.
    gone_after_s
        When nobody has looked at it for so long, it expires, running or not; None: somebody will come back for it.
    """

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    account_id: int | None = None
    measure_id: int | None = None
    key: str | None = None
    lock: str | None = None
    priority: int = 0
    expires_s: float = DAY_S
    gone_after_s: float | None = None


async def defer(connection: AsyncConnection[Any], new: NewJob) -> tuple[Row, bool]:
    """Defer a job and return it, and whether it is new: one of the same key that still waits or runs is returned instead.

    May be called inside of a transaction: then nobody takes the job before that is committed, and it goes with it.
    """
    values = {
        "kind": new.kind, "arguments": Jsonb(dict(new.arguments)), "account_id": new.account_id, "measure_id": new.measure_id,
        "key": new.key, "lock": new.lock, "priority": new.priority, "expires_s": new.expires_s, "gone_after_s": new.gone_after_s,
    }  # fmt: skip
    for _ in range(TRIES):  # the job of that key may end between the two questions
        async with connection.transaction():
            row = await fetch_one(
                connection,
                """
                insert into job (kind, arguments, account_id, measure_id, key, lock, priority, expires_at, gone_after_s)
                values (%(kind)s, %(arguments)s, %(account_id)s, %(measure_id)s, %(key)s, %(lock)s, %(priority)s,
                    now() + make_interval(secs => %(expires_s)s), %(gone_after_s)s)
                on conflict (key) where state in ('waiting', 'running') do nothing returning job_id
                """,
                values,
            )
            if row is not None:
                await enqueue(connection, row["job_id"])
        number = row["job_id"] if row is not None else await _number_of(connection, new.key)
        job = await find_job(connection, number) if number is not None else None
        if job is not None:
            return job, row is not None
    raise RuntimeError(f"a job {new.kind} of key {new.key} begins and ends faster than it can be read")


async def enqueue(connection: AsyncConnection[Any], job_id: int, wait_s: float = 0.0) -> None:
    """Put a job into the queue, where workers hear of it when the transaction is committed."""
    await execute(
        connection,
        """
        update job set queue_id = (procrastinate_defer_jobs_v1(array[row(
            kind, 'run_job', priority, lock, null, jsonb_build_object('job_id', job_id),
            case when %(wait_s)s > 0 then now() + make_interval(secs => %(wait_s)s) end
        )::procrastinate_job_to_defer_v1]))[1]
        where job_id = %(job_id)s
        """,
        {"job_id": job_id, "wait_s": wait_s},
    )


async def _number_of(connection: AsyncConnection[Any], key: str | None) -> int | None:
    row = await fetch_one(
        connection, "select job_id from job where key = %s and state in ('waiting', 'running')", (key,)
    )
    return None if row is None else row["job_id"]


async def find_job(connection: AsyncConnection[Any], job_id: int) -> Row | None:
    """Return a job with its owner's address and how many wait before it (`ahead`), or None."""
    return await fetch_one(
        connection,
        """
        select job.*, account.email, case when job.state = 'waiting' then (
            select count(*) from job other where other.state = 'waiting'
                and (other.priority > job.priority or (other.priority = job.priority and other.job_id < job.job_id))
        ) end as ahead
        from job left join account using (account_id) where job_id = %s
        """,
        (job_id,),
    )


async def look_at(connection: AsyncConnection[Any], job_id: int) -> None:
    """Note that somebody waits for a job that would expire without."""
    await execute(
        connection,
        "update job set looked_at = now() where job_id = %s and gone_after_s is not null and state in ('waiting', 'running')",
        (job_id,),
    )


async def list_jobs(
    connection: AsyncConnection[Any],
    *,
    account_id: int | None,
    states: tuple[str, ...] = (),
    measure_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Row]:
    """Return jobs, the latest first, without their answers: those of an account, or everybody's when that is None."""
    return await fetch_all(
        connection,
        """
        select job_id, kind, arguments, account_id, measure_id, priority, state, run, crashes, worker, progress, doing,
            null::json as first_answers, result, error, deferred_at, begun_at, ended_at, expires_at, email, null as ahead
        from job left join account using (account_id)
        where (%(account_id)s::int is null or account_id = %(account_id)s)
            and (%(measure_id)s::bigint is null or measure_id = %(measure_id)s)
            and (%(before)s::bigint is null or job_id < %(before)s)
            and (%(states)s::text[] = '{}' or state = any(%(states)s))
        order by job_id desc limit %(limit)s offset %(offset)s
        """,
        {"account_id": account_id, "states": list(states), "measure_id": measure_id, "before": before, "limit": limit,
         "offset": offset},
    )  # fmt: skip


async def cancel_job(connection: AsyncConnection[Any], job_id: int) -> bool:
    """End a job that waits or runs, and tell whether it did; the worker hears of it at once and ends the process."""
    async with connection.transaction():
        row = await fetch_one(
            connection,
            """
            update job set state = 'cancelled', ended_at = now() where job_id = %s and state in ('waiting', 'running')
            returning queue_id
            """,
            (job_id,),
        )
        if row is not None:
            await execute(connection, "select procrastinate_cancel_job_v1(%s, true, false)", (row["queue_id"],))
    return row is not None


async def retry_job(connection: AsyncConnection[Any], job_id: int, expires_s: float = DAY_S) -> bool:
    """Let a job that has failed, was cancelled or has expired wait again, and tell whether it does.

    One that has ended well does not, nor one whose key another job has by now.
    """
    async with connection.transaction():
        row = await fetch_one(
            connection,
            """
            update job set state = 'waiting', crashes = 0, progress = 0, doing = '', error = '', why = '', first_answers = null,
                result = null, worker = '', begun_at = null, ended_at = null, looked_at = now(),
                expires_at = now() + make_interval(secs => %(expires_s)s)
            where job_id = %(job_id)s and state in ('failed', 'cancelled', 'expired') and not exists (
                select from job other where other.key = job.key and other.state in ('waiting', 'running')
            ) returning job_id
            """,
            {"job_id": job_id, "expires_s": expires_s},
        )
        if row is not None:
            await enqueue(connection, job_id)
    return row is not None


async def count_jobs(connection: AsyncConnection[Any]) -> dict[str, int]:
    """Return how many jobs there are by state; those that ended are dropped after a month."""
    rows = await fetch_all(connection, "select state, count(*) as jobs from job group by state")
    return {row["state"]: row["jobs"] for row in rows}


async def workers_at_work(connection: AsyncConnection[Any]) -> list[str]:
    """Return the names of the workers that have a job now, in order."""
    rows = await fetch_all(
        connection, "select distinct worker from job where state = 'running' and worker <> '' order by worker"
    )
    return [row["worker"] for row in rows]
