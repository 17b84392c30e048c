"""What a whole circulation plan costs: 3 streets treated, 6 on the boundary, 7 controls, every class, by hour and direction.

    python -m bench.evaluation.plan [--processes 2] [--history-days 425] [--headline] [--json OUT] [--result OUT]

The counts are the simulator's (91 days before the date, 84 after it, all the history before), the answer is what
`POST /api/v1/evaluations` computes for the same questions. Printed: seconds on the clock until each first answer and
until all is there, processor seconds of all processes, and the hash of everything that was answered: no number may change
with the number of processes, or from one version to the next that says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from telstraat_analytics import Evaluation, Measure, Question, evaluate_all
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet, made_up_measure

CLASSES = ("pedestrian", "bike", "car", "heavy")
BEFORE_DAYS, AFTER_DAYS = 91, 84
TREATED, BOUNDARY, CONTROLS = 3, 6, 7
FROM_DAY = date(2025, 9, 1)


def plan(history_days: int, seed: int = 5) -> tuple[pd.DataFrame, Measure]:
    """Return the corrected hours of a simulated town of 16 streets, and the measure that was taken there."""
    settings = FleetSettings(
        sensors=TREATED + BOUNDARY + CONTROLS,
        start=FROM_DAY - timedelta(days=history_days),
        days=history_days + AFTER_DAYS,
        seed=seed,
    )
    town = made_up_fleet(settings).towns
    planted = made_up_measure(town, FROM_DAY, {"car": -0.3, "bike": 0.15}, shifted=0.4)
    frame = made_up_fleet(settings, (planted,)).hourly("corrected")
    names = sorted({*frame["segment"]})
    first = [name for name in (*planted.streets, *planted.shifted_to) if name in names]
    ordered = [*dict.fromkeys([*first, *names])]
    measure = Measure(
        "Circulation plan",
        FROM_DAY,
        tuple(ordered[:TREATED]),
        tuple(ordered[TREATED + BOUNDARY :]),
        boundary=tuple(ordered[TREATED : TREATED + BOUNDARY]),
        timezone="Europe/Brussels",
        before_days=BEFORE_DAYS,
        after_days=AFTER_DAYS,
    )
    return frame, measure


def answered(evaluations: Sequence[Evaluation]) -> str:
    """Return everything that was answered as one text, in which every digit shows."""
    return json.dumps([evaluation.to_dict() for evaluation in evaluations], default=str, sort_keys=True)


def processor_s() -> float:
    """Return the seconds that this process and those it has waited for have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate the plan once, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history-days", type=int, default=425, help="days of counts before the date")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--treated", type=int, default=TREATED, help="evaluate only so many of them, without the boundary"
    )
    parser.add_argument("--headline", action="store_true", help="without the parts")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--result", type=Path, help="write all that was answered here")
    args = parser.parse_args(argv)
    frame, measure = plan(args.history_days)
    if args.treated < TREATED:
        measure = dataclasses.replace(measure, treated=measure.treated[: args.treated], boundary=())
    begun, used = time.perf_counter(), processor_s()
    first: dict[str, float] = {}

    def hear(_share: float, _doing: str, answers: Sequence[Mapping[str, Any]] | None) -> None:
        for answer in answers or ():
            first.setdefault(f"{answer['role']} {answer['question']['what']}", time.perf_counter() - begun)

    evaluations = evaluate_all(
        frame,
        measure,
        [Question(name) for name in CLASSES],
        by=() if args.headline else ("hour", "direction"),
        processes=args.processes,
        hear=hear,
    )
    text = answered(evaluations)
    figures: dict[str, Any] = {
        "seconds": time.perf_counter() - begun,
        "processor_s": processor_s() - used,
        "first_s": first,
        "rows": len(frame),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    if args.result:
        args.result.write_text(text, encoding="utf-8")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
