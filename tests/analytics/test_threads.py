from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from telstraat_analytics.model.threads import one_thread

ROOT = Path(__file__).resolve().parents[2]
EVALUATE = """
import time
from tests.analytics.streets import MEASURE, ZONE, town
from telstraat_analytics import Measure, Question, evaluate
frame = town(1, ("a", "b", "c"), before=400, after=28)
measure = Measure("m", MEASURE, ("a",), ("b", "c"), timezone=ZONE, after_days=28)
all_threads, own = time.process_time(), time.thread_time()
evaluate(frame, measure, Question("car"))
print(time.process_time() - all_threads, time.thread_time() - own)
"""


def blas_threads() -> list[int]:
    return [row["num_threads"] for row in threadpool_info() if row["user_api"] == "blas"]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core no library starts threads")
def test_an_evaluation_keeps_no_other_thread_busy_at_default_settings() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run([sys.executable, "-c", EVALUATE], cwd=ROOT, env=plain, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    all_threads, own = map(float, ran.stdout.split())
    assert all_threads < 1.1 * own, "threads of the linear algebra wait busily"


def test_a_caller_has_its_threads_back_afterwards() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        outside = blas_threads()
        with one_thread():
            assert set(blas_threads()) == {1}
        assert blas_threads() == outside == [2] * len(outside)
