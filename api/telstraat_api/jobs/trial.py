"""A job that shows whether workers work: it takes as long and as much memory as it is told, and says how far it is."""

from __future__ import annotations

import os
import time
from typing import Any

from telstraat_api.errors import JobRefusedError
from telstraat_api.jobs.kinds import JobRun
from telstraat_contract.languages import gettext_noop

MEGABYTE = 1024 * 1024
STEP_S = 0.05


def trial(run: JobRun) -> dict[str, Any]:
    """Wait for `seconds`, with so many `megabytes` in hand, and answer who computed it; `refuse` is said instead of an answer."""
    seconds, begun = float(run.arguments.get("seconds", 0)), time.monotonic()
    filled = bytearray(int(run.arguments.get("megabytes", 0)) * MEGABYTE)
    while (passed := time.monotonic() - begun) < seconds:
        run.report(passed / seconds, gettext_noop("Trying whether workers work"), {"seconds": round(passed, 1)})
        time.sleep(STEP_S)
    if run.arguments.get("refuse"):
        raise JobRefusedError(str(run.arguments["refuse"]))
    return {"process": os.getpid(), "megabytes": len(filled) // MEGABYTE, "processes": run.processes}
