"""Become another program that dies with its owner.

Run as a script, before anything else of the program: `launch.py OWNER_PID SIGNAL USER -- PROGRAM ARGUMENTS`. On Linux the
kernel sends SIGNAL when the owner's thread ends, however it ends; elsewhere this process stays as a watcher in between.
USER is `uid:gid` or `-`: the signal is asked for after the change of user, because the kernel forgets it then.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
OWNER_GONE = 70
WATCH_S = 0.5


def main(argv: list[str]) -> int:
    """Change user, ask for the signal, and become the program."""
    owner, last_signal, user = int(argv[0]), int(argv[1]), argv[2]
    program = argv[argv.index("--") + 1 :]
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if os.environ.pop("TELSTRAAT_LAUNCH_WATCH", "") or not die_with_owner(last_signal):
        return watch(owner, last_signal, program)
    if os.getppid() == owner:
        os.execvp(program[0], program)  # noqa: S606 - the program takes this process over: no shell, no return
    return OWNER_GONE


def die_with_owner(last_signal: int) -> bool:
    """Ask the kernel for `last_signal` when the owner ends; tell whether it can do that."""
    if os.uname().sysname != "Linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(PR_SET_PDEATHSIG, last_signal, 0, 0, 0) == 0)


def watch(owner: int, last_signal: int, program: list[str]) -> int:
    """Run the program as a child, pass signals on, and send `last_signal` when the owner is gone."""
    child = subprocess.Popen(program)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: child.send_signal(got))
    while child.poll() is None:
        if os.getppid() != owner:
            child.send_signal(last_signal)
            return child.wait()
        time.sleep(WATCH_S)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
