"""The queue that workers take jobs from: procrastinate, with its tables made by our migrations.

It decides who takes which job (`for update skip locked`, by priority), wakes workers by LISTEN/NOTIFY and by looking every now and then,
says which workers live, and passes on that a running job is to be ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from procrastinate import App, JobContext, PsycopgConnector

CONNECTIONS_MAX = 4
LOOK_EVERY_S = 2.0
ALIVE_EVERY_S = 3.0
SILENT_S = 15.0
"""A worker that has not said so long that it lives has gone."""

Taken = Callable[[int, int], Awaitable[None]]
"""Called with the number of a job and of its place in the queue; cancelled when the job is to be ended."""


def queue_app(dsn: str, run: Taken) -> App:
    """Return the queue, not opened yet; `run` is called for every job that is taken from it."""
    options = "-c timezone=UTC -c search_path=public -c jit=off -c statement_timeout=20000"
    connector = PsycopgConnector(
        conninfo=dsn,
        min_size=1,
        max_size=CONNECTIONS_MAX,
        timeout=10,
        kwargs={"application_name": "telstraat jobs", "options": options},
    )
    app = App(connector=connector)

    async def run_job(context: JobContext, job_id: int) -> None:
        await run(job_id, context.job.id or 0)

    app.task(name="run_job", pass_context=True)(run_job)
    return app


async def take_jobs(app: App, kinds: Sequence[str], at_once: int, name: str) -> None:
    """Take jobs of these kinds from an opened queue, so many at once, until cancelled; then wait for those under way."""
    await app.run_worker_async(
        queues=list(kinds),
        name=name,
        concurrency=at_once,
        fetch_job_polling_interval=LOOK_EVERY_S,
        abort_job_polling_interval=LOOK_EVERY_S,
        update_heartbeat_interval=ALIVE_EVERY_S,
        stalled_worker_timeout=SILENT_S,
        delete_jobs="always",
        install_signal_handlers=False,
    )
