"""From files of counts, as a town has them, to a plan, a description and an evaluation in parts: no server, no network."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from telstraat_analytics import Measure, Question, as_counts, evaluate, monitor, plan
from telstraat_analytics.describe import compare_streets, rush_hours, through_traffic
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.following import week_sentences
from telstraat_analytics.report.write import html
from telstraat_store import read_counts

ZONE, DATE = "Europe/Brussels", dt.date(2025, 9, 22)
RUSH = {8: 2.0, 17: 2.2}
LINES = {"1001": ((4.700, 50.879), (4.705, 50.880)), "1002": ((4.705, 50.880), (4.711, 50.878))}


def telraam_file(folder: Path, segment: str, change: float, seed: int) -> None:
    """Write a file as the Telraam API answers: UTC, counts divided by uptime; from the date on, cars change at 8 o'clock."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2025-06-23", periods=150 * 24, freq="h", tz=ZONE)
    hours = hours[(hours.hour >= 7) & (hours.hour < 20)]
    after = (hours >= pd.Timestamp(DATE, tz=ZONE)) & (hours.hour == 8)
    mean = 60 * np.array([RUSH.get(hour, 1.0) for hour in hours.hour]) * np.where(after, 1 + change, 1.0)
    there, back = rng.poisson(0.6 * mean), rng.poisson(0.4 * mean)
    table = pd.DataFrame({"segment_id": segment, "date": hours.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")})
    table["uptime"], table["car"], table["car_lft"], table["car_rgt"] = 1.0, there + back, there, back
    table.assign(
        pedestrian=rng.poisson(20, len(table)), bike=rng.poisson(30, len(table)), heavy=rng.poisson(5, len(table))
    ).to_csv(folder / f"{segment}.csv", index=False)


def main() -> None:
    """Plan, describe, evaluate, follow."""
    print(plan("car", -0.3, per_day=800, controls=2, sensors=(1, 2), weeks=(4, 8)).sentence("nl"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, (segment, change) in enumerate({"1001": -0.7, "1002": 0.0, "1003": 0.0}.items()):
            telraam_file(folder, segment, change, seed)
        frame = read_counts(sorted(folder.glob("*.csv")), ZONE)
    raw = as_counts(frame)
    print("busiest:", rush_hours(raw, "1002", ZONE)["evening"])
    beside = compare_streets(raw, ["1001", "1002"], ZONE)
    assert beside is not None
    print(beside.table.round(1).to_string())
    print("through traffic:", [one for one in through_traffic(raw, "1001", "1002", ZONE) if one.hint])
    measure = Measure(
        "School street",
        DATE,
        ("1001",),
        ("1002", "1003"),
        timezone=ZONE,
        after_days=56,
        names={"1001": "Station Street"},
    )
    answer = evaluate(frame, measure, Question("car", hours=(7, 8, 9)), by=("hour", "direction"))
    print(answer.sentence("en"))
    for parts in answer.parts:
        print(parts.by, {part.key: round(part.effect.estimate, 2) for part in parts.parts if part.effect})
    page = html(evaluation_content([answer], "en", lines=LINES, source="an example, CC0"))
    print("page of", len(page), "characters, against what was expected")
    [followed] = monitor(frame, measure, Question("car", hours=(8,)), weeks=(4, 8))
    print(*week_sentences(followed, measure, Question("car"), "en"), followed.state)


if __name__ == "__main__":
    main()
