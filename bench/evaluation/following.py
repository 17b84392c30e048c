"""Looking every week: how often a measure that does nothing is ever claimed, with intervals for all looks and with usual ones.

    python -m bench.evaluation.following [--towns 40] [--effect -0.2]

Simulated towns with seasons, holidays, weather, gaps and sensors; one street each is followed for half a year, a look every
second week.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from datetime import date, timedelta

import numpy as np

from telstraat_analytics import Measure, Question
from telstraat_analytics.designs.monitoring import claim_of, held_at_every_look
from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.frames import as_counts
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet, made_up_measure

CLASSES = ("pedestrian", "bike", "car", "heavy")
BEFORE_DAYS = 140
WEEKS = tuple(range(4, 27, 2))
CONTROLS = 3


def one_town(seed: int, effect: float) -> dict[str, object] | None:
    """Return, for one street of a simulated town, what each look claims."""
    start = date(2023, 1, 2) + timedelta(days=int(np.random.default_rng(seed).integers(730)))
    from_day = start + timedelta(days=BEFORE_DAYS)
    settings = FleetSettings(sensors=5, start=start, days=BEFORE_DAYS + 7 * WEEKS[-1], seed=seed)
    town = made_up_fleet(settings).towns
    planted = made_up_measure(town, from_day, dict.fromkeys(CLASSES, effect), shifted=0.0)
    frame = as_counts(made_up_fleet(settings, (planted,)).hourly("raw"), "raw")
    treated = planted.streets[0]
    others = [name for name in sorted({*frame["segment"]}) if name not in planted.streets]
    whole = Measure("m", from_day, (treated,), tuple(others[:CONTROLS]), timezone="Europe/Brussels", before_days=56)
    question = Question(CLASSES[seed % len(CLASSES)])
    once, every = [], []
    for weeks in WEEKS:
        measure = dataclasses.replace(whole, after_days=7 * weeks)
        answer = answer_for(prepare(frame, measure), treated, measure, question)
        if answer.effect is None:
            return None
        once.append("unclear" if not answer.effect.claimed else "fell" if answer.effect.estimate < 0 else "rose")
        every.append(claim_of(held_at_every_look(answer)))
    return {"seed": seed, "cls": question.what, "once": once, "every": every}


def summary(rows: list[dict[str, object]], name: str) -> dict[str, float]:
    """Return how many streets were ever claimed, claimed at the end, and how often the claim changed."""
    looks = [list(row[name]) for row in rows if isinstance(row[name], list)]  # type: ignore[call-overload]
    ever = [any(verdict != "unclear" for verdict in row) for row in looks]
    changes = [sum(a != b for a, b in itertools.pairwise(row)) for row in looks]
    return {
        "ever_claimed": float(np.mean(ever)),
        "claimed_at_the_end": float(np.mean([row[-1] != "unclear" for row in looks])),
        "changes_a_street": float(np.mean(changes)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--towns", type=int, default=40)
    parser.add_argument("--effect", type=float, default=0.0)
    args = parser.parse_args()
    rows = [row for seed in range(args.towns) if (row := one_town(seed, args.effect)) is not None]
    print(json.dumps({"streets": len(rows), **{name: summary(rows, name) for name in ("once", "every")}}, indent=1))


if __name__ == "__main__":
    main()
