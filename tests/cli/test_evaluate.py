from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.analytics.streets import MEASURE, town

from telstraat_cli.main import main

FILE = """
[measure]
name = "Scheme"
date = {date}
treated = ["a"]
controls = ["b", "c"]
after_days = 28
[question]
what = ["car"]
hours = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
[data]
files = ["*.csv"]
"""


@pytest.fixture
def measure(tmp_path: Path) -> Path:
    town(71, ("a", "b", "c"), before=70, after=35, effects={"a": {"car": -0.5}}).to_csv(
        tmp_path / "counts.csv", index=False
    )
    path = tmp_path / "m.toml"
    path.write_text(FILE.format(date=MEASURE.isoformat()), encoding="utf-8")
    return path


def test_files_are_evaluated_without_a_server_and_the_report_is_written(
    measure: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(measure), "--out", str(measure.parent / "out" / "report"), "--language", "nl"]) == 0
    printed = capsys.readouterr().out
    assert "Het autoverkeer in a, 8 tot 19 uur, " in printed
    assert " daalde met " in printed
    written = measure.parent / "out"
    assert {path.name for path in written.iterdir()} == {"report.html", "report.pdf", "report.json"}
    plain = json.loads((written / "report.json").read_text(encoding="utf-8"))
    assert plain["evaluations"][0]["effect"]["high"] < 0


def test_a_mistake_is_told_in_one_line(measure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(measure.parent / "none.toml")]) == 2
    assert main(["evaluate", str(measure), "--hours", "x"]) == 2
    errors = capsys.readouterr().err
    assert "cannot be read" in errors
    assert "write FIRST-LAST" in errors


def test_a_plan_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--what", "car", "--sensors", "1", "--weeks", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plans"][0]["table"][0]["weeks"] == 4


def test_streets_are_described_from_files_and_the_report_is_written(
    measure: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = measure.parent / "counts.csv"
    out = measure.parent / "streets"
    assert (
        main(["describe", str(counts), "--segment", "a", "--segment", "b", "--language", "fr", "--out", str(out)]) == 0
    )
    printed = capsys.readouterr().out
    assert "Dans a, " in printed
    assert "Les rues côte à côte" in printed
    assert {path.suffix for path in measure.parent.glob("streets.*")} == {".html", ".pdf", ".json"}
    assert main(["describe", str(counts), "--segment", "zz"]) == 2
    assert "the counts hold a, b, c" in capsys.readouterr().err


def test_a_measure_is_followed_from_files(measure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["follow", str(measure), "--language", "nl"]) == 0
    printed = capsys.readouterr().out
    assert "Het autoverkeer in a, 7 tot 20 uur: " in printed
    assert "minder dan verwacht" in printed


def test_a_key_that_nothing_reads_is_refused_with_the_one_that_was_meant(
    measure: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure.write_text(
        measure.read_text(encoding="utf-8").replace("[data]", '[data]\nlicense = "CC0"'), encoding="utf-8"
    )
    assert main(["evaluate", str(measure)]) == 2
    assert "did you mean 'licence'?" in capsys.readouterr().err


def test_a_street_that_is_not_in_the_counts_is_told_and_not_passed_over(
    measure: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = measure.read_text(encoding="utf-8")
    measure.write_text(text.replace('controls = ["b", "c"]', 'controls = ["b", "cc"]'), encoding="utf-8")
    assert main(["evaluate", str(measure)]) == 0
    output = capsys.readouterr()
    assert "'cc' is not in the counts; did you mean 'c'?" in output.err
    assert "Used, of 2 that were named: b." in output.out
    measure.write_text(text.replace('treated = ["a"]', 'treated = ["x"]'), encoding="utf-8")
    assert main(["evaluate", str(measure)]) == 2
    assert "they hold a, b, c" in capsys.readouterr().err
