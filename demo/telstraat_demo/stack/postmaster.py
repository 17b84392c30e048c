"""Whose is the pid in `postmaster.pid`? After a power cut it may be anybody's; a server of ours is stopped, a stranger left alone."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from telstraat_demo.errors import StackError

START_TOLERANCE_S = 30.0  # between the server's own note and the kernel's, which moves when the clock is set
STATUS_LINE = 7  # LOCK_FILE_LINE_PM_STATUS of PostgreSQL's miscadmin.h, there counted from 1
STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class PidFile:
    """What a running server has written into its data folder."""

    path: Path
    pid: int
    data: Path
    started_s: float
    status: str
    """`starting`, `stopping`, `ready`, `standby`; empty while it has not come so far."""

    @property
    def is_ready(self) -> bool:
        """Whether the server takes connections: what `pg_ctl start` waits for, too."""
        return self.status == "ready"


def read_pid_file(data: Path) -> PidFile | None:
    """Return the server's note in `data`, or None when there is none that can be read."""
    path = data / "postmaster.pid"
    try:
        lines = path.read_text().splitlines()
        status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
        return PidFile(path, int(lines[0]), Path(lines[1]), float(lines[2]), status)
    except (FileNotFoundError, IndexError, ValueError):
        return None


def process_started_s(pid: int) -> float | None:
    """Return when the process began, in seconds since 1970; None when there is no such process or no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, StopIteration):
        return None
    if fields[0] == "Z":
        return None
    return float(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def is_server(note: PidFile) -> bool:
    """Tell whether the pid in the note is the server that wrote it: it works in its data folder, since about then."""
    started = process_started_s(note.pid)
    if started is None:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{note.pid}/cwd").readlink() == note.data.resolve()
    return abs(started - note.started_s) < START_TOLERANCE_S


def clear_the_way(data: Path) -> str:
    """End a server that an earlier owner left on `data`, remove a stale note; say what was done, or nothing."""
    note = read_pid_file(data)
    if note is None:
        return ""
    if not is_server(note):
        note.path.unlink(missing_ok=True)
        return f"removed the note of a server that no longer runs (pid {note.pid})"
    for number, wait_s in STEPS:
        with contextlib.suppress(ProcessLookupError):
            os.kill(note.pid, number)
        if _gone_within(note, wait_s):
            return f"stopped a server that an earlier run had left (pid {note.pid})"
    raise StackError(f"a database server (pid {note.pid}) runs on {data} and does not stop: end it, then try again")


def end_orphans(data: Path) -> list[int]:
    """End what a killed server has left at work on `data`; return it. A checkpointer on a busy disk would stay for minutes.

    It ends without finishing: the next server recovers, as after a power cut. What belongs to a running server is left alone.
    """
    note = read_pid_file(data)
    if note is not None and is_server(note):
        return []
    ended = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_ours = (process / "cwd").readlink() == data.resolve()
            if is_ours and (process / "cmdline").read_bytes().startswith(b"postgres:"):
                os.kill(int(process.name), signal.SIGKILL)
                ended.append(int(process.name))
    return ended


def _gone_within(note: PidFile, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if not is_server(note):
            return True
        time.sleep(0.05)
    return False
