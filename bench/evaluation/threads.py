"""What one evaluation costs a whole process at default settings, with the model on one thread and with it left to the library.

    python -m bench.evaluation.threads [--times 3]

Two years of hours of a street and three controls, all checks. Processor seconds of all threads: the whole process, from
starting Python to the answer, and the evaluation alone. "Left to the library" is how it was before the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import pandas as pd
from bench.evaluation.scale import measured

from telstraat_analytics.model import threads

LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "GOTO_NUM_THREADS")
VARIANTS = ("one thread", "left to the library")


class _Unlimited:
    """Stands where the limit would be, and sets none."""

    def limit(self, **_: object) -> nullcontext[None]:
        return nullcontext()


def child(variant: str) -> None:
    """Evaluate once and print the processor seconds of the evaluation and of this process."""
    if variant == VARIANTS[1]:
        threads._libraries = _Unlimited  # type: ignore[assignment]  # noqa: SLF001
    evaluation = list(measured(1, None))[-1]["seconds"]
    used = os.times()
    print(json.dumps({"evaluation_s": evaluation, "process_s": used.user + used.system}))


def run(variant: str, times: int) -> dict[str, float]:
    """Return the medians over so many processes, in an environment that sets no number of threads."""
    plain = {name: value for name, value in os.environ.items() if name not in LIMITS}
    command = [sys.executable, "-m", "bench.evaluation.threads", "--child", variant]
    rows = [
        json.loads(subprocess.run(command, env=plain, check=True, capture_output=True, text=True).stdout)
        for _ in range(times)
    ]
    return {str(name): float(value) for name, value in pd.DataFrame(rows).median().items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per variant, and how many times less the first costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--child", choices=VARIANTS, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        child(args.child)
        return 0
    lines = pd.DataFrame({variant: run(variant, args.times) for variant in VARIANTS}).T
    lines.loc["times less"] = lines.loc[VARIANTS[1]] / lines.loc[VARIANTS[0]]
    print(f"{os.cpu_count()} cores\n{lines.round(2).to_string()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
