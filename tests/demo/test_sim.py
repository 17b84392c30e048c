"""`telstraat sim`: streets, fleets and chaos from the command line; mistakes are told in one line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestBroker, password_of
from tests.ingest.sending import Ingest

from telstraat_cli.main import main
from telstraat_contract.messages import Flag, decode
from telstraat_contract.topics import Channel
from telstraat_demo.chaos.registration import register_fleet
from telstraat_demo.commands.sim import SCENE_NAMES
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet
from telstraat_firmware_sim.street.scenes import SCENES
from telstraat_firmware_sim.street.truth import read_truth
from telstraat_ingest.broker_access import write_secret


def test_the_help_names_every_scene() -> None:
    assert tuple(SCENES) == SCENE_NAMES


@pytest.mark.parametrize("words", [["sim"], ["sim", "street"], ["sim", "fleet"], ["sim", "town"], ["sim", "chaos"]])
def test_every_help_has_an_example_and_a_sentence_for_each_option(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert "telstraat sim" in capsys.readouterr().out


def test_a_street_is_counted_by_the_real_device_and_its_truth_is_written(tmp_path: Path) -> None:
    settings = tmp_path / "device.toml"
    settings.write_text(
        f'[sensor]\nname = "sim-street"\n[storage]\nfolder = "{tmp_path / "state"}"\n'
        '[broker]\nhost = "127.0.0.1"\nport = 1\n[send]\nflush_s = 0.0\n'
    )
    street = ["sim", "street", "--settings", str(settings), "--scene", "dense", "--size", "320x240", "--fps", "8"]
    code = main(
        [
            *street,
            "--start",
            "2026-11-20T08:13Z",
            "--duration",
            "240",
            "--speed",
            "10000",
            "--truth",
            str(tmp_path / "truth.jsonl"),
        ]
    )
    assert code == 1  # no broker: the reports wait
    with closing(sqlite3.connect(tmp_path / "state" / "outbox.sqlite")) as connection:
        rows = connection.execute("select payload from report order by seq").fetchall()
    reports = [decode(Channel.REPORT, row[0].encode()) for row in rows]
    assert [report.observed_s for report in reports] == [120, 120]
    assert all(report.flags & Flag.SIMULATED for report in reports)
    assert sum(report.counts.car.lft + report.counts.car.rgt for report in reports) > 5
    assert len(read_truth(tmp_path / "truth.jsonl")) > 30


def test_a_fleet_is_written_to_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fleet"
    words = ["sim", "fleet", "--out", str(out), "--sensors", "3", "--days", "2", "--format", "csv", "--step", "hour"]
    assert main([*words, "--kinds", "v1=1,s2=1", "--measure", "car=-0.3,bike=+0.1", "--messages"]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "events.jsonl", "fleet.json", "holidays.csv", "reports", "reports.csv", "truth.csv", "weather.csv",
    ]  # fmt: skip
    assert "3 sensors, 2 days" in capsys.readouterr().err


def test_a_fleet_is_sent_as_real_clients(
    tmp_path: Path, database: str, mosquitto: TestBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--sensors", "2", "--days", "1", "--speed", "1e9"]
    names = ("sim-0001", "sim-0002")
    register_fleet(database, made_up_fleet(FleetSettings(sensors=2)), tmp_path / "access", tmp_path / "unused")
    mosquitto.let_in(*names)
    passwords = tmp_path / "passwords"
    passwords.mkdir()
    for name in names:
        write_secret(passwords / name, password_of(name))
    to = ["--broker", f"127.0.0.1:{mosquitto.port}", "--state", str(tmp_path / "state"), "--passwords", str(passwords)]
    with Ingest(database, mosquitto):
        assert main(["sim", "fleet", *to, *words]) == 0
    assert "all have their receipts" in capsys.readouterr().err
    with psycopg.connect(database) as connection:
        rows = connection.execute("select count(*) from report group by sensor_id").fetchall()
    assert len(rows) == 2
    assert all(60 < row[0] <= 96 for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fleet"], "give --out FOLDER"),
        (["fleet", "--broker", "localhost"], "needs --state"),
        (["fleet", "--out", "here", "--kinds", "v9=1"], "no sort of sensor is called 'v9'"),
        (["street"], "give a device's settings"),
        (["street", "--sensor", "a", "--state", "here", "--scene", "nigth"], "did you mean 'night'"),
        (["street", "--sensor", "a", "--state", "here", "--speed", "0.5"], "give 1 or more"),
        (["chaos", "--seconds", "1"], "give 5 or more"),
        (["town"], "say which file to write"),
        (["town", "here.txt"], "the name of an extract ends with .osm"),
        (["town", "nowhere/here.osm"], "nowhere/here.osm cannot be written"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sim", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [["--measure", "car"], ["--start", "tomorrow"]])
def test_an_option_that_cannot_be_read_is_refused_with_an_example(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sim", "fleet", "--out", "here", *words])
    assert ended.value.code == 2
    assert "as" in capsys.readouterr().err
