"""The panels of the placebo benchmark: real hourly counts per town, and the cases drawn from them.

Every panel becomes one frame of `telstraat_analytics.frames` shape with raw counts, and keeps its time zone and the
local hours that are daylight all year. A town of one's own comes as a CSV of the same columns (see docs/evaluation.md).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

CLASSES = ("pedestrian", "bike", "car", "heavy")
DATA_VARIABLE = "TELSTRAAT_DATA"


@dataclass(frozen=True)
class Panel:
    """One town: hourly raw counts of its sensors, its time zone and its fixed window of local start hours."""

    name: str
    frame: pd.DataFrame
    timezone: str
    hours: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One placebo case: a sensor, a class, a date on which nothing happened, and the controls drawn for it."""

    number: int
    panel: str
    sensor: str
    class_name: str
    date: pd.Timestamp
    pre_days: int
    post_days: int
    controls: tuple[str, ...]


def data_folder(option: str | None) -> Path:
    """Return the folder of shared data: the option, else the environment, else `shared/data` beside the repository."""
    chosen = option or os.environ.get(DATA_VARIABLE) or str(Path(__file__).resolve().parents[3] / "shared" / "data")
    folder = Path(chosen)
    if not folder.is_dir():
        raise SystemExit(f"no folder {folder}: give --data FOLDER or set {DATA_VARIABLE}")
    return folder


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a CSV with columns case, panel, sensor, cls, t0, pre_days, post_days, controls."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [
        Case(
            number=int(row["case"]),
            panel=row["panel"],
            sensor=row["sensor"],
            class_name=row["cls"],
            date=pd.Timestamp(row["t0"]),
            pre_days=int(row["pre_days"]),
            post_days=int(row["post_days"]),
            controls=tuple(name for name in row["controls"].replace(";", " ").replace("|", " ").split() if name),
        )
        for _, row in table.iterrows()
    ]


def read_panels(folder: Path) -> dict[str, Panel]:
    """Return the four towns of the shared data."""
    return {
        "karlsruhe": Panel("karlsruhe", _karlsruhe(folder), "Europe/Berlin", tuple(range(9, 15))),
        "chateaubourg": Panel("chateaubourg", _chateaubourg(folder), "Europe/Paris", tuple(range(9, 16))),
        "montreal": Panel("montreal", _montreal(folder), "America/Toronto", tuple(range(8, 16))),
        "fremont": Panel("fremont", _fremont(folder), "America/Los_Angeles", tuple(range(6, 21))),
    }


def read_own_panel(text: str) -> Panel:
    """Return a panel from `NAME=FILE.csv,ZONE,FIRST-LAST`, e.g. `ours=ours.csv,Europe/Brussels,9-15`.

    The CSV has columns segment, start (ISO, UTC), uptime and corrected counts per class.
    """
    name, _, rest = text.partition("=")
    file, zone, hours = rest.split(",")
    first, last = map(int, hours.split("-"))
    frame = pd.read_csv(file, dtype={"segment": str})
    frame["start"] = pd.to_datetime(frame["start"], utc=True)
    return Panel(name, _raw(frame), zone, tuple(range(first, last + 1)))


def _raw(frame: pd.DataFrame) -> pd.DataFrame:
    keep = ["segment", "start", "uptime", *[name for name in CLASSES if name in frame]]
    out = frame[keep].dropna(subset=["start"]).drop_duplicates(["segment", "start"]).copy()
    out["uptime"] = out["uptime"].astype(float).clip(0, 1)
    for name in CLASSES:
        if name in out:
            out[name] = np.rint(out[name].fillna(0) * out["uptime"])
    return out.sort_values(["segment", "start"]).reset_index(drop=True)


def _karlsruhe(folder: Path) -> pd.DataFrame:
    frame = pd.read_csv(folder / "telraam_karlsruhe" / "karlsruhe_hourly.csv.gz")
    frame["segment"] = "ka_" + frame["segment_id"].astype(str)
    frame["start"] = pd.to_datetime(frame["date"], utc=True)
    return _raw(frame)


def _chateaubourg(folder: Path) -> pd.DataFrame:
    frame = pd.read_csv(folder / "telraam_chateaubourg" / "chateaubourg_hourly.csv.gz")
    frame["segment"] = "ch_" + frame["segment_id"].astype(str)
    frame["start"] = pd.to_datetime(frame["date"], utc=True)
    return _raw(frame)


def _montreal(folder: Path) -> pd.DataFrame:
    parts = []
    for side in ("east", "west"):
        part = pd.read_csv(folder / "telraam_montreal" / f"{side}_60min.csv.gz")
        local = pd.to_datetime(part["Date and Time (Local)"])
        part["start"] = local.dt.tz_localize("America/Toronto", ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
        part["segment"] = f"mtl_{side}"
        part["uptime"] = part["Uptime"].str.extract(r"([0-9.]+)\s*$")[0].astype(float)
        names = {
            "Pedestrian Total": "pedestrian",
            "Bike Total": "bike",
            "Car Total": "car",
            "Large vehicle Total": "heavy",
        }
        parts.append(part.rename(columns=names))
    return _raw(pd.concat(parts, ignore_index=True))


def _fremont(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "fremont_bridge" / "fremont_bridge_hourly.csv.gz").drop_duplicates("Date")
    local = pd.to_datetime(table["Date"], format="%m/%d/%Y %I:%M:%S %p")
    utc = local.dt.tz_localize("America/Los_Angeles", ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    parts = []
    for side in ("west", "east"):
        column = next(name for name in table.columns if f"{side.capitalize()} Sidewalk" in name)
        part = pd.DataFrame({"segment": f"fre_{side}", "start": utc, "uptime": 1.0, "bike": table[column]})
        parts.append(part.dropna())
    return _raw(pd.concat(parts, ignore_index=True))


def thinned(panel: Panel, case: Case, effect: float) -> pd.DataFrame:
    """Return the panel's frame with `effect` (0, -0.1, -0.3) put into the case's sensor and class from its date on.

    Every raw hourly count is thinned binomially, so that the counting noise stays real. Deterministic by case.
    """
    frame = panel.frame
    begin = case.date.tz_localize(panel.timezone).tz_convert("UTC")
    if effect == 0:
        return frame
    hit = ((frame["segment"] == case.sensor) & (frame["start"] >= begin)).to_numpy()
    counts = frame[case.class_name].to_numpy(float).copy()
    rng = np.random.default_rng([case.number, round(-effect * 100)])
    counts[hit] = rng.binomial(counts[hit].astype(int), 1 + effect)
    return frame.assign(**{case.class_name: counts})


def write_json(path: str, content: object) -> None:
    """Write `content` as indented JSON."""
    Path(path).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
