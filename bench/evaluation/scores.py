"""Scores of the placebo benchmark: bias, error, coverage, false positives, power, width, with bootstrap over series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]
BOOTSTRAP_ROUNDS = 1000


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` (estimator, case, series, cls, truth, effect, low, high) with the score columns added."""
    out = rows.copy()
    out["log_error"] = np.log1p(out["effect"].clip(lower=-0.999)) - np.log1p(out["truth"])
    out["error_points"] = 100 * (out["effect"] - out["truth"]).abs()
    out["covered"] = (out["low"] <= out["truth"]) & (out["truth"] <= out["high"])
    out["below_zero"] = out["high"] < 0
    out["claimed"] = (out["high"] < 0) | (out["low"] > 0)
    out["width"] = 100 * (out["high"] - out["low"])
    return out


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Return the line of one estimator: what the published tables show, and its power were it honest (`se_x` wider)."""
    at = dict(list(rows.groupby(rows["truth"].round(2))))
    zero = at[0.0]
    line: dict[str, float] = {
        "cases": len(zero),
        "bias": 100 * zero["log_error"].mean(),
        "rmse": 100 * float(np.sqrt((zero["log_error"] ** 2).mean())),
        "median_error": zero["error_points"].median(),
        "false_positives": 100 * zero["claimed"].mean(),
        "width": zero["width"].median(),
        "se_x": se_factor(zero),
    }
    for truth, part in sorted(at.items(), reverse=True):
        line[f"coverage_{round(-100 * truth)}"] = 100 * part["covered"].mean()
        if truth < 0:
            line[f"power_{round(-100 * truth)}"] = 100 * part["below_zero"].mean()
            middle = np.log1p(part["effect"].clip(lower=-0.999))
            honest = middle + line["se_x"] * (np.log1p(part["high"]) - middle)
            line[f"honest_{round(-100 * truth)}"] = 100 * (honest < 0).mean()
    return line


def se_factor(zero: pd.DataFrame) -> float:
    """Return the factor by which the intervals at zero effect would have to grow for 95 % coverage."""
    low, high = np.log1p(zero["low"].clip(lower=-0.999)), np.log1p(zero["high"])
    middle = np.log1p(zero["effect"].clip(lower=-0.999))
    half = np.where(middle > 0, middle - low, high - middle)
    return float(np.quantile(np.abs(middle) / np.maximum(half, 1e-9), 0.95))


def bootstrap(rows: pd.DataFrame, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return 95 % intervals of the summary from drawing whole series (sensor and class) with replacement."""
    rng = np.random.default_rng(seed)
    columns = {
        name: rows[name].to_numpy() for name in ("log_error", "error_points", "claimed", "covered", "below_zero")
    }
    truth = rows["truth"].round(2).to_numpy()
    parts = [np.flatnonzero(rows["series"].to_numpy() == name) for name in rows["series"].unique()]
    lines = []
    for _ in range(BOOTSTRAP_ROUNDS):
        drawn = np.concatenate([parts[at] for at in rng.integers(0, len(parts), len(parts))])
        lines.append(quick(truth[drawn], {name: values[drawn] for name, values in columns.items()}))
    table = pd.DataFrame(lines)
    return {str(name): (float(table[name].quantile(0.025)), float(table[name].quantile(0.975))) for name in table}


def quick(truth: Array, columns: Mapping[str, Array]) -> dict[str, float]:
    """Return the rates and errors that the bootstrap follows."""
    zero = truth == 0.0
    error = columns["log_error"][zero]
    line = {
        "bias": 100 * float(error.mean()),
        "rmse": 100 * float(np.sqrt((error**2).mean())),
        "median_error": float(np.median(columns["error_points"][zero])),
        "false_positives": 100 * float(columns["claimed"][zero].mean()),
    }
    for group in np.unique(truth):
        at = truth == group
        line[f"coverage_{round(-100 * group)}"] = 100 * float(columns["covered"][at].mean())
        if group < 0:
            line[f"power_{round(-100 * group)}"] = 100 * float(columns["below_zero"][at].mean())
    return line


def table(rows: pd.DataFrame, by: Callable[[pd.DataFrame], pd.Series] | None = None) -> pd.DataFrame:
    """Return one line per estimator, or per estimator and group."""
    groups = [rows["estimator"]] if by is None else [rows["estimator"], by(rows)]
    lines = {key: summary(part) for key, part in rows.groupby(groups, sort=False)}
    out = pd.DataFrame(lines).T
    out.index = [key[0] if len(key) == 1 else " | ".join(map(str, key)) for key in lines]
    return out
