"""The same measure from files and from a live database gives the same numbers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.streets import QUARTER, add_reports, add_segment, add_sensor

from telstraat_analytics import Measure
from telstraat_analytics.errors import FrameError
from telstraat_api.evaluations.evaluating import read_hours
from telstraat_cli.main import main
from telstraat_store import places
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.imports.writing import Source, import_file

NAMES = ("9000000001", "9000000002", "9000000003")
FILE = f"""
[measure]
name = "Scheme"
date = {MEASURE.isoformat()}
treated = ["{NAMES[0]}"]
controls = ["{NAMES[1]}", "{NAMES[2]}"]
timezone = "Europe/Brussels"
before_days = 42
after_days = 28
[question]
what = ["car"]
hours = [8, 9, 10, 11, 12, 13, 14, 15]
[data]
files = ["counts.json"]
"""


def test_a_database_and_the_files_it_was_filled_from_say_the_same(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELSTRAAT_DSN", raising=False)
    frame = town(81, NAMES, before=63, after=28, effects={NAMES[0]: {"car": -0.5}}, uptime=0.75)
    frame["start"] = frame["start"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for name in ("pedestrian", "bike", "car", "heavy"):
        frame[f"{name}_lft"] = frame[f"{name}_rgt"] = frame[name] / 2
    rows = frame.rename(columns={"segment": "segment_id", "start": "date"}).assign(interval="hourly", instance_id=-1)
    counts = tmp_path / "counts.json"
    counts.write_text(json.dumps({"report": rows.to_dict("records")}), encoding="utf-8")
    with psycopg.connect(database) as connection:
        for number in NAMES:
            places.draw_segment(connection, number, [(4.0, 50.0), (4.1, 50.0)], segment_id=int(number))
        connection.commit()
        assert import_file(connection, counts, Source("others")).new == len(frame)
    measure = tmp_path / "measure.toml"
    measure.write_text(FILE, encoding="utf-8")
    results = []
    for options in ([], ["--dsn", database]):
        assert main(["evaluate", str(measure), "--json", *options]) == 0
        results.append(json.loads(capsys.readouterr().out)["evaluations"][0]["effect"])
    assert results[0]["high"] < 0
    assert {results[0].pop("unit"), results[1].pop("unit")} == {"relative"}
    assert results[1] == pytest.approx(results[0], rel=1e-6)


def test_a_database_without_these_streets_and_one_that_is_away_are_told(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = tmp_path / "measure.toml"
    measure.write_text(FILE, encoding="utf-8")
    assert main(["evaluate", str(measure), "--dsn", database]) == 2
    assert main(["evaluate", str(measure), "--dsn", "postgresql://nobody@127.0.0.1:1/none"]) == 2
    errors = capsys.readouterr().err
    assert "no hours of segments" in errors
    assert "cannot be read" in errors


def test_an_evaluation_waits_for_reports_that_are_not_added_up(database: str) -> None:
    at = datetime(2026, 3, 2, 7, tzinfo=UTC)
    with psycopg.connect(database, autocommit=True) as connection:
        segment = add_segment(connection)
        sensor = add_sensor(connection, "late-1", segment)
        add_reports(
            connection, [{"sensor_id": sensor, "period_start": at + n * QUARTER, "car_lft": 3} for n in range(8)]
        )
        measure = Measure(name="Scheme", date=date(2026, 3, 2), treated=(str(segment),))
        with pytest.raises(FrameError, match=f"reports of segments {segment} are not added up to hours yet"):
            read_hours(database, measure)
        refresh_all(connection)
        assert len(read_hours(database, measure)) == 2


def test_an_export_adds_up_first_what_has_come_in(database: str, tmp_path: Path) -> None:
    at = datetime(2026, 3, 2, 7, tzinfo=UTC)
    with psycopg.connect(database, autocommit=True) as connection:
        sensor = add_sensor(connection, "late-2", add_segment(connection))
        add_reports(
            connection, [{"sensor_id": sensor, "period_start": at + n * QUARTER, "car_lft": 3} for n in range(8)]
        )
    assert main(["db", "--dsn", database, "export", str(tmp_path / "hours.csv")]) == 0
    assert (tmp_path / "hours.csv").read_text().count(",counted\n") == 2
