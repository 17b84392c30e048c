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


class Evaluator:
    """Starts the processes and counts them."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.running = 0

    async def run(self, task: str, content: Any) -> bytes:
        """Return what a process answers to a task; its refusal is an `EvaluationError`."""
        if self.running >= self.settings.evaluations_max:
            raise BusyError(f"{self.running} others are being computed already; try again in a minute")
        self.running += 1
        try:
            return await self._run(task, content)
        finally:
            self.running -= 1

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
