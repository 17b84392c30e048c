"""E10: the screen is ours. Whatever the counts are, a user reads our sentences: no warning of a library, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town

CLASSES = ["pedestrian", "bike", "car", "heavy"]
DRIVER = """
import sys
from pathlib import Path
from telstraat_cli.main import main
command, ending, options = sys.argv[1], sys.argv[2], sys.argv[3:]
for path in sorted(Path.cwd().glob("*." + ending)):
    print("case", path.stem, file=sys.stderr, flush=True)
    code = main([command, path.name, *options])
    print("code", code, file=sys.stderr, flush=True)
"""
SHOWN = ("RuntimeWarning", "FutureWarning", "UserWarning")
"""What Python shows to users, here each time and not only the first."""

Change = Callable[[pd.DataFrame], pd.DataFrame]


def where(column: str, value: float, rows: Callable[[pd.DataFrame], pd.Series] | None = None) -> Change:
    """Write a value into a column, or into all classes, of some rows."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        out = frame.copy()
        chosen = rows(frame) if rows else pd.Series(data=True, index=frame.index)
        for name in CLASSES if column == "all" else [column]:
            out[name] = out[name].mask(chosen, value)
        return out

    return change


def after_the_date(frame: pd.DataFrame) -> pd.Series:
    return frame["start"] >= pd.Timestamp(MEASURE, tz=ZONE)


def with_speeds(histogram: list[int]) -> Change:
    return lambda frame: frame.assign(car_speed_hist_0to120plus=json.dumps(histogram))


CASES: dict[str, Change] = {
    "as_it_should_be": lambda frame: frame,
    "a_class_without_values": where("heavy", np.nan),
    "two_classes_that_are_absent": lambda frame: frame.drop(columns=["heavy", "pedestrian"]),
    "a_class_that_one_street_lacks": where("car", np.nan, lambda frame: frame["segment"] == "b"),
    "cells_that_are_empty": where("bike", np.nan, lambda frame: frame.index.to_series() % 3 == 0),
    "nothing_but_empty_cells": where("all", np.nan),
    "one_row": lambda frame: frame.iloc[:1],
    "one_day": lambda frame: frame[frame["start"].dt.date == frame["start"].dt.date.iloc[0]],
    "two_days_on_either_side": lambda frame: frame[
        (frame["start"] - pd.Timestamp(MEASURE, tz=ZONE)).abs() < pd.Timedelta(days=2)
    ],
    "one_hour_of_the_day": lambda frame: frame[frame["start"].dt.tz_convert(ZONE).dt.hour == 8],
    "weekends_only": lambda frame: frame[frame["start"].dt.day_of_week >= 5],
    "all_zero": where("all", 0.0),
    "zero_before": where("all", 0.0, lambda frame: ~after_the_date(frame)),
    "zero_after": where("all", 0.0, after_the_date),
    "one_car_ever": lambda frame: where("car", 1.0, lambda item: item.index.to_series() == 50)(
        where("all", 0.0)(frame)
    ),
    "always_the_same": where("all", 10.0),
    "as_many_as_may_be": where("all", 1e6),
    "more_than_may_be": where("car", 1e300),
    "nobody_looked": where("uptime", 0.0),
    "hardly_anybody_looked": where("uptime", 1e-9),
    "blind_by_night": lambda frame: where("all", 0.0)(frame).assign(night=5.0),
    "one_way_only": lambda frame: frame.assign(car_lft=0.0, car_rgt=frame["car"]),
    "no_speed_at_all": with_speeds([0] * 25),
    "one_speed_only": with_speeds([0] * 24 + [100]),
}
MEASURE_FILE = """
[measure]
name = "Scheme"
date = {date}
treated = ["a"]
controls = ["b"]
before_days = 49
after_days = 21
[question]
what = ["car", "bike"]
hours = [8, 9, 10]
[data]
files = ["{name}.csv"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case as a file of counts and a measure."""
    out = tmp_path_factory.mktemp("degenerate")
    frame = town(5, ("a", "b"), before=49, after=21)
    for name, change in CASES.items():
        changed = change(frame)
        changed.assign(start=changed["start"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(
            out / f"{name}.csv", index=False
        )
        (out / f"{name}.toml").write_text(MEASURE_FILE.format(date=MEASURE, name=name), encoding="utf-8")
    return out


@pytest.mark.parametrize(
    ("command", "ending", "options"),
    [
        ("describe", "csv", ["--language", "fr"]),
        ("evaluate", "toml", []),
        ("evaluate", "toml", ["--what", "bike_share"]),
        ("follow", "toml", []),
    ],
)
def test_whatever_the_counts_are_only_our_own_sentences_reach_the_screen(
    folder: Path, command: str, ending: str, options: list[str]
) -> None:
    flags = [flag for name in SHOWN for flag in ("-W", f"always::{name}")]
    environment = {**os.environ, "COLUMNS": "400"}
    environment.pop("TELSTRAAT_DSN", None)
    done = subprocess.run(
        [sys.executable, *flags, "-c", DRIVER, command, ending, *options],
        capture_output=True, text=True, cwd=folder, env=environment, check=False,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    strange = [line for line in lines if not line.startswith(("case ", "code ", f"telstraat {command}: "))]
    assert strange == [], done.stderr[-3000:]
    assert done.returncode == 0
    assert [line.removeprefix("case ") for line in lines if line.startswith("case ")] == sorted(CASES)
    assert {line for line in lines if line.startswith("code ")} <= {"code 0", "code 1", "code 2"}
    for word in ("nan", "inf", "Traceback"):
        assert word not in done.stdout.split(), word
