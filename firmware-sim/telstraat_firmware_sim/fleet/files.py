"""Write a fleet beside its truth: who it is, the weather, who passed, what was reported, what was wrong with the sensors."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from telstraat_contract.messages import encode
from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.road_users import columns_of
from telstraat_firmware_sim.demand.profiles import CLASSES
from telstraat_firmware_sim.errors import FleetError
from telstraat_firmware_sim.fleet.fleet import COUNT_COLUMNS, Fleet, SensorTruth, counted_frame, hourly_of, reports_of
from telstraat_firmware_sim.fleet.sensors import LIGHTS

FileFormat = Literal["parquet", "csv"]
Step = Literal["quarter", "hour"]
TRUTH_COLUMNS = tuple(
    f"{what}_{column}"
    for what in ("expected_without", "expected_with", "passed")
    for name in CLASSES
    for column in columns_of(name)
)


@dataclass(frozen=True)
class WrittenFleet:
    """What a fleet became."""

    folder: Path
    sensors: int
    report_rows: int
    crossings: int
    counted: int
    bytes: int


def write_fleet(
    fleet: Fleet,
    folder: Path,
    *,
    file_format: FileFormat = "parquet",
    step: Step = "quarter",
    reports_jsonl: bool = False,
    on_sensor: Callable[[str], None] = lambda _: None,
) -> WrittenFleet:
    """Write `fleet` into a new or empty folder; `on_sensor` hears the name of each sensor that is done."""
    if folder.exists() and any(folder.iterdir()):
        raise FleetError(f"folder {folder} is not empty: give another, a fleet does not mix with an older one")
    folder.mkdir(parents=True, exist_ok=True)
    start_utc = datetime(fleet.start.year, fleet.start.month, fleet.start.day, tzinfo=UTC)
    _write_towns(fleet, folder)
    rows = crossings = counted = 0
    with (
        FleetTable(folder / f"truth.{file_format}") as truths,
        FleetTable(folder / f"reports.{file_format}") as seen,
        (folder / "events.jsonl").open("w", encoding="utf-8") as events,
    ):
        for truth in fleet.truths():
            name = truth.series.sensor.name
            truths.add(truth_frame(truth, start_utc, step))
            frame = report_frame(truth, start_utc) if step == "quarter" else hourly_of(truth, start_utc)
            seen.add(frame)
            for event in truth.series.events:
                events.write(_json(asdict(event)) + "\n")
            if reports_jsonl:
                write_reports(folder / "reports" / f"{name}.jsonl", truth, start_utc, fleet.seed)
            rows += len(frame)
            crossings += int(truth.demand.passed.sum())
            counted += int(truth.series.counts[truth.series.sent].sum())
            on_sensor(name)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return WrittenFleet(folder, len(fleet.names), rows, crossings, counted, size)


def write_reports(path: Path, truth: SensorTruth, start_utc: datetime, seed: int) -> None:
    """Write a sensor's reports as they go on the wire, one a line."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        for report in reports_of(truth, start_utc, seed):
            file.write(encode(report) + b"\n")


def truth_frame(truth: SensorTruth, start_utc: datetime, step: Step = "quarter") -> pd.DataFrame:
    """Return the truth of a sensor's street: expected without and with the measures, and who passed."""
    demand = truth.demand
    parts = (demand.expected_without, demand.expected_with, demand.passed)
    per_row = 1 if step == "quarter" else 4
    values = [part.reshape(-1, per_row, 2 * len(CLASSES)).sum(axis=1) for part in parts]
    frame = pd.DataFrame(np.concatenate(values, axis=1).astype(np.float32), columns=pd.Index(TRUTH_COLUMNS))
    for column in TRUTH_COLUMNS[-2 * len(CLASSES) :]:
        frame[column] = frame[column].astype(np.int32)
    frame.insert(0, "segment", demand.street.name)
    frame.insert(1, "sensor", truth.series.sensor.name)
    frame.insert(
        2, "start", pd.date_range(start_utc, periods=len(frame), freq=timedelta(minutes=15 * per_row), tz="UTC")
    )
    return frame


def report_frame(truth: SensorTruth, start_utc: datetime) -> pd.DataFrame:
    """Return what a sensor reported, a row for each quarter of which there is a report: raw, as in the table."""
    series = truth.series
    sent = np.flatnonzero(series.sent)
    start = pd.date_range(start_utc, periods=len(series.sent), freq="15min", tz="UTC")[sent]
    frame = counted_frame(truth, series.counts[sent].reshape(-1, len(COUNT_COLUMNS)), start)
    frame["motorcycle_lft"] = series.motorcycle[sent, 0]
    frame["motorcycle_rgt"] = series.motorcycle[sent, 1]
    frame["observed_s"] = series.observed_s[sent]
    frame["uptime"] = frame["observed_s"] / QUARTER_S
    frame["flags"] = series.flags[sent]
    frame["light"] = np.array(LIGHTS)[series.light[sent]]
    return frame


class FleetTable:
    """A file that grows by a frame a sensor: a row group of Parquet, or lines of CSV."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Any = None
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, frame: pd.DataFrame) -> None:
        """Append a frame with the columns of the first."""
        if self.path.suffix == ".csv":
            frame.to_csv(self.path, mode="a", header=self._rows == 0, index=False, float_format="%.4g")
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            table = pa.Table.from_pandas(frame, preserve_index=False)
            if self._writer is None:
                self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
            self._writer.write_table(table)
        self._rows += len(frame)


def _write_towns(fleet: Fleet, folder: Path) -> None:
    """Write who the fleet is, and the weather and holidays of its towns."""
    about = {
        "start": fleet.start.isoformat(),
        "days": fleet.days,
        "seed": fleet.seed,
        "towns": [asdict(town) for town in fleet.towns],
        "sensors": {town: [asdict(sensor) for sensor in sensors] for town, sensors in fleet.sensors.items()},
        "measures": [asdict(measure) for measure in fleet.measures],
    }
    (folder / "fleet.json").write_text(_json(about, indent=1) + "\n", encoding="utf-8")
    with (folder / "weather.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["town", "start", "temperature_c", "rain_mm"])
        for town in fleet.towns:
            writer.writerows(_weather_rows(fleet, town.name))
    with (folder / "holidays.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["town", "from", "until", "name"])
        for town in fleet.towns:
            writer.writerows(_holiday_rows(fleet, town.name))


def _weather_rows(fleet: Fleet, town: str) -> Iterator[tuple[str, str, float, float]]:
    demand = fleet.demand(town)
    for hour, (temperature, rain) in enumerate(zip(demand.weather.temperature_c, demand.weather.rain_mm, strict=True)):
        at = demand.calendar.start_utc + timedelta(hours=hour)
        yield town, at.isoformat(), float(temperature), float(rain)


def _holiday_rows(fleet: Fleet, town: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield runs of days with the same name, the last day included."""
    listed = fleet.demand(town).calendar.holidays
    breaks = [at for at, (a, b) in enumerate(pairwise(listed), 1) if b[1] != a[1] or b[0] - a[0] != timedelta(days=1)]
    for first, end in pairwise([0, *breaks, len(listed)]):
        if end > first:
            yield town, listed[first][0].isoformat(), listed[end - 1][0].isoformat(), listed[first][1]


def _json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=lambda item: item.isoformat())
