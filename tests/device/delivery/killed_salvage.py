"""A program that salvages a damaged folder again and again, killed before each of its steps in turn; prints what came of it.

    python -m tests.device.delivery.killed_salvage FOLDER

A step is a call into the system or into SQLite. After each kill comes a start that is killed too, at another step, and then
one that is not: its reports, losses and alarms are compared with those of a salvage that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from telstraat_device.delivery.outbox import Outbox

STEPS = {"open", "pwrite", "write", "fsync", "fdatasync", "rename", "replace", "unlink", "mkdir", "connect", "execute"}
EVERY_STATEMENT = 40  # of the statements only one in so many: each report is one


class Killer:
    """Ends the process, as a power cut would, before a step."""

    def __init__(self, last: int) -> None:
        self.left = last
        self.statements = 0

    def __call__(self, _frame: FrameType, event: str, called: Any) -> None:
        """Count a call; profile functions are told of each."""
        name = getattr(called, "__name__", "")
        if event != "c_call" or name not in STEPS:
            return
        if name == "replace" and called.__module__ != "posix":
            return  # of texts
        if name == "execute":
            self.statements += 1
            if self.statements % EVERY_STATEMENT:
                return
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def start(folder: Path, last: int) -> bool:
    """Start on a folder in a process that is killed after so many steps; tell whether it came to its end."""
    child = os.fork()
    if child == 0:
        sys.setprofile(Killer(last))
        Outbox(folder, "elm-1").begin()
        sys.setprofile(None)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def outcome(folder: Path) -> dict[str, Any]:
    """Return what an undisturbed start finds."""
    with closing(Outbox(folder, "elm-1")) as outbox:
        state, held, _ = outbox.begin()
        return {
            "waiting": [[row.epoch, row.seq, row.payload.decode()] for row in outbox.waiting(9999)],
            "lost": [[stream.epoch, stream.lost] for stream in outbox.streams()[:-1]],
            "open": [quarter.start_s for quarter in state.open],
            "held": len(held),
            "alarms": sorted(set(outbox.alarms)),
        }


def main(damaged: Path) -> None:
    """Try every step."""
    folder = damaged.with_name("tried")
    shutil.copytree(damaged, folder)
    truth, different, step = outcome(folder), [], 0
    while True:
        shutil.rmtree(folder)
        shutil.copytree(damaged, folder)
        if start(folder, step):
            break
        start(folder, step * 7 % 31)
        if outcome(folder) != truth:
            different.append(step)
        step += 1
    print(
        json.dumps({"steps": step, "different": different, "waiting": len(truth["waiting"]), "alarms": truth["alarms"]})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
