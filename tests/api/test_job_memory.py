"""What a job may have of memory is for its work: no library reserves a part of it in advance."""

from __future__ import annotations

import subprocess
import sys

from telstraat_api.jobs.running import job_environment

READS = """
import pandas as pd
from telstraat_api.evaluations import computing

frame = pd.DataFrame({"segment": [f"{number % 12}" for number in range(50_000)]})
frame = frame.assign(segment=frame["segment"].astype(str)).sort_values("segment")
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData")))
"""


def test_texts_in_frames_reserve_no_memory_in_advance() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READS], env=job_environment(), capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 700_000, "kilobytes of data; 1.3 million with Arrow's own pool"
