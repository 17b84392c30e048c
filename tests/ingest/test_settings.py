"""Settings: read once, typed, and a mistake is met with a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from telstraat_contract.errors import SettingsError
from telstraat_ingest.settings import read_settings


def test_the_command_line_goes_over_the_environment_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ingest.toml"
    path.write_text('dsn = "file"\nbatch_size = 10\nname = "file"\n')
    environment = {"TELSTRAAT_INGEST_BATCH_SIZE": "20", "TELSTRAAT_INGEST_NAME": "environment", "OTHER": "1"}
    settings = read_settings(path, {"name": "given"}, environment)
    assert (settings.dsn, settings.batch_size, settings.name) == ("file", 20, "given")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "dsn is not set"),
        ({"dsn": "x", "batch_size": 0}, "batch_size"),
        ({"dsn": "x", "batch_size": "many"}, "batch_size"),
        ({"dsn": "x", "broker": "127.0.0.1:1883"}, "write mqtts://HOST:PORT"),
        ({"dsn": "x", "broker": "mqtt://host:port"}, "write mqtts://HOST:PORT"),
        ({"dsn": "x", "retention_days": 300}, "must be more than max_age_days"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_to_do(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(arguments=given, environment={})


def test_an_unknown_name_is_met_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean TELSTRAAT_INGEST_BATCH_SIZE"):
        read_settings(environment={"TELSTRAAT_INGEST_BATCHSIZE": "1"})
    path = tmp_path / "ingest.toml"
    path.write_text("retention = 3\n")
    with pytest.raises(SettingsError, match="did you mean 'retention_days'"):
        read_settings(path, environment={})
