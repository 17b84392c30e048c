"""The process of one job: what to compute in on stdin, lines of JSON out on stdout: how far it is, then the answer or the reason for none.

Run as `python -m telstraat_api.jobs.process`. The address of the database comes through stdin, never through the arguments. Stdin stays
open for as long as the worker lives: when it closes, whoever waits for this process has gone, and it ends with all that it has started.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import msgspec
import orjson
import psycopg

from telstraat_analytics.errors import AnalysisError
from telstraat_api.errors import JobRefusedError
from telstraat_api.jobs.kinds import KINDS, JobRun
from telstraat_api.settings import ApiSettings
from telstraat_store.errors import TelstraatStoreError, UnavailableError

REPORT_EVERY_S = 0.2
STDIN, BLOCK = 0, 1 << 16
MEGABYTE = 1024 * 1024
FIRST_TO_DIE = 600
OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
TOO_MUCH_MEMORY = "this takes more memory than a job may have on this server (job_memory_mb); ask for less at once"


class Lines:
    """Writes one line of JSON per message; first answers are never left out, of the rest only what is news."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.latest = (-1.0, "")
        self.at = 0.0

    def write(self, message: dict[str, Any]) -> None:
        """Write a message."""
        self.stream.write(orjson.dumps(message, option=OPTIONS, default=str) + b"\n")
        self.stream.flush()

    def report(self, share: float, doing: str, first: Any) -> None:
        """Write how far it is, a few times a second at most."""
        now = time.monotonic()
        if first is None and doing == self.latest[1] and now - self.at < REPORT_EVERY_S:
            return
        self.latest, self.at = (share, doing), now
        self.write({"share": share, "doing": doing, **({} if first is None else {"first": first})})


def end_with_the_worker() -> None:
    """Wait for the worker to go, then end this process and all that it has started."""
    while os.read(STDIN, BLOCK):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def first_line() -> bytes:
    """Return the line that the worker has written; nothing follows it.

    Read without Python's own stdin: its lock would be held while a thread waits there, and forked processes want it when they begin.
    """
    line = b""
    while not line.endswith(b"\n"):
        block = os.read(STDIN, BLOCK)
        if not block:
            raise SystemExit("the worker has gone")
        line += block
    return line


def limit_memory(megabytes: int) -> None:
    """Let this process, and each that it starts, have so much memory of its own; the first to go where the machine runs out."""
    if megabytes:
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * MEGABYTE, megabytes * MEGABYTE))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_DIE), encoding="ascii")


def computed(request: dict[str, Any], lines: Lines) -> dict[str, Any]:
    """Return the last message: the answer, or why there is none."""
    settings = msgspec.convert(request["settings"], ApiSettings, strict=False)
    run = JobRun(request["arguments"], settings, request["processes"], lines.report)
    try:
        return {"answer": KINDS[request["kind"]].computing()(run)}
    except (psycopg.OperationalError, UnavailableError) as error:
        return {"away": str(error).strip()}
    except (AnalysisError, JobRefusedError) as error:
        return {"refused": str(error), "why": error.why}
    except TelstraatStoreError as error:
        return {"refused": str(error), "why": ""}
    except MemoryError:
        return {"refused": TOO_MUCH_MEMORY, "why": "too-much-memory"}


def main() -> int:
    """Compute one job; an error that nobody foresaw goes to stderr, for the log of the worker."""
    # What libraries print must not get between the lines: they get stderr for their stdout.
    with os.fdopen(os.dup(1), "wb") as stream:
        os.dup2(2, 1)
        lines = Lines(stream)
        request = orjson.loads(first_line())
        threading.Thread(target=end_with_the_worker, daemon=True).start()
        limit_memory(request["memory_mb"])
        lines.write(computed(request, lines))
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a thread still waits on stdin, and nothing is left to be put in order
