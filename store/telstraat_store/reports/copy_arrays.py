"""Many reports of one stream as rows of PostgreSQL's binary COPY at once: from arrays, a hundredth of what one by one costs.

For whoever has months of reports in arrays and no messages to read. The rows are byte for byte those of `copy_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from telstraat_contract.road_users import CONFIDENCE_COLUMNS, COUNT_COLUMNS, SPEED_BINS
from telstraat_store.reports import copy_rows

_US = 1_000_000


def _sized(name: str, kind: str) -> list[tuple[str, str]]:
    """Return a field behind its length, as COPY wants it."""
    return [(f"{name} length", ">i4"), (name, kind)]


_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *_sized("ordinal", ">i4"),
        *_sized("sensor_id", ">i4"),
        *_sized("epoch_no", ">i2"),
        *_sized("seq", ">i4"),
        *_sized("period_start", ">i8"),
        *_sized("flags", ">i4"),
        *_sized("observed_s", ">i2"),
        *(field for name in (*COUNT_COLUMNS, *CONFIDENCE_COLUMNS) for field in _sized(name, ">i2")),
        *_sized("light", "S1"),
        *((f"speed head {at}", ">i4") for at in range(len(copy_rows.SPEED_HEAD))),
        *(field for at in range(SPEED_BINS) for field in _sized(f"speed {at}", ">i2")),
    ]
)
_LENGTHS = {name: _ROW[name.removesuffix(" length")].itemsize for name in _ROW.names or () if name.endswith(" length")}


@dataclass(frozen=True, kw_only=True)
class ReportArrays:
    """Reports of one sensor's stream, in order of time; the first axis of each is the report."""

    seq: npt.NDArray[np.integer[Any]]
    start_s: npt.NDArray[np.integer[Any]]
    """Start of the quarter, seconds since 1970."""
    flags: npt.NDArray[np.integer[Any]]
    observed_s: npt.NDArray[np.integer[Any]]
    counts: npt.NDArray[np.integer[Any]]
    """(report, column), as `road_users.COUNT_COLUMNS`."""
    confidence: npt.NDArray[np.integer[Any]]
    """(report, class) in percent, as `road_users.CLASSES`; `copy_rows.NO_CONFIDENCE` where none was seen."""
    light: npt.NDArray[np.bytes_]
    """As `copy_rows.LIGHT_LETTERS`."""
    car_speed: npt.NDArray[np.integer[Any]]
    """(report, bin) of 5 km/h."""

    def __len__(self) -> int:
        return len(self.seq)

    def part(self, first: int, end: int) -> ReportArrays:
        """Return some of them."""
        return ReportArrays(**{name: values[first:end] for name, values in vars(self).items()})


def packed(arrays: ReportArrays, sensor_id: int, epoch_no: int) -> bytes:
    """Return the rows for `copy_rows.COPY`, without its header and trailer."""
    rows = np.zeros(len(arrays), dtype=_ROW)
    rows["fields"] = len(copy_rows.STAGED)
    for name, length in _LENGTHS.items():
        rows[name] = length
    rows["ordinal"] = np.arange(len(arrays))
    rows["sensor_id"], rows["epoch_no"] = sensor_id, epoch_no
    rows["seq"], rows["flags"], rows["observed_s"] = arrays.seq, arrays.flags, arrays.observed_s
    rows["period_start"] = (arrays.start_s.astype(np.int64) - copy_rows.EPOCH_2000_S) * _US
    for at, name in enumerate(COUNT_COLUMNS):
        rows[name] = arrays.counts[:, at]
    for at, name in enumerate(CONFIDENCE_COLUMNS):
        rows[name] = arrays.confidence[:, at]
    rows["light"] = arrays.light
    for at, number in enumerate(copy_rows.SPEED_HEAD):
        rows[f"speed head {at}"] = number
    for at in range(SPEED_BINS):
        rows[f"speed {at}"] = arrays.car_speed[:, at]
    return rows.tobytes()
