from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from telstraat_analytics import as_counts
from telstraat_store import CountsFileError, read_counts

ROW = {
    "segment_id": 9000001,
    "date": "2025-09-07T21:00:00.000Z",
    "uptime": 0.5,
    "car": 40.0,
    "bike": 2.0,
    "heavy": 0.0,
    "pedestrian": 1.0,
}


def test_an_answer_of_the_api_is_read_as_json_plain_and_zipped(tmp_path: Path) -> None:
    speeds = [0.0] * 24 + [100.0]
    text = json.dumps({"report": [ROW | {"car_speed_hist_0to120plus": speeds}], "status_code": 200})
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(text.replace("T21", "T22").encode()))
    frame = read_counts([tmp_path / "a.json", tmp_path / "b.json.gz"])
    assert frame["segment"].tolist() == ["9000001", "9000001"]
    assert frame["car_speed"].iloc[0] == speeds
    assert as_counts(frame)["car"].tolist() == [20.0, 20.0]


def test_the_same_hour_in_two_files_is_taken_once(tmp_path: Path) -> None:
    pd.DataFrame([ROW]).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame([ROW]).to_csv(tmp_path / "b.csv", index=False)
    assert len(read_counts([tmp_path / "a.csv", tmp_path / "b.csv"])) == 1


def test_the_export_of_the_portal_is_read_in_its_own_zone(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "Installation ID": [7],
            "Date and Time (Local)": ["2025-07-01 10:00"],
            "Car Total": [12],
            "Bike Total": [3],
            "Pedestrian Total": [1],
            "Large vehicle Total": [0],
            "Uptime": ["Good uptime - 0.95"],
        }
    )
    table.to_csv(tmp_path / "portal.csv", index=False)
    frame = read_counts([tmp_path / "portal.csv"], "America/Toronto")
    assert frame["start"].iloc[0] == pd.Timestamp("2025-07-01T14:00Z")
    assert frame["uptime"].iloc[0] == 0.95


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", '{"no": 1}'])
def test_what_is_no_table_of_counts_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / ("x.json" if text.startswith("{") else "x.csv")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CountsFileError, match="x"):
        read_counts([path])
