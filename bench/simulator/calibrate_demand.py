"""Fit the constants of the demand model on real counts, beside those in the code; compare real and simulated variability.

    python -m bench.simulator.calibrate_demand --data DIR [--json]

DIR holds `telraam_chateaubourg` and `fremont_bridge` as the data READMEs describe them. Counts are only read. Three tables:
the shape of the week (refitted, and what stands in `demand_profiles`), single constants, and how much an hour of a V1
varies on real streets and on simulated ones, by the same estimators.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import nnls

from telstraat_firmware_sim.demand import profiles as code
from telstraat_firmware_sim.demand.demand import Demand
from telstraat_firmware_sim.demand.profiles import CLASSES, DAY_KINDS, DAYLIGHT_HOURS, bells
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet
from telstraat_firmware_sim.fleet.towns import made_up_town

FloatArray = npt.NDArray[np.float64]
LEARNT_DAYS = 25
SEEN_HOURS = range(6, 22)
HOURS_MIN = 8
ASSUMED_NIGHT = {22: 0.20, 23: 0.13, 0: 0.08, 1: 0.05, 2: 0.03, 3: 0.03, 4: 0.05, 5: 0.15}
"""Weekday level of the small hours against the daylight mean; V1 is blind then. Weekend: more at 22 to 1, less at 5."""
TABLE_OF_THE_STUDY = {
    "pedestrian": {"vmr": 2.8, "phi": 2.5, "alpha": 0.15, "cv_day": 0.26, "week": 0.23, "ac1": 0.48},
    "bike": {"vmr": 4.3, "phi": 4.1, "alpha": 0.10, "cv_day": 0.22, "week": 0.21, "ac1": 0.56},
    "car": {"vmr": 6.7, "phi": 5.7, "alpha": 0.04, "cv_day": 0.16, "week": 0.11, "ac1": 0.63},
    "heavy": {"vmr": 4.8, "phi": 3.6, "alpha": 0.12, "cv_day": 0.32, "week": 0.26, "ac1": 0.63},
}
"""Medians over about 100 V1 sensors of several towns (design study of 2026)."""
QUARTILES_OF_THE_STUDY = {
    "pedestrian": {"vmr": (2.1, 4.8), "phi": (2.0, 3.7), "alpha": (0.09, 0.20), "cv_day": (0.21, 0.31), "week": (0.14, 0.33)},
    "bike": {"vmr": (2.9, 8.0), "phi": (2.7, 7.5), "alpha": (0.05, 0.24), "cv_day": (0.19, 0.33), "week": (0.14, 0.29)},
    "car": {"vmr": (3.3, 14.0), "phi": (3.0, 8.8), "alpha": (0.03, 0.06), "cv_day": (0.12, 0.20), "week": (0.08, 0.19)},
    "heavy": {"vmr": (2.8, 9.1), "phi": (2.3, 6.0), "alpha": (0.07, 0.21), "cv_day": (0.24, 0.40), "week": (0.18, 0.41)},
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a table: a name, what the data say, what the code says."""

    name: str
    fitted: list[float]
    in_code: list[float]

    def __str__(self) -> str:
        def columns(numbers: list[float]) -> str:
            return " ".join(f"{number:6.2f}" for number in numbers)

        return f"{self.name:<24} {columns(self.fitted)}   |{columns(self.in_code)}"


def chateaubourg(folder: Path) -> pd.DataFrame:
    """Read the hours of 14 V1 segments, local time, without the weeks in which they learnt."""
    rows = pd.read_csv(folder / "telraam_chateaubourg" / "chateaubourg_hourly.csv.gz")
    local = pd.to_datetime(rows["date"], utc=True).dt.tz_convert("Europe/Paris")
    frame = rows[["segment_id", "uptime", *CLASSES, *(f"{c}_{d}" for c in CLASSES for d in ("lft", "rgt"))]].copy()
    frame["at"] = local.dt.tz_localize(None)
    frame = with_calendar(frame)
    age = (frame["day"] - frame.groupby("segment_id")["day"].transform("min")).dt.days
    return pd.DataFrame(frame[age >= LEARNT_DAYS]).reset_index(drop=True)


