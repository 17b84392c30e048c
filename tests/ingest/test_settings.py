"""Settings: read once, typed, and a mistake is met with a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from telstraat_ingest.errors import SettingsError
from telstraat_ingest.settings import IngestSettings, load

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_line_goes_over_the_environment_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ingest.toml"
    path.write_text('dsn = "file"\nbatch_size = 10\nname = "file"\n')
    environment = {"TELSTRAAT_INGEST_BATCH_SIZE": "20", "TELSTRAAT_INGEST_NAME": "environment", "OTHER": "1"}
    settings = load(path, {"name": "given"}, environment)
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
        load(given=given, environment={})


def test_an_unknown_name_is_met_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean 'batch_size'"):
        load(environment={"TELSTRAAT_INGEST_BATCHSIZE": "1"})
    path = tmp_path / "ingest.toml"
    path.write_text("retention = 3\n")
    with pytest.raises(SettingsError, match="did you mean 'retention_days'"):
        load(path, environment={})


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "ingest.md").read_text(encoding="utf-8")
    assert [name for name in IngestSettings.__struct_fields__ if f"`{name}`" not in text] == []
