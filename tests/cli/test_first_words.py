"""What a stranger reads first: a database that is away and a port that is taken are named, in one line that says what to do."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest

from telstraat_cli.main import main

AWAY = "postgresql://127.0.0.1:1/none?connect_timeout=1"


def test_a_round_without_a_database_says_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("TELSTRAAT_API_DSN", raising=False)
    monkeypatch.setenv("TELSTRAAT_DSN", AWAY)
    assert main(["follow"]) == 2
    written = capfd.readouterr().err.strip().splitlines()
    assert len(written) == 1
    assert written[0].startswith("telstraat follow: the database does not answer: ")
    assert "port 1 failed" in written[0]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_export_of_a_street_that_is_not_ours_is_refused(
    database: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hours.csv"
    assert main(["db", "--dsn", database, "export", str(path), "--segment", "1009"]) == 2
    assert "there is no segment 1009" in capfd.readouterr().err
    assert not path.exists()


def test_a_taken_port_of_the_metrics_is_named(
    database: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ["ingest", "--dsn", database, "--broker", "mqtt://127.0.0.1:1", "--metrics-port", str(port)]
        assert main(words) == 2
    assert f"the metrics cannot be served on 127.0.0.1:{port}: Address already in use" in capfd.readouterr().err


@pytest.mark.parametrize(
    "dsn",
    [
        "host=db password=horse battery user=x",
        "postgresql://x:horse%zzbattery@db/counts",
        "postgresql://x:horse@[battery/counts",
    ],
)
def test_a_database_address_that_cannot_be_read_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], dsn: str
) -> None:
    monkeypatch.delenv("TELSTRAAT_API_DSN", raising=False)
    monkeypatch.setenv("TELSTRAAT_DSN", dsn)
    assert main(["follow"]) == 2
    written = capfd.readouterr().err
    assert written.startswith("telstraat follow: the database's address (dsn) cannot be used: ")
    assert "horse" not in written
    assert "battery" not in written
