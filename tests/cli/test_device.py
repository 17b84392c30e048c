"""`telstraat device`: what a person types, and what is answered."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from telstraat_cli.commands.device import host_and_port
from telstraat_cli.errors import CliError
from telstraat_cli.main import main
from telstraat_demo.run.reconciliation import closed_reports


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of three seconds in which nothing happens."""
    file = tmp_path / "street.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (160, 120))
    rng = np.random.default_rng(1)
    picture = rng.integers(60, 200, (120, 160, 3), dtype=np.uint8)
    for _ in range(30):
        writer.write(picture)
    writer.release()
    return file


def settings_file(folder: Path) -> Path:
    file = folder / "device.toml"
    file.write_text(f'[sensor]\nname = "elm-1"\n[storage]\nfolder = "{folder / "state"}"\n[send]\nflush_s = 0\n')
    return file


def test_a_recording_is_counted_as_a_sensor_would(tmp_path: Path, film: Path) -> None:
    words = ["--settings", str(settings_file(tmp_path)), "--source", str(film), "--line", "10,60,150,60"]
    assert main(["device", *words, "--start", "2026-11-20T12:00Z", "--broker", "127.0.0.1:1"]) == 1, "no receipt came"
    (report,) = closed_reports(tmp_path / "state" / "outbox.sqlite")
    assert report.sensor == "elm-1"
    assert report.period_start.isoformat() == "2026-11-20T12:00:00+00:00"
    assert 0 < report.observed_s <= 3


def test_every_setting_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "--print-settings"]) == 0
    output = capsys.readouterr().out
    assert "[broker]" in output
    assert "# keepalive_s = 60" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "[sensor] name"),
        (["--settings", "no-such.toml"], "cannot be read"),
        (["--sensor", "elm-1", "--source", "FILM", "--line", "1,2,30,40"], "--start"),
        (["--sensor", "elm-1", "--source", "FILM", "--start", "noon", "--line", "1,2,30,40"], "2026-11-21T12:00Z"),
        (["--sensor", "elm-1", "--source", "FILM", "--start", "2026-11-20T12:00Z"], "no counting line"),
        (
            ["--sensor", "elm-1", "--source", "FILM", "--start", "2026-11-20T12:00Z", "--line", "1,2,900,3"],
            "outside the picture",
        ),
        (["--sensor", "elm-1", "--source", "none.mp4", "--start", "2026-11-20T12:00Z"], "no file"),
        (["--sensor", "elm-1", "--line", "1,2"], "four numbers"),
        (["--sensor", "Elm Street", "--source", "FILM"], "a-z"),
        (["--sensor", "elm-1", "--broker", "example.org:x"], "not a port"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    tmp_path: Path, film: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    words = [str(film) if word == "FILM" else word for word in words]
    if "--sensor" in words:
        words += ["--state", str(tmp_path / "state")]
    assert main(["device", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("localhost", ("localhost", None)),
        ("broker.example:8884", ("broker.example", 8884)),
        ("[::1]:1883", ("::1", 1883)),
        ("::1", ("::1", None)),
        ("[::1]", ("::1", None)),
    ],
)
def test_a_brokers_address_is_read(text: str, read: tuple[str, int | None]) -> None:
    assert host_and_port(text) == read


def test_a_port_that_is_none_is_told() -> None:
    with pytest.raises(CliError, match="not a port"):
        host_and_port("localhost:mqtt")
