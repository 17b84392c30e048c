"""Files of counts as one data frame, as the analysis takes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telstraat_contract.road_users import COUNT_COLUMNS, COUNTED
from telstraat_store.errors import CountsFileError
from telstraat_store.imports.counts_file import CountsFile, Reading
from telstraat_store.imports.moments import Order, Times
from telstraat_store.imports.numbers import Decimal
from telstraat_store.imports.rows import Refusal, Row

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Vector = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

CountsAre = Literal["corrected", "raw"]
HISTOGRAM_BINS = 25


@dataclass
class CountsRead:
    """What files of counts gave: the frame, what was refused of each file, and what should be said."""

    frame: pd.DataFrame
    refused: dict[Path, list[Refusal]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """Return what a user should be told: how files were read, and what of them was not."""
        out = list(self.notes)
        for path, refusals in self.refused.items():
            first = refusals[0]
            out.append(f"{path.name}: {len(refusals)} lines refused; line {first.number}: {first.reason}")
        return out


def read_counts(
    paths: Sequence[Path],
    timezone: str = "Europe/Brussels",
    *,
    times: Times | None = None,
    dates: Order | None = None,
    decimal: Decimal | None = None,
    counts: CountsAre = "corrected",
) -> pd.DataFrame:
    """Read files of counts into one frame; `read_files` tells what was refused, too.

    Parameters
    ----------
    paths
        CSV, JSON, .xlsx, Parquet or Arrow, plain or gzipped: answers of Telraam's API, exports of its portal, every export of
        Telstraat, or any table with a start and counts (docs/import.md). Without a column of streets a file is one street,
        called as the file is.
    timezone
        IANA zone of times that are local.
    times
        What times without an offset are: ``local`` or ``utc``. Such files are refused without it.
    dates
        Order of dates such as 3/4/2026: ``dmy``, ``mdy``; needed where the file does not prove it.
    decimal
        ``point`` or ``comma``, where the file does not prove it.
    counts
        Whether the counts are ``corrected`` (divided by uptime) or ``raw``, in and out; a file's own word goes first.

    Returns
    -------
    pandas.DataFrame
        As `telstraat_analytics.frames.as_counts` takes it: ``segment``, ``start`` (UTC), ``period_s``, ``uptime``, classes, and
        ``car_speed``, ``v85``, ``instance`` where known. What was not counted is NaN. Rows that stand in two files are taken once.

    Raises
    ------
    CountsFileError
        A file cannot be read as counts, holds no row that can be, or asks a question first.
    """
    return read_files(paths, timezone, times=times, dates=dates, decimal=decimal, counts=counts).frame


def read_files(
    paths: Sequence[Path],
    timezone: str = "Europe/Brussels",
    *,
    times: Times | None = None,
    dates: Order | None = None,
    decimal: Decimal | None = None,
    counts: CountsAre = "corrected",
) -> CountsRead:
    """Read as `read_counts`, and return what was refused and what should be said beside the frame."""
    import pandas as pd

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CountsFileError(f"there is no time zone {timezone!r}; say e.g. Europe/Brussels") from error
    if not paths:
        raise CountsFileError("no file of counts is named")
    result = CountsRead(pd.DataFrame())
    frames = []
    for path in paths:
        reading = Reading(lambda _: zone, times, dates, decimal, are_corrected=counts == "corrected")
        file = CountsFile(path, reading)
        rows, refusals = _sorted_out(file)
        if not rows and refusals:
            raise CountsFileError(f"{path}: no line could be read; line {refusals[0].number}: {refusals[0].reason}")
        result.notes += file.notes
        if refusals:
            result.refused[path] = refusals
        frames.append(_frame_of(rows, counts))
    result.frame = _joined(frames, paths, result)
    return result


def _sorted_out(file: CountsFile) -> tuple[list[Row], list[Refusal]]:
    """Return the rows, each period once, and what is refused; of two that contradict each other the second is."""
    known: dict[tuple[object, ...], Row] = {}
    refusals: list[Refusal] = []
    for row in file.rows():
        if isinstance(row, Refusal):
            refusals.append(row)
            continue
        key = (row.street, row.period_start, row.period_s)
        first = known.setdefault(key, row)
        if first is not row and replace(row, number=first.number) != first:
            reason = f"the same period stands in the file twice; line {first.number} has other values: leave one of the two out"
            refusals.append(Refusal(row.number, reason, f"{row.street} {row.period_start.isoformat()}"))
    return list(known.values()), refusals


def _frame_of(rows: Sequence[Row], counts: CountsAre) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    columns: dict[str, list[object]] = defaultdict(list)
    for row in rows:
        columns["segment"].append(row.street)
        columns["start"].append(row.period_start)
        columns["period_s"].append(row.period_s)
        columns["uptime"].append(row.uptime)
        columns["is_corrected"].append(row.is_corrected)
        columns["v85"].append(row.v85_kmh)
        columns["instance"].append(row.instance or None)
        histogram = row.car_speed if row.car_speed and len(row.car_speed) == HISTOGRAM_BINS else None
        columns["car_speed"].append(histogram and list(histogram))
    out = pd.DataFrame(columns, columns=list(columns) or ["segment", "start", "period_s", "uptime", "is_corrected"])
    out["start"] = pd.to_datetime(out["start"], utc=True)
    sides = np.array([row.counts for row in rows], dtype=float).reshape(len(rows), len(COUNT_COLUMNS))
    totals = np.array([row.totals for row in rows], dtype=float).reshape(len(rows), len(COUNTED))
    factor = _factor(out, counts)
    for place, name in enumerate(COUNT_COLUMNS):
        if not np.isnan(sides[:, place]).all():
            out[name] = sides[:, place] * factor
    for place, name in enumerate(COUNTED):
        total = _total(out["segment"], sides[:, 2 * place], sides[:, 2 * place + 1], totals[:, place])
        if not np.isnan(total).all():
            out[name] = total * factor
    out["uptime"] = out["uptime"].clip(0.0, 1.0)
    counted = [name for name in COUNTED if name in out]
    out = out.dropna(subset=counted, how="all") if counted else out.iloc[:0]  # an empty cell is a gap, not a zero
    empty = [name for name in ("v85", "instance", "car_speed") if name in out and out[name].isna().all()]
    return out.drop(columns=["is_corrected", *empty])


def _factor(frame: pd.DataFrame, counts: CountsAre) -> Vector:
    """Return what makes each row's counts corrected, or raw, as they are wanted."""
    import numpy as np

    uptime = frame["uptime"].to_numpy(float)
    is_corrected = frame["is_corrected"].to_numpy(bool)
    if counts == "raw":
        return np.where(is_corrected, uptime, 1.0)
    return np.where(is_corrected | (uptime <= 0), 1.0, 1.0 / np.where(uptime > 0, uptime, 1.0))


