"""What docs/evaluation.md tells a newcomer to do, done as it stands there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from tests.analytics.streets import town

from telstraat_analytics import read_measure
from telstraat_cli.commands.evaluate import KEYS
from telstraat_cli.main import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
FILES = [textwrap.dedent(value) for value in re.findall(r"^ *```toml\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)]


def test_the_first_evaluation_works_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = town(71, ("9000001", "9000002", "9000003"), after=60, effects={"9000001": {"car": -0.5}})
    frame["start"] = frame["start"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    (tmp_path / "counts").mkdir()
    for segment, rows in frame.rename(columns={"segment": "segment_id", "start": "date"}).groupby("segment_id"):
        rows.to_csv(tmp_path / "counts" / f"{segment}.csv", index=False)
    (tmp_path / "measure.toml").write_text(FILES[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "measure.toml", "--out", "report"]) == 0
    output = capsys.readouterr()
    assert "Car traffic in Station Street, " in output.out
    assert " fell by " in output.out
    assert "Counts: Telraam, Town of Example, CC BY-NC" in output.out
    assert output.err == ""
    assert {path.name for path in tmp_path.glob("report.*")} == {"report.html", "report.pdf", "report.json"}


def test_the_file_with_everything_is_read_and_names_every_key(tmp_path: Path) -> None:
    path = tmp_path / "measure.toml"
    path.write_text(FILES[1], encoding="utf-8")
    measure, tables = read_measure(path)
    assert measure.boundary
    assert {table: set(content) for table, content in tables.items()} == {
        name: set(keys) for name, keys in KEYS.items()
    }