def fremont(folder: Path) -> pd.DataFrame:
    """Read the hours of the bicycle counter before 2020."""
    rows = pd.read_csv(folder / "fremont_bridge" / "fremont_bridge_hourly.csv.gz").drop_duplicates()
    at = pd.to_datetime(rows["Date"], format="%m/%d/%Y %I:%M:%S %p")
    frame = with_calendar(pd.DataFrame({"at": at, "segment_id": "fremont", "bike": rows.iloc[:, 1]}))
    return pd.DataFrame(frame[(frame["at"].dt.year > 2012) & (frame["at"].dt.year < 2020)])


def with_calendar(frame: pd.DataFrame) -> pd.DataFrame:
    frame["day"] = frame["at"].dt.normalize()
    frame["hour"] = frame["at"].dt.hour
    frame["weekday"] = frame["at"].dt.day_of_week
    frame["kind"] = np.select([frame["weekday"] < 5, frame["weekday"] == 5], DAY_KINDS[:2], DAY_KINDS[2])
    return frame


def hour_bells(hours: FloatArray) -> FloatArray:
    """Return the bells' mean over each hour."""
    return np.asarray(np.mean([bells(hours + minute / 60) for minute in (7.5, 22.5, 37.5, 52.5)], axis=0))


def fit_week(means: pd.Series, night: bool) -> FloatArray:
    """Fit the heights of the bells to mean counts by (kind, hour): (3, bells), daylight mean of the week 1."""
    heights = []
    for kind in DAY_KINDS:
        seen = means[kind]
        known = {int(hour): float(value) for hour, value in seen.items() if not night or int(hour) in SEEN_HOURS}
        if night:
            known |= assumed_night(kind)
        hours, values = np.array(list(known), dtype=float), np.array(list(known.values()))
        heights.append(nnls(hour_bells(hours), values)[0])
    shape = np.array(heights) @ hour_bells(np.array(DAYLIGHT_HOURS, dtype=float)).T
    return np.asarray(np.array(heights) / ((5 * shape[0] + shape[1] + shape[2]).mean() / 7))


def assumed_night(kind: str) -> dict[int, float]:
    if kind == "weekday":
        return dict(ASSUMED_NIGHT)
    return {
        hour: level * (1.6 if hour in (22, 23, 0, 1) else 1.0) if hour != 5 else 0.06
        for hour, level in ASSUMED_NIGHT.items()
    }


def week_lines(town: pd.DataFrame, bridge: pd.DataFrame) -> list[Line]:
    """Refit the shape of the week of every class."""
    lines = []
    for name in CLASSES:
        core = town[town["hour"].between(9, 15) & (town["kind"] == "weekday")].groupby("segment_id")[name].mean()
        share = town[name] / town["segment_id"].map(core)
        grouped = share.groupby([town["segment_id"], town["kind"], town["hour"]]).agg(["mean", "size"])
        means = grouped[grouped["size"] >= HOURS_MIN]["mean"].groupby(["kind", "hour"]).median()
        for kind, fitted, stands in zip(DAY_KINDS, fit_week(means, night=True), code.TOWN_PROFILE[name], strict=True):
            lines.append(Line(f"{name} {kind}", fitted.tolist(), list(stands)))
    heights = fit_week(bridge.groupby(["kind", "hour"])["bike"].mean(), night=False)
    for kind, fitted, stands in zip(DAY_KINDS, heights, code.COMMUTE_PROFILE, strict=True):
        lines.append(Line(f"commute {kind}", fitted.tolist(), list(stands)))
    return lines


def constant_lines(town: pd.DataFrame, bridge: pd.DataFrame, folder: Path) -> list[Line]:
    """Fit tide, season and school holidays."""
    lines = []
    for name in CLASSES:
        by_hour = town[town["kind"] == "weekday"].groupby(["segment_id", "hour"])[[f"{name}_lft", f"{name}_rgt"]].sum()
        share = (by_hour[f"{name}_lft"] / by_hour.sum(axis=1)).unstack("hour")
        tide = (share[[7, 8]].mean(axis=1) - share[[17, 18]].mean(axis=1)) / 2
        lines.append(Line(f"tide {name}", [float(tide.abs().median())], [code.TIDE_SD[name]]))
    daily = bridge.groupby("day")["bike"].sum()
    daily = daily[daily > 50]
    days = pd.DatetimeIndex(daily.index)
    angle = 2 * np.pi * days.day_of_year.to_numpy() / 365.25
    dummies = pd.get_dummies(days.day_of_week).to_numpy(dtype=float)
    fit = np.linalg.lstsq(
        np.column_stack([np.cos(angle), np.sin(angle), dummies]), np.log(daily.to_numpy()), rcond=None
    )[0]
    peak = float(np.arctan2(fit[1], fit[0]) / (2 * np.pi) * 365.25 % 365.25)
    lines.append(Line("season bike, peak day", [float(np.hypot(fit[0], fit[1])), peak], list(code.SEASON["bike"])))
    weather = Demand(made_up_town(1), date(2020, 1, 1), 1461).weather
    for name in CLASSES:
        felt = code.RAIN[name] * weather.wet + code.TEMPERATURE[name] * weather.anomaly_c
        by_day = felt.reshape(-1, 24)[:, 6:20].mean(axis=1)
        lines.append(Line(f"weather of a day {name}", [float(by_day.std())], [code.WEATHER_DAY_SD[name]]))
    lines += school_lines(folder)
    return lines


