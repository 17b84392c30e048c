"""Starts the process of one job, hears how far it is, and ends it: when it has answered, takes too long, or nobody waits any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import orjson

from telstraat_api.jobs.kinds import KINDS
from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Row

log = logging.getLogger("telstraat.jobs")
LINE_MAX = 256 * 1024 * 1024
LOG_MAX = 4000
Ending = Literal["answered", "refused", "crashed", "over"]
Hear = Callable[[float, str, bytes | None], Awaitable[bool]]
"""Called with share, what is being computed and first answers; false when this run of the job is over."""


@dataclass(frozen=True)
class JobEnding:
    """How a process ended: with an answer, with a reason in words, by breaking off, or because nobody waits any more."""

    how: Ending
    answer: Any = None
    reason: str = ""
    why: str = ""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def job_environment() -> dict[str, str]:
    """Return the environment of a job's process: Arrow's own pool would reserve 1 GB of what the job may have, and use none of it."""
    return {"ARROW_DEFAULT_MEMORY_POOL": "system", **os.environ}


class JobProcess:
    """The process of one job."""

    def __init__(self, job: Row, settings: ApiSettings) -> None:
        self.job = job
        self.settings = settings
        self.process: asyncio.subprocess.Process | None = None
        self.is_handed_back = False

    def kill(self) -> None:
        """End the process and what it has started."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def hand_back(self) -> None:
        """End the process; the job is for another worker."""
        self.is_handed_back = True
        self.kill()

    async def run(self, hear: Hear, check_every_s: float) -> JobEnding:
        """Compute, and return how that ended; `hear` is called at least so often."""
        self.process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "telstraat_api.jobs.process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True, limit=LINE_MAX, env=job_environment(),
        )  # fmt: skip
        assert process.stderr is not None, "it has a pipe"
        log_lines = asyncio.create_task(last_of(process.stderr))
        kind = KINDS[self.job["kind"]]
        timeout_s = min(self.settings.job_timeout_s, kind.timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                ending = await self._listen(process, hear, check_every_s)
        except TimeoutError:
            limit = f"this took longer than {timeout_s:g} s, which is as long as a job may take here"
            what = "cut the file into smaller ones" if kind.is_upload else "ask fewer questions at once"
            return JobEnding("refused", reason=f"{limit}; {what}", why="too-long")
        finally:
            self.kill()
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
            text = await log_lines
        if ending.how == "crashed" and not self.is_handed_back:
            log.error("job %s broke off with %s: %s", self.job["job_id"], process.returncode, text)
        return ending

    async def _listen(self, process: asyncio.subprocess.Process, hear: Hear, check_every_s: float) -> JobEnding:
        assert process.stdin is not None, "it has a pipe"
        assert process.stdout is not None, "it has a pipe"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(self._request())
            await process.stdin.drain()
        share, doing = 0.0, ""
        reading = asyncio.ensure_future(process.stdout.readline())
        try:
            while True:
                ready, _ = await asyncio.wait({reading}, timeout=check_every_s)
                line = reading.result() if ready else None
                if line == b"":
                    return JobEnding("crashed")
                spoken = orjson.loads(line) if line else {}
                ending = ending_in(spoken)
                if ending is not None:
                    return ending
                share, doing = spoken.get("share", share), spoken.get("doing", doing)
                first = orjson.dumps(spoken["first"]) if "first" in spoken else None
                if not await hear(share, doing, first):
                    return JobEnding("over")
                if ready:
                    reading = asyncio.ensure_future(process.stdout.readline())
        finally:
            reading.cancel()

    def _request(self) -> bytes:
        settings = self.settings
        request = {
            "kind": self.job["kind"],
            "arguments": self.job["arguments"],
            "settings": msgspec.to_builtins(settings, enc_hook=str),
            "processes": settings.job_processes or cores(),
            "memory_mb": settings.job_memory_mb,
        }
        return orjson.dumps(request) + b"\n"


def ending_in(spoken: dict[str, Any]) -> JobEnding | None:
    """Return the ending that a line tells, or None."""
    if "answer" in spoken:
        return JobEnding("answered", answer=spoken["answer"])
    if "refused" in spoken:
        return JobEnding("refused", reason=spoken["refused"], why=spoken["why"])
    return JobEnding("crashed") if "away" in spoken else None


async def last_of(stream: asyncio.StreamReader) -> str:
    """Return the end of what was written to a stream."""
    text = b""
    while block := await stream.read(LINE_MAX):
        text = (text + block)[-LOG_MAX:]
    return text.decode(errors="replace")
