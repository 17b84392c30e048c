"""Runs what a reader waits for in processes of their own: reports set, pictures, prospects; evaluations themselves are jobs.

A few at once, each for a limited time, ended when the asker goes away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import Any

import orjson

from telstraat_api.errors import BusyError, EvaluationError
from telstraat_api.settings import ApiSettings

log = logging.getLogger("telstraat.api")
REFUSED = 3
WAITING_MAX = 24
"""So many may wait their turn; others are asked to come again."""


class Evaluator:
    """Starts the processes and counts them."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.turn = asyncio.Semaphore(settings.evaluations_max)
        self.waiting = 0

    async def run(self, task: str, content: Any, *, waits: bool = False) -> bytes:
        """Return what a process answers to a task; its refusal is an `EvaluationError`. `waits`: until it is its turn."""
        if self.turn.locked() and (not waits or self.waiting >= WAITING_MAX):
            raise BusyError("others are being computed already; try again in a minute")
        self.waiting += 1
        try:
            await self.turn.acquire()
        finally:
            self.waiting -= 1
        try:
            return await self._run(task, content)
        finally:
            self.turn.release()

    async def _run(self, task: str, content: Any) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "telstraat_api.evaluations.evaluating", task,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self.settings.evaluation_timeout_s):
                answer, log_lines = await process.communicate(orjson.dumps(content))
        except TimeoutError as error:
            raise EvaluationError(f"this took longer than {self.settings.evaluation_timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode == REFUSED:
            raise EvaluationError(answer.decode(errors="replace").strip())
        if process.returncode != 0:
            log.error("%s ended with %s: %s", task, process.returncode, log_lines.decode(errors="replace")[-2000:])
            raise EvaluationError("this broke off; why was written to the server's log")
        return answer