def _total(segments: pd.Series, lft: Vector, rgt: Vector, total: Vector) -> Vector:
    """Return both directions together. A street whose counter knows one direction only has that one."""
    import numpy as np
    import pandas as pd

    both = lft + rgt
    table = pd.DataFrame({"segment": segments.to_numpy(), "lft": lft, "rgt": rgt})
    knows = table.groupby("segment")[["lft", "rgt"]].transform("count")
    both = np.where(knows["rgt"] == 0, lft, np.where(knows["lft"] == 0, rgt, both))
    return np.where(np.isnan(total), both, total)


def _joined(frames: Sequence[pd.DataFrame], paths: Sequence[Path], result: CountsRead) -> pd.DataFrame:
    import pandas as pd

    frame = pd.concat([part for part in frames if len(part)] or frames[:1], ignore_index=True)
    keys = ["segment", "start", "period_s"]
    same = [name for name in frame if name not in {"car_speed", "instance"}]
    differ = frame[~frame.duplicated(same)]
    doubled = differ.duplicated(keys)
    if doubled.any():
        row = differ[doubled].iloc[0]
        result.notes.append(
            f"{int(doubled.sum())} periods stand in two files with different values (first: {row['segment']} at "
            f"{row['start']:%Y-%m-%dT%H:%MZ}); those of the file that is named later were taken"
        )
    if not len(frame):
        raise CountsFileError(f"{paths[0]}: holds no counts")
    return frame.drop_duplicates(keys, keep="last").reset_index(drop=True)
