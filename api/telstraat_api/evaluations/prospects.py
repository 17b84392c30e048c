"""What can be said of a measure before it is evaluated: which streets would serve as controls, and what counting would show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import orjson
import pandas as pd

from telstraat_analytics.designs.candidates import Candidate, judged, looked_at
from telstraat_analytics.designs.outlook import outlooks
from telstraat_analytics.designs.series import CONTROLS_MAX
from telstraat_analytics.errors import FrameError
from telstraat_analytics.frames import as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import COUNTS, Question
from telstraat_api.evaluations.evaluating import lines_around, measure_of, read_hours
from telstraat_contract.road_users import CLASSES


def prospects(request: Mapping[str, Any]) -> bytes:
    """Return, as JSON, the treated streets as they are, the candidates with what speaks for and against them, and the outlooks.

    Parameters
    ----------
    request
        `dsn`, `measure` (as `telstraat_api.v1.measure_file.analysed`), `candidates` (numbers of streets as texts), `elsewhere` (those
        on which another measure acts), `today`, `what` (a count), `whole`, `suggest` (whether the good ones stand for controls that
        nobody has chosen yet).
    """
    measure = measure_of(request["measure"])
    looked = looked_at(measure, request["candidates"], date.fromisoformat(request["today"]))
    what = request["what"] if request["what"] in COUNTS else "car"
    frame = counted(request["dsn"], looked, whole=request["whole"])
    lines = lines_around(request["dsn"], looked)
    themselves: list[Candidate] = []
    candidates: list[Candidate] = []
    if not frame.empty and what_is_there(frame, what):
        themselves, candidates = judged(
            frame, looked, Question(what), lines=lines, treated_elsewhere=request["elsewhere"]
        )
    per_day = {
        name: mean_per_day(frame, looked, name) for name in CLASSES if not frame.empty and what_is_there(frame, name)
    }
    ordered = sorted(per_day, key=lambda name: name != what)
    known: dict[str, float] = {name: per_day[name] for name in ordered if per_day[name]}
    good = sum(candidate.is_good for candidate in candidates)
    controls = len(measure.controls) or (min(good, CONTROLS_MAX) if request["suggest"] else 0)
    return orjson.dumps(
        {
            "what": what,
            "treated": [candidate.to_dict() for candidate in themselves],
            "candidates": [candidate.to_dict() for candidate in candidates],
            "outlooks": [outlook.to_dict() for outlook in outlooks(known, len(measure.treated), controls)],
            "first": (looked.date - timedelta(days=looked.before_days)).isoformat(),
            "last": (looked.date + timedelta(days=looked.after_days - 1)).isoformat(),
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def counted(dsn: str, looked: Measure, *, whole: bool) -> pd.DataFrame:
    """Return the hours of some streets in the weeks that are looked at; an empty frame where nothing was counted then."""
    first = pd.Timestamp(looked.date - timedelta(days=looked.before_days), tz=looked.timezone)
    last = pd.Timestamp(looked.date + timedelta(days=looked.after_days), tz=looked.timezone)
    windows = dict.fromkeys(looked.segments, (first.tz_convert("UTC"), last.tz_convert("UTC")))
    try:
        frame = read_hours(dsn, looked, whole=whole, windows=windows)
    except FrameError:
        return pd.DataFrame()
    checked = as_counts(frame, "corrected", timezone=looked.timezone)
    return checked[checked["uptime"] > 0]


def what_is_there(frame: pd.DataFrame, what: str) -> bool:
    """Tell whether a kind of traffic was counted at all."""
    return all(name in frame for name in Question(what).columns)


def mean_per_day(frame: pd.DataFrame, looked: Measure, what: str) -> float:
    """Return the crossings of one class on a day of one treated street, of days that were mostly watched."""
    own = frame[frame["segment"].isin(looked.treated)]
    if own.empty:
        return 0.0
    days = own["start"].dt.tz_convert(looked.timezone).dt.floor("D", ambiguous=True, nonexistent="shift_forward")
    daily = own.groupby([own["segment"], days])[what].agg(["sum", "count"])
    watched = daily[daily["count"] >= daily["count"].median()]
    return float(watched["sum"].mean())
