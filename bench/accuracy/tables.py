"""Makes the tables of the simulated streets: errors with intervals that come from drawing the streets again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bench.accuracy.simulated import Row

from telstraat_demo.scoring.score import Clip, LabelledCrossing, Score, pooled, score_clip
from telstraat_device.counting.crossings.crossing import CLASSES, DIRECTIONS, Crossing

DRAWS = 500
STREETS_MIN = 3  # fewer have no interval worth the name
SPEEDS_MIN = 6  # cars of a street; the 85th percentile of fewer says nothing
Figure = Callable[[Sequence[Row]], float]


@cache
def score(row: Row) -> Score:
    """Score one street with the rules of the clips."""
    truth = tuple(
        LabelledCrossing(true["t"], true["class"], true["direction"], None, true["t0"], true["t1"])
        for true in row.truth
    )
    clip = Clip(f"{row.scene} {row.seed}", Path(), ((0, 0), (1, 1)), truth, ())
    return score_clip(clip, [crossing(count) for count in row.counts])


def crossing(count: dict[str, Any]) -> Crossing:
    return Crossing(count["t"], count["class"], count["direction"], count["confidence"], count["speed"])


def interval(rows: Sequence[Row], figure: Figure) -> tuple[float, float, float]:
    """Return a figure of all streets, and 95 % of what it is when as many are drawn from them with putting back."""
    rng = np.random.default_rng(1)
    drawn = [figure([rows[k] for k in rng.integers(0, len(rows), len(rows))]) for _ in range(DRAWS)]
    known = [value for value in drawn if np.isfinite(value)] or [float("nan")]
    low, high = np.percentile(known, [2.5, 97.5])
    return figure(rows), float(low), float(high)


def cell(rows: Sequence[Row], figure: Figure, *, percent: bool = False, signed: bool = False) -> str:
    value, low, high = interval(rows, figure)
    if not np.isfinite(value):
        return "-"
    if len(rows) < STREETS_MIN:
        return ("{:+.0f} %" if signed else "{:.0f} %").format(100 * value) if percent else f"{value:.2f}"
    if percent:
        form = "{:+.0f} % ({:+.0f} to {:+.0f})" if signed else "{:.0f} % ({:.0f} to {:.0f})"
        return form.format(100 * value, 100 * low, 100 * high)
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def f1(rows: Sequence[Row]) -> float:
    return pooled(map(score, rows)).f1


def class_recall(rows: Sequence[Row]) -> float:
    return pooled(map(score, rows)).class_recall


def count_error(rows: Sequence[Row]) -> float:
    """Mean over streets of the absolute error of the total."""
    errors = [abs(len(row.counts) - len(row.truth)) / len(row.truth) for row in rows if row.truth]
    return float(np.mean(errors)) if errors else float("nan")


def v85_error(rows: Sequence[Row]) -> float:
    """Mean over streets of the absolute error of the cars' 85th percentile of speed."""
    errors = [abs(error) for row in rows if (error := v85_of(row)) is not None]
    return float(np.mean(errors)) if errors else float("nan")


def v85_bias(rows: Sequence[Row]) -> float:
    errors = [error for row in rows if (error := v85_of(row)) is not None]
    return float(np.mean(errors)) if errors else float("nan")


@cache
def v85_of(row: Row) -> float | None:
    true = [crossing["speed"] for crossing in row.truth if crossing["class"] == "car"]
    counted = [
        crossing["speed"] for crossing in row.counts if crossing["class"] == "car" and crossing["speed"] is not None
    ]
    if len(true) < SPEEDS_MIN or len(counted) < SPEEDS_MIN:
        return None
    return float(np.percentile(counted, 85) / np.percentile(true, 85)) - 1


@cache
def numbers(row: Row) -> dict[tuple[str, str], tuple[int, int]]:
    """Return how many crossings of each class and direction there were, and how many were counted."""
    true, counted = (
        Counter((crossing["class"], crossing["direction"]) for crossing in some) for some in (row.truth, row.counts)
    )
    return {(name, way): (true[name, way], counted[name, way]) for name in CLASSES for way in DIRECTIONS}


def error_of(class_name: str, direction: str) -> Figure:
    """Make the figure of the error of a count, as a share of the true one, summed over streets."""

    def error(rows: Sequence[Row]) -> float:
        true = sum(numbers(row)[class_name, direction][0] for row in rows)
        return sum(numbers(row)[class_name, direction][1] for row in rows) / true - 1 if true else float("nan")

    return error


def by_scene(rows: Sequence[Row]) -> dict[str, list[Row]]:
    scenes: dict[str, list[Row]] = {}
    for row in rows:
        scenes.setdefault(row.scene.removesuffix("~"), []).append(row)
    return scenes


def simulated_tables(rows: Sequence[Row]) -> str:
    """Return what was reached per scene, and the errors of each class and direction."""
    if not rows:
        return "nothing was counted yet"
    crossings = sum(len(row.truth) for row in rows)
    out = [
        f"{sum(row.hours for row in rows):.2f} street-hours, {len(rows)} streets, {crossings} true crossings.",
        "",
        "| scene | hours | crossings | F1 | count error | direction | right class | V85 error | V85 bias |",
        "| --- | ---: | ---: | --- | --- | --- | --- | --- | --- |",
    ]
    scenes = {**by_scene(rows), "**all**": list(rows)}
    for name, some in scenes.items():
        cells = [
            name,
            f"{sum(row.hours for row in some):.2f}",
            str(sum(len(row.truth) for row in some)),
            cell(some, f1),
            cell(some, count_error, percent=True),
            f"{100 * pooled(map(score, some)).direction_share:.1f} %",
            cell(some, class_recall, percent=True),
            cell(some, v85_error, percent=True),
            cell(some, v85_bias, percent=True, signed=True),
        ]
        out.append("| " + " | ".join(cells) + " |")
    heads = [f"{name} {'→' if direction == 'left_to_right' else '←'}" for name in CLASSES for direction in DIRECTIONS]
    out += ["", "| scene | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    for name, some in scenes.items():
        figures = [error_of(class_name, direction) for class_name in CLASSES for direction in DIRECTIONS]
        cells = [cell(some, figure, percent=True, signed=True) for figure in figures]
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def ablation_table(rows: Sequence[Row]) -> str:
    """Return what each stage is worth, on the streets that every variant has counted."""
    variants = list(dict.fromkeys(row.variant for row in rows))
    streets = [{(row.scene, row.seed) for row in rows if row.variant == variant} for variant in variants]
    common = set.intersection(*streets) if streets else set()
    if not common:
        return "nothing was counted by every variant yet"
    out = [
        f"{len(common)} streets, each counted by every variant.",
        "",
        "| variant | F1 | count error | right class | V85 error |",
        "| --- | --- | --- | --- | --- |",
    ]
    for variant in variants:
        some = [row for row in rows if row.variant == variant and (row.scene, row.seed) in common]
        cells = [
            variant,
            cell(some, f1),
            cell(some, count_error, percent=True),
            cell(some, class_recall, percent=True),
            cell(some, v85_error, percent=True),
        ]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)
