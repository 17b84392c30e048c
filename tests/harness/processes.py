"""Look at and meddle with processes by their id: alive, family, kill, pause, resume."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def family(pid: int) -> list[int]:
    """Return a process's children and theirs."""
    results: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children = [int(word) for word in (task / "children").read_text().split()]
            for child in children:
                results += [child, *family(child)]
    return results


def kill(pid: int) -> None:
    """End a process as a crash would."""
    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def paused(pid: int) -> Iterator[None]:
    """Hold a process still for a while, then let it go on."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def wait_until(true: Callable[[], object], wait_s: float = 30.0, what: str = "") -> None:
    """Return once `true()` is; fail when it is not in time."""
    end = time.monotonic() + wait_s
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {wait_s:g} s: {what or true}")
        time.sleep(0.05)


def wait_until_gone(pids: list[int], wait_s: float = 30.0) -> None:
    """Return once none of the processes is left; fail with the names of those that are."""
    wait_until(lambda: not any(map(alive, pids)), wait_s, f"processes {pids} gone")