def school_lines(folder: Path) -> list[Line]:
    """Fit weekdays of school holidays, public holidays and Sundays against the other weekdays of 2022."""
    rows = pd.read_csv(folder / "telraam_chateaubourg" / "two_segments_2022_full.csv.gz", low_memory=False)
    rows = rows[(rows["uptime"] > 0.5) & rows["hour"].between(9, 15)].drop_duplicates(["segment_id", "date"])
    weekday = pd.to_datetime(rows["date"].str[:10]).dt.day_of_week
    public, school = rows["holiday"].astype(bool), rows["vacation"] != "No vacation"
    usual = rows[(weekday < 5) & ~public & ~school]
    groups = {
        "school holiday": (weekday < 5) & school & ~public,
        "public holiday": (weekday < 5) & public,
        "sunday": weekday == 6,
    }
    lines = []
    for name in CLASSES:
        base = usual.groupby(["segment_id", "hour"])[name].mean().rename("usual")
        for label, chosen in groups.items():
            joined = rows[chosen].join(base, on=["segment_id", "hour"])
            stands = [code.SCHOOL_HOLIDAY[name]] if label == "school holiday" else []
            lines.append(Line(f"{label} {name}", [float(joined[name].sum() / joined["usual"].sum())], stands))
    return lines


def variability(hours: pd.DataFrame, name: str) -> dict[str, float]:
    """Measure one sensor's class: raw counts `n` with exposure `u`, expected = profile x week level x exposure.

    vmr: variance / mean within an hour of the week. phi, alpha: Pearson and negative-binomial extra after profile and week
    level. cv_day: spread of the day's level beyond counting. week: robust sd of the change of log level. ac1: correlation of
    neighbouring hours against the plain profile.
    """
    n, u = hours[name].to_numpy(dtype=float), hours["u"].to_numpy(dtype=float)
    _, slot = np.unique(hours["weekday"] * 24 + hours["hour"], return_inverse=True)
    days, day = np.unique(hours["day"].to_numpy(), return_inverse=True)
    weeks, week = np.unique((days - days[0]).astype("timedelta64[D]").astype(int) // 7, return_inverse=True)
    week = week[day]
    profile, level = np.ones(slot.max() + 1), np.ones(len(weeks))
    plain = np.bincount(slot, n) / np.bincount(slot, u)
    for _ in range(20):
        profile = np.bincount(slot, n) / np.maximum(np.bincount(slot, u * level[week]), 1e-9)
        level = np.bincount(week, n) / np.maximum(np.bincount(week, u * profile[slot]), 1e-9)
    mean, flat = np.maximum(u * profile[slot] * level[week], 1e-6), np.maximum(u * plain[slot], 1e-6)
    freedom = max(1, len(n) - len(profile) - len(weeks))
    of_day, of_mean = np.bincount(day, n), np.bincount(day, mean)
    ratio = of_day[of_mean > 5] / of_mean[of_mean > 5]
    log_level = np.log(level[level > 0])
    change = np.diff(log_level)
    return {
        "vmr": vmr(hours, name),
        "phi": float(((n - mean) ** 2 / mean).sum() / freedom),
        "alpha": float(((n - mean) ** 2 * len(n) / freedom - mean).sum() / (mean**2).sum()),
        "cv_day": float(np.sqrt(max(0.0, ratio.var(ddof=1) - (1 / of_mean[of_mean > 5]).mean()))),
        "week": float(1.4826 * np.median(np.abs(change - np.median(change)))),
        "ac1": lag_one((n - flat) / np.sqrt(flat), hours),
    }


def vmr(hours: pd.DataFrame, name: str) -> float:
    grouped = hours.groupby(["weekday", "hour"])[name]
    ratio = (grouped.var() / grouped.mean())[grouped.size() >= HOURS_MIN]
    return float(ratio.median())


def lag_one(residual: FloatArray, hours: pd.DataFrame) -> float:
    at = hours["at"].to_numpy()
    neighbours = np.flatnonzero(np.diff(at) == np.timedelta64(1, "h"))
    return float(np.corrcoef(residual[neighbours], residual[neighbours + 1])[0, 1])


def real_hours(town: pd.DataFrame) -> list[pd.DataFrame]:
    """Return 13 weeks of each real segment that has them, as raw counts."""
    frames = []
    for _, rows in town.sort_values("at").groupby("segment_id"):
        for first in range(0, 400, 91):
            age = (rows["day"] - rows["day"].min()).dt.days
            part = rows[(age >= first) & (age < first + 91) & rows["hour"].between(8, 17)].copy()
            if len(part) < 500 or part["heavy"].sum() == 0:
                continue
            part["u"] = part["uptime"]
            for name in CLASSES:
                part[name] = (part[name] * part["uptime"]).round()
            frames.append(part)
    return frames


def simulated_hours(sensors: int) -> list[pd.DataFrame]:
    """Return 13 weeks of simulated V1 sensors in each of four seasons."""
    frames = []
    for seed, month in enumerate((2, 5, 8, 11)):
        fleet = made_up_fleet(
            FleetSettings(sensors=sensors, start=date(2025, month, 3), days=91, seed=seed, kinds={"v1": 1.0})
        )
        for _, rows in fleet.hourly("raw").groupby("sensor"):
            frame = rows.copy()
            for name in CLASSES:
                frame[name] = frame[f"{name}_lft"] + frame[f"{name}_rgt"]
            frame["at"] = frame["start"].dt.tz_convert("Europe/Brussels").dt.tz_localize(None)
            frame = with_calendar(frame)
            frame["u"] = frame["uptime"]
            frames.append(frame[(frame["u"] >= 0.5) & frame["hour"].between(8, 17)].reset_index(drop=True))
    return frames


def medians(samples: list[pd.DataFrame]) -> dict[str, dict[str, float]]:
    """Return the median of each measure over sensors, by class."""
    table: dict[str, dict[str, float]] = {}
    for name in CLASSES:
        measured = pd.DataFrame([variability(hours, name) for hours in samples if hours[name].mean() >= 2])
        table[name] = {str(key): float(value) for key, value in measured.median().items()}
    return table


def outside(simulated: dict[str, dict[str, float]]) -> list[str]:
    """Return which simulated medians lie outside of the quartiles of the study."""
    return [
        f"{name} {measure}: {simulated[name][measure]:.2f} not in {low:g}..{high:g}"
        for name, bounds in QUARTILES_OF_THE_STUDY.items()
        for measure, (low, high) in bounds.items()
        if not low <= simulated[name][measure] <= high
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the counts")
    parser.add_argument("--sensors", type=int, default=24, help="simulated sensors a season (24)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args()
    town, bridge = chateaubourg(args.data), fremont(args.data)
    lines = [*week_lines(town, bridge), *constant_lines(town, bridge, args.data)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        real, simulated = medians(real_hours(town)), medians(simulated_hours(args.sensors))
    if args.json:
        result: dict[str, Any] = {"constants": [vars(line) for line in lines], "real": real, "simulated": simulated}
        print(json.dumps(result | {"study": TABLE_OF_THE_STUDY, "outside": outside(simulated)}, indent=1))
        return
    print("fitted | in the code")
    print("\n".join(map(str, lines)))
    print("\nmedians over sensors: study / Chateaubourg / simulated V1")
    for name in CLASSES:
        cells = [
            f"{m} {TABLE_OF_THE_STUDY[name][m]:.2f}/{real[name][m]:.2f}/{simulated[name][m]:.2f}"
            for m in simulated[name]
        ]
        print(f"{name:<11}", "  ".join(cells))
    print("\noutside of the study's quartiles:", "; ".join(outside(simulated)) or "nothing")


if __name__ == "__main__":
    main()
