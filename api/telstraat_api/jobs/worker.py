"""A worker: takes jobs from the queue, each into a process of its own, tells how far they are, and keeps what they answer, once.

Several work beside each other, on this machine or others; a worker needs the database's address and nothing else. One that is killed
loses nothing: its jobs are taken up by another after `SILENT_S`. One that is stopped hands back what it has not finished.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from importlib.metadata import version
from typing import Any

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection

from telstraat_api.errors import JobRefusedError
from telstraat_api.jobs.kinds import KINDS
from telstraat_api.jobs.metrics import JobMetrics
from telstraat_api.jobs.running import JobEnding, JobProcess
from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Database, Row
from telstraat_store.errors import TelstraatStoreError, UnavailableError
from telstraat_store.jobs import runs
from telstraat_store.jobs.deferred import count_jobs
from telstraat_store.jobs.queue import SILENT_S, queue_app, take_jobs

log = logging.getLogger("telstraat.jobs")
AWAY = (ConnectorException, UnavailableError, psycopg.Error, OSError)
CHECK_EVERY_S = 2.0
SWEEP_EVERY_S = 5.0
AGAIN_S = 2.0
CRASH_WAIT_S = 5.0
"""Before a job is tried again that broke off; as long again for each time."""


async def open_queue(app: App) -> None:
    """Open the connections of a queue."""
    await app.open_async()


class Worker:
    """Takes jobs until it is stopped."""

    def __init__(self, database: Database, settings: ApiSettings, at_once: int) -> None:
        self.database = database
        self.settings = settings
        self.at_once = at_once
        self.name = f"{socket.gethostname()}/{os.getpid()} {version('telstraat')}"
        self.metrics = JobMetrics()
        self.processes: dict[int, JobProcess] = {}
        self.stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more jobs, and end when those under way have ended or their time is up."""
        self.stopping.set()

    async def run(self) -> None:
        """Work until stopped; waits for a database that is away."""
        sweeping = asyncio.create_task(self._sweep_again_and_again())
        is_away = False
        try:
            while not self.stopping.is_set():
                try:
                    await self._take_jobs()
                    is_away = False
                except AWAY as error:
                    if not is_away:
                        log.warning("waiting for the database: %s", str(error).strip())
                    is_away = True
                await self._pause(AGAIN_S)
        finally:
            sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping

    async def _pause(self, wait_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), wait_s)

    async def _take_jobs(self) -> None:
        """Take jobs until stopped, or until the database goes away."""
        app = queue_app(self.database.dsn, self._run_job)
        try:
            if await self._is_open_before_the_end(app):
                await self._take_from(app)
        finally:
            await app.close_async()

    async def _is_open_before_the_end(self, app: App) -> bool:
        """Open the queue's connections; False when the worker was stopped meanwhile: a database that is away is waited for half a minute."""
        opening = asyncio.create_task(open_queue(app))
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({opening, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                await opening
            return opening.done()
        finally:
            for task in (opening, stopped):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, *AWAY):
                await opening

    async def _take_from(self, app: App) -> None:
        taking = asyncio.create_task(self._take_both(app))
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({taking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            taking.cancel()
            _, late = await asyncio.wait({taking}, timeout=self.settings.job_grace_s)
            if late and self.stopping.is_set():
                for process in list(self.processes.values()):
                    process.hand_back()
            with contextlib.suppress(asyncio.CancelledError):
                await taking

    async def _take_both(self, app: App) -> None:
        """Take jobs of people who evaluate, and uploads in a place of their own: neither waits for the other."""
        uploads = [kind for kind, each in KINDS.items() if each.is_upload]
        others = [kind for kind, each in KINDS.items() if not each.is_upload]
        takings = [
            asyncio.create_task(take_jobs(app, others, self.at_once, self.name)),
            asyncio.create_task(take_jobs(app, uploads, 1, f"{self.name}, uploads")),
        ]
        try:
            await asyncio.gather(*takings)  # raises what one raises, as it is: a database that is away is waited for
        except asyncio.CancelledError:
            await asyncio.gather(*takings, return_exceptions=True)  # each ends what is under way
            raise
        except AWAY:
            for taking in takings:
                taking.cancel()
            await asyncio.gather(*takings, return_exceptions=True)
            raise

    async def _run_job(self, job_id: int, queue_id: int) -> None:
        async with self.database.connection() as connection:
            job = await runs.begin(connection, job_id, queue_id, self.name)
        if job is None:
            return
        log.info("job %s (%s), run %s, begins", job_id, job["kind"], job["run"])
        process = self.processes[job_id] = JobProcess(job, self.settings)

        async def hear(share: float, doing: str, first: bytes | None) -> bool:
            try:
                async with self.database.connection() as connection:
                    return await runs.report(connection, job, share, doing, first)
            except UnavailableError:
                return True  # away for a moment: what is computed meanwhile is not lost by that

        try:
            ending = await process.run(hear, CHECK_EVERY_S)
            await self._end_when_there(process, ending)
        finally:
            process.kill()
            del self.processes[job_id]

    async def _end_when_there(self, process: JobProcess, ending: JobEnding) -> None:
        """Write down how a job has ended, as soon as the database takes it; a worker that stops meanwhile leaves it to others."""
        while True:
            try:
                state = await self._end(process, ending)
            except UnavailableError as error:
                log.warning("job %s has ended and waits for the database: %s", process.job["job_id"], error)
                if self.stopping.is_set():
                    return
                await self._pause(AGAIN_S)
            else:
                self.metrics.ended.labels(process.job["kind"], state).inc()
                log.info(
                    "job %s (%s), run %s: %s", process.job["job_id"], process.job["kind"], process.job["run"], state
                )
                return

    async def _end(self, process: JobProcess, ending: JobEnding) -> str:
        """Write down how a job has ended, and return its state; what another run of it has written by now stays."""
        job = process.job
        try:
            async with self.database.connection() as connection:
                if process.is_handed_back or ending.how == "crashed":
                    crashes_max, is_crash = self.settings.job_crashes_max, not process.is_handed_back
                    wait_s = CRASH_WAIT_S * (job["crashes"] + 1) if is_crash else 0.0
                    is_mine = await runs.hand_back(
                        connection, job, crashes_max=crashes_max, is_crash=is_crash, wait_s=wait_s
                    )
                    return ("broke off" if is_crash else "handed back") if is_mine else "over"
                if ending.how == "refused":
                    return "failed" if await runs.end_badly(connection, job, ending.reason, ending.why) else "over"
                if ending.how == "answered":
                    return "done" if await kept_once(connection, job, ending.answer) else "over"
        except UnavailableError:
            raise
        except JobRefusedError as error:
            reason, why = str(error), error.why
        except TelstraatStoreError as error:
            reason, why = str(error), ""
        except psycopg.Error:  # anything else ends this run, and the sweep counts it as a crash
            log.exception("the answer of job %s (%s) cannot be kept", job["job_id"], job["kind"])
            reason, why = "the answer was computed and could not be kept; the server's log says why", ""
        else:
            return "over"
        async with self.database.connection() as connection:
            return "failed" if await runs.end_badly(connection, job, reason, why) else "over"

    async def _sweep_again_and_again(self) -> None:
        """Look after jobs that nobody waits for or whose worker has gone, and count them for the metrics."""
        there_since = time.monotonic()
        while True:
            try:
                async with self.database.connection() as connection:
                    was_there = time.monotonic() - there_since > SILENT_S
                    swept = await runs.sweep(
                        connection, silent_s=SILENT_S, crashes_max=self.settings.job_crashes_max, was_there=was_there
                    )
                    self.metrics.show(await count_jobs(connection))
            except UnavailableError:
                self.metrics.show(None)
                there_since = time.monotonic()
            else:
                if swept.requeued or swept.failed:
                    log.warning(
                        "took %s jobs from workers that have gone; %s have failed", swept.requeued, swept.failed
                    )
            await asyncio.sleep(SWEEP_EVERY_S)


async def kept_once(connection: AsyncConnection[Any], job: Row, answer: Any) -> bool:
    """Keep the answer of a job and end it, both or neither; false when this run of it is over."""
    keep = KINDS[job["kind"]].keeping()
    async with connection.transaction():
        if not await runs.hold(connection, job):
            return False
        return await runs.end_well(connection, job, answer if keep is None else await keep(connection, job, answer))
